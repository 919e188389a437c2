"""A paused job on the page: the platform's words, what is kept, and *Resume*."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from svad.compute.engine import GpuUnavailable
from svad.run.jobs import Job
from svad.ui.events import Events
from tests.ui.page_fakes import FakePipeline, Names

WORDS = "The GPU could not be used. ZeroGPU quota exceeded: 60s requested vs. 12s left."


class Refused(FakePipeline):
    """Has no GPU in the stage `relief` until `quota` is there."""

    quota = False

    def run(self, source, folder, *, listener, **more):
        def listen(states: tuple) -> None:
            listener(states)
            if not self.quota and any(s.name == "relief" and s.state == "running" for s in states):
                job = Job(folder)
                job.card = {"schema": 1, "preset": "preview", "state": "paused", "error": WORDS}
                job.write()
                raise GpuUnavailable(WORDS)

        return super().run(source, folder, listener=listen, **more)


def test_no_gpu_pauses_the_job_and_resume_goes_on(make_studio, photo: Path) -> None:
    pipeline = Refused(0.02)
    studio = make_studio(pipeline)
    *_, seen = studio.look(photo)
    events = Events(studio, Names())
    *_, last = events.create(seen.job)
    assert "12s left" in last["status"] and last["resume"].visible
    assert "Kept: Understand the photo" in last["status"] and "Paused" in last["steps"]
    back = events.arrive(SimpleNamespace(query_params={"job": seen.job}))
    assert "12s left" in back["status"] and back["resume"].visible
    assert studio.unfinished(seen.job).preset == "preview"
    pipeline.quota = True
    first, *_, last = events.resume(seen.job, "default", "")
    assert last["shown"] == f"job:{seen.job}" and studio.unfinished(seen.job) is None
    assert not first["resume"].visible
