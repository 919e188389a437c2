"""Tiny stages that note when they begin, for runs that are killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from svad.config.preset import Preset
from svad.config.presets import PREVIEW
from svad.media.images import save_png
from svad.run.pipeline import Pipeline
from svad.types import Report
from tests.fakes import FakeStages
from tests.helpers import tiny_subject

SECONDS = 0.02  # of a stage


class NotingStages(FakeStages):
    """Adds a line to a file when a stage begins; survives that its process is killed."""

    def __init__(self, log: Path, seconds: float = SECONDS) -> None:
        super().__init__(seconds)
        self._log = log

    def _work(self, name: str, report: Report) -> None:
        with self._log.open("a") as file:
            file.write(f"{name}\n")
        super()._work(name, report)


def noting(log: Path) -> Pipeline:
    """A pipeline whose stages note when they begin."""
    return Pipeline(PREVIEW, makers=NotingStages(log).makers())


class Forgetful(FakeStages):
    """Keeps nothing of what it was given, so that memory can be measured."""

    def _work(self, name: str, report: Report) -> None:
        super()._work(name, report)
        for kept in (self.photos, self.clips, self.sources):
            kept.clear()


class Dying(FakeStages):
    """Ends its own process in its second stage, the first time it sees a photo."""

    def relief(self, subject: Any, report: Report) -> Any:
        if self.photos:  # with a subject kept from before this is the second try
            os.kill(os.getpid(), signal.SIGKILL)
        return super().relief(subject, report)


def dying(preset: Preset) -> Pipeline:
    """A pipeline that kills its process at the first try of each photo."""
    return Pipeline(preset, makers=Dying(0.0).makers())


def save_photo(path: Path, width: int = 300) -> Path:
    """A photo of the capsule figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, tiny_subject(width, 400).photo.rgb)
    return path
