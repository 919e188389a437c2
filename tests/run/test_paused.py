"""Without a GPU a run pauses: it says why, keeps what is finished, and goes on from there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from svad.compute.engine import GpuUnavailable
from svad.config.presets import QUICK
from svad.media.images import save_png
from svad.run.card import read_card
from svad.run.pipeline import Pipeline
from svad.run.results import read_result
from svad.run.stages import on_gpu
from tests.fakes import FakeStages
from tests.helpers import tiny_subject

WORDS = "ZeroGPU quota exceeded: You have exceeded your quota (60s requested vs. 12s left)."


@pytest.mark.parametrize("stage", [row.name for row in on_gpu(QUICK)])
def test_a_refused_gpu_pauses_at_every_stage_and_resume_finishes(
    stage: str, tmp_path: Path
) -> None:
    save_png(tmp_path / "photo.png", tiny_subject(300, 400).photo.rgb)
    refusals, ran = [stage], []

    def maker(name: str, run: Any) -> Any:
        def work(*given: Any) -> Any:
            if refusals == [name]:
                refusals.clear()
                raise GpuUnavailable(WORDS)
            ran.append(name)
            return run(*given)

        return lambda: SimpleNamespace(run=work)

    stages = FakeStages(0.0)
    makers = {name: maker(name, getattr(stages, name)) for name in ("subject", "relief")}
    for name in ("diffusion", "identity", "restoration"):
        makers[name] = maker(name, lambda subject, clip, report: clip)
    makers["avatar"] = maker(
        "avatar", lambda subject, clip, *rest: stages.avatar(subject, clip, rest[0])
    )
    # without makers of its own a pipeline would ask for pretrained files
    pipeline = Pipeline(QUICK, makers=stages.makers() | makers)
    seen: list[Any] = []
    with pytest.raises(GpuUnavailable, match="12s left"):
        pipeline.run(tmp_path / "photo.png", tmp_path / "out", listener=seen.append)
    assert next(s.state for s in seen[-1] if s.name == stage) == "paused"
    card = read_card(tmp_path / "out")
    assert card["state"] == "paused" and card["error"] == WORDS
    before = list(ran)
    pipeline.run(tmp_path / "photo.png", tmp_path / "out")
    assert len(ran) == len({*ran}), "a stage that was done is done again"
    assert ran[: len(before)] == before and ran[len(before)] == stage
    assert read_card(tmp_path / "out")["state"] == "done"
    assert read_result(tmp_path / "out").archive.is_file()
