"""What the page asks of the parts below it: how it is run, and the pipelines of all presets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from svad.config.preset import BUILT_IN, OWN_BODIES
from svad.config.presets import PRESETS, PREVIEW
from svad.media.shot import Shot

if TYPE_CHECKING:
    import numpy as np

    from svad.run.board import Listener
    from svad.run.job_store import JobStore
    from svad.subject.look import Look
    from svad.types import Footage, Report, Result

USUAL = Shot()


@dataclass(frozen=True, kw_only=True)
class Unwatched:
    """For how long a run goes on that no page shows any more, in seconds."""

    others_wait: float = 30  # a phone that is locked and opened again, a line that is cut
    nobody_waits: float = 600


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this page is run."""

    jobs: Path  # private root of the job folders
    examples: Path  # folder of the finished examples
    preset: str = PREVIEW.name
    keep_hours: float = 6  # until pictures and avatars are removed
    keep_gigabytes: float = 10  # of job folders, and of what is uploaded and shown; the oldest go
    upload_megabytes: int = 25  # of a photo
    clip_megabytes: int = 300  # of a clip: a minute from most phones
    at_once: int = 1  # avatars made at the same time; the others wait in line
    waiting: int = 24  # visitors who may wait
    unwatched: Unwatched = Unwatched()
    per_visitor: int = 4  # things that one visitor of a shared server may have made at once
    an_hour: int = 60  # times within an hour that such a visitor may send pictures
    sent_gigabytes: float = 3  # that such a visitor may upload within an hour
    hosted: bool = False  # on somebody's server rather than on the visitor's own machine


class AvatarMaker(Protocol):
    """What the page asks of a pipeline: see `svad.run.pipeline.Pipeline`."""

    def look(self, photo: Path, /) -> Look:
        """What is understood of a photo at a glance."""
        ...

    def glance(self, source: Sequence[Path], report: Report, /) -> Footage:
        """Which pictures of a clip or of several photos are used, and what is seen in each."""
        ...

    def strip(self, footage: Footage, /) -> np.ndarray:  # [h, w, 3] uint8
        """Those pictures beside each other."""
        ...

    def run(
        self,
        source: Sequence[Path],
        folder: Path,
        /,
        *,
        listener: Listener,
        stop: threading.Event,
        look: Look | None = None,
        footage: Footage | None = None,
    ) -> Result:
        """Makes the avatar of what was sent in a folder."""
        ...


class AvatarMover(Protocol):
    """What the page asks of what moves finished avatars: see `svad.run.filming`."""

    def motion_video(
        self, folder: Path, motion: str, output: Path, /, *, report: Report, shot: Shot = ...
    ) -> Path:
        """Writes a video of the avatar in a folder."""
        ...

    def track(
        self, clip: Path, output: Path, report: Report, /, *, say: Callable[[str], None]
    ) -> Path:
        """Writes how the person in a clip moves; `say` gets what is to be known of it."""
        ...

    def clip_motion(
        self, folder: Path, clip: Path, output: Path, /, *, report: Report, shot: Shot = ...
    ) -> Path:
        """Writes a video of the avatar in a folder, moving so."""
        ...

    def still(
        self, folder: Path, pose: Mapping[str, float], output: Path, /, *, shot: Shot = ...
    ) -> Path:
        """Writes a picture of the avatar in a folder, with the viewer's sliders moved."""
        ...

    def mesh(self, folder: Path, motion: Path, output: Path, /, *, report: Report) -> Path:
        """Writes the avatar in a folder as a mesh with that motion in it."""
        ...


class Mover:
    """The real one; nothing is imported before it is needed."""

    def motion_video(
        self, folder: Path, motion: str, output: Path, /, *, report: Report, shot: Shot = USUAL
    ) -> Path:
        """See `svad.run.filming.motion_video`."""
        from svad.run.filming import motion_video

        return motion_video(folder, motion, output, report=report, shot=shot)

    def track(
        self, clip: Path, output: Path, report: Report, /, *, say: Callable[[str], None]
    ) -> Path:
        """See `svad.run.motions.track`."""
        from svad.run.motions import track

        return track(clip, output, report, say=say)

    def clip_motion(
        self, folder: Path, clip: Path, output: Path, /, *, report: Report, shot: Shot = USUAL
    ) -> Path:
        """See `svad.run.filming.clip_motion`."""
        from svad.run.filming import clip_motion

        return clip_motion(folder, clip, output, report=report, shot=shot)

    def still(
        self, folder: Path, pose: Mapping[str, float], output: Path, /, *, shot: Shot = USUAL
    ) -> Path:
        """See `svad.run.filming.still_picture`."""
        from svad.run import filming

        return filming.still_picture(folder, pose, output, shot=shot)

    def mesh(self, folder: Path, motion: Path, output: Path, /, *, report: Report) -> Path:
        """See `svad.run.export`."""
        from svad.run.export import export

        return export(folder, "glb", output, motions=[motion], report=report)


def export_file(folder: Path, name: str, report: Report) -> Path:
    """A file of the avatar in a folder for another program, see `svad.run.export`."""
    from svad.run.export import export

    return export(folder, name, report=report)


@dataclass(frozen=True)
class Engine:
    """The parts below the page; a test puts quick ones in their place."""

    pipeline: AvatarMaker
    store: JobStore
    others: Mapping[str, AvatarMaker] = field(default_factory=dict)  # the same for further presets
    # the same by preset and body, for bodies other than the built-in one
    bodied: Mapping[tuple[str, str], AvatarMaker] = field(default_factory=dict)
    mover: AvatarMover = field(default_factory=Mover)
    export: Callable[[Path, str, Report], Path] = export_file

    def of(self, preset: str, body: str = BUILT_IN) -> AvatarMaker:
        """The pipeline of a preset on a body."""
        if body != BUILT_IN:
            return self.bodied[preset, body]
        return self.others.get(preset, self.pipeline)


def load_engine(settings: Settings) -> Engine:
    """The real pipeline and job store; takes seconds the first time."""
    from svad.run.job_store import JobStore
    from svad.run.pipeline import Pipeline

    all_of_them = {name: Pipeline(preset) for name, preset in PRESETS.items()}
    bodied = {
        (name, body): Pipeline(replace(preset, body=body))
        for name, preset in PRESETS.items()
        for body in OWN_BODIES
    }
    return Engine(all_of_them[settings.preset], JobStore(settings.jobs), all_of_them, bodied)
