"""The pipeline of a preset: its stages, kept with their models from one job to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svad import weights
from svad.compute.device import device
from svad.config.preset import Preset
from svad.config.presets import PREVIEW
from svad.core.progress import silent
from svad.media.video import ffmpeg_path
from svad.run.board import Board, Listener
from svad.run.bodies import own_body
from svad.run.costs import expected
from svad.run.jobs import open_job
from svad.run.learned import MACHINE
from svad.run.makers.builders import read_photo
from svad.run.order import Order
from svad.run.results import read_result
from svad.run.sources import Sent, read_source, require_fitting, source_hash
from svad.run.stages import Maker, Stage, needs_gpu, on_gpu, stage_makers, titles
from svad.run.steps import Steps, no_weights
from svad.types import Footage, Report, Result

if TYPE_CHECKING:
    import numpy as np

    from svad.subject.look import Look

REPLACES = "{folder} holds the avatar of {other}; it stays until the new one is ready."
SLOW = "There is no GPU here. {preset} computes for many hours on a CPU; preview takes seconds."


class Pipeline:
    """The stages of a preset; keeps them, and with them the loaded models, between runs."""

    def __init__(self, preset: Preset = PREVIEW, makers: Mapping[str, Maker] | None = None) -> None:
        preset.require_valid()
        self.preset = preset
        self._own_makers = makers is None
        self._makers = dict(makers or stage_makers(preset))
        self._stages: dict[str, Any] = {}
        self._building = threading.RLock()

    def look(self, photo: Path | bytes) -> Look:
        """What is understood of a photo at a glance; raises `PhotoError` if it cannot be used."""
        return self._stage("look")(read_photo(photo))

    def glance(self, source: Sent | Sequence[Sent], report: Report = silent) -> Footage:
        """Which pictures of a clip, or of several photos, are used, and what is seen in each.

        A single one: nobody turns, and it is used as a photo. Raises what `run` raises for a source
        that cannot be used. `run` takes what is given here, to save its seconds.
        """
        require_fitting(self.preset, photo=False)
        return self._stage("footage").run(read_source(source), report)

    def strip(self, footage: Footage) -> np.ndarray:  # [h, w, 3] uint8
        """The chosen pictures beside each other, with matte, skeleton and yaw."""
        return self._stage("strip")(footage)

    def run(
        self,
        source: Sent | Sequence[Sent] | None,
        folder: Path,
        *,
        listener: Listener | None = None,
        stop: threading.Event | None = None,
        look: Look | None = None,
        footage: Footage | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Result:
        """Makes the avatar of a source in `folder`, or goes on with the job begun there.

        A finished stage is kept when its inputs, settings, code and pretrained files are unchanged.
        `source`: a photo, two to four photos, or a clip; None: go on from the files in the folder.
        `look`, `footage`: what `look` and `glance` gave for the same source, to save their seconds.
        `say` gets what a person should know before the first stage runs.
        Raises `MissingWeights` when the preset or its body needs a file that is not here, as
        `MissingFile` does without ffmpeg,
        `SourceError`, `PhotoError`, `VideoError`, `SettingError` for a preset that takes something
        else, `OutputError`, `JobError`, and `Stopped` soon after `stop` is set; what is finished
        then is kept.
        """
        if self._own_makers:
            weights.require(self.preset.name)
            ffmpeg_path()  # or it would be missed at the end only
            if say is not None and needs_gpu(self.preset) and device().type == "cpu":
                say(SLOW.format(preset=self.preset.name))
        own = own_body(self.preset.body)
        read = None if source is None else read_source(source)
        if read is not None:
            require_fitting(self.preset, photo=len(read.photos) == 1)
        sent = None if read is None else source_hash(read)
        with open_job(folder, sent) as job:
            if job.replaces and say is not None:
                other = "another photo" if self.preset.footage is None else "other pictures"
                say(REPLACES.format(folder=folder, other=other))
            job.begin(self.preset, sent or job.card["source"])
            if on_gpu(self.preset):
                job.card["weights"] = list(weights.read_by(self.preset.name))
            if own is not None:
                job.card["body"] = own.notice
            board = Board(
                titles(self.preset), expected(self.preset, MACHINE.root), job.folder / "stages",
                listener, stop,
            )  # fmt: skip
            with board.running():
                found = self._weights() if self._own_makers else no_weights
                body = own.sha256 if own is not None else ""
                steps = Steps(job, board, self.preset, found, body)
                Order(self._stage, steps, self.preset, read, look, footage).run()
            job.publish()
            return read_result(job.folder)

    def _weights(self) -> Callable[[Stage], list[tuple[str, int]]]:
        """The pretrained files that a stage finds on this machine as it is now."""
        store, preset = weights.Store.from_environment(), self.preset.name
        return lambda row: weights.found_by(store, preset, row.weights, row.any_weights)

    def _stage(self, name: str) -> Any:
        with self._building:
            if name not in self._stages:
                self._stages[name] = self._makers[name]()
            return self._stages[name]
