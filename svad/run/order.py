"""The stages in order, from what was sent to the finished files: the only place that knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svad.config.preset import Preset, as_photo
from svad.core.errors import JobError
from svad.core.progress import part
from svad.run import holdout
from svad.run.bodies import limits
from svad.run.jobs import Job
from svad.run.results import list_files
from svad.run.stages import STAGES, Stage
from svad.run.steps import Steps
from svad.types import Avatar, Clip, Footage, Report, Result, Source, Subject

if TYPE_CHECKING:
    from svad.subject.look import Look

NO_TURN = "Nobody turns around in the pictures: the best of them is used as a photo."
NOT_LOOKED_THROUGH = "This job stopped before its pictures were looked through. Start it again."
NOT_UNDERSTOOD = "This job stopped before the photo was understood. Start it again."
STRIP = "stages/footage.jpg"  # the chosen pictures beside each other
# of 1000, of the last stage: for its files, where frames kept from the training are measured after
FILES = 200


@dataclass
class Order:
    """One run through the stages of a preset."""

    stage: Callable[[str], Any]  # builds a stage by its name, or gives the one that is built
    steps: Steps  # its preset becomes that of a photo where nobody turns
    preset: Preset  # as it was chosen
    source: Source | None  # needed only where there is no finished subject
    look: Look | None = None  # what was understood of the photo before the run
    seen: Footage | None = None  # the same of several pictures
    measured: list[Path] = field(default_factory=list)  # files about frames kept from the training

    def run(self) -> None:
        """Every stage; raises what they raise, and `JobError` where the source is wanted again."""
        steps = self.steps
        self.footage = self._footage()
        self.subject = steps.do("subject", Subject, self._understand, _save_input)
        self.clip = steps.do("relief", Clip, self._first_clip)
        for row in STAGES:
            if row.takes_clip:
                self.clip = self._next_clip(row)
        self.avatar = steps.do("avatar", Avatar, self._make)
        steps.do("package", Result, self._pack, self._list_all)
        steps.finish()

    def _footage(self) -> Callable[[], Footage] | None:
        """The chosen pictures; None where one photo is all there is.

        Where it is a single picture, nobody turns: the rest of the run takes it as a photo.
        """
        if self.preset.footage is None:
            return None
        footage = self.steps.do("footage", Footage, self._choose, self._describe)
        told = self.steps.job.card.get("pictures") or {}
        if (told.get("frames") or len(footage().rgb)) == 1:
            self.steps.preset = as_photo(self.preset)
        return footage

    def _choose(self, report: Report) -> Footage:
        if self.seen is not None:
            report(1, 1, "looked through before")
            return self.seen
        if self.source is None:
            raise JobError(NOT_LOOKED_THROUGH)
        return self.stage("footage").run(self.source, report)

    def _describe(self, job: Job, found: Footage) -> list[Path]:
        """Writes into the card, and draws, which pictures were chosen."""
        from svad.media.images import save_jpg

        job.card["pictures"] = _described(found)
        save_jpg(job.folder / STRIP, self.stage("strip")(found), quality=85)
        return [job.folder / STRIP]

    def _understand(self, report: Report) -> Subject:
        told: tuple[str, ...] = ()
        if self.footage is not None:
            photo, told = self.footage().photo, self.footage().warnings
        elif self.source is not None:
            photo = self.source.photos[0]
        else:
            raise JobError(NOT_UNDERSTOOD)
        look = self.look if self.footage is None else None
        found = self.stage("subject").run(photo, report, look)
        warnings = [*photo.warnings, *told, *found.warnings, *limits(self.preset.body)]
        self.steps.job.card["warnings"] = list(dict.fromkeys(warnings))
        return found

    def _first_clip(self, report: Report) -> Clip:
        return self.stage("relief").run(self.subject(), report)

    def _next_clip(self, row: Stage) -> Callable[[], Clip]:
        """The clip that a stage makes of another, or that one where the stage is left out."""
        before, steps = self.clip, self.steps
        if row.of(steps.preset) is None:
            why = NO_TURN if row.of(self.preset) is not None else row.why_not(self.preset)
            if why:
                steps.skip(row.name, why)
            return before

        def run(report: Report) -> Clip:
            more = [self.footage()] if row.takes_footage and self.footage is not None else []
            return self.stage(row.name).run(self.subject(), *more, before(), report)

        return steps.do(row.name, Clip, run, instead=before if row.optional else None)

    def _make(self, report: Report) -> Avatar:
        film = self.steps.preset.film
        if self.footage is not None and film is None:
            return self.stage("avatar").closed(self.subject(), self.clip(), report)
        kept = holdout.learnable(self.clip(), film)
        checkpoint = self.steps.checkpoint("avatar")
        return self.stage("avatar").run(self.subject(), kept, report, checkpoint)

    def _pack(self, report: Report) -> Result:
        """The files; then, if frames were kept from the training, the avatar measured in them."""
        card, film = self.steps.card_when_done("package"), self.steps.preset.film
        measures = self.footage is not None and film is not None and bool(film.holdout)
        told = part(report, 0, FILES, 1000) if measures else report
        folder = self.steps.job.folder
        result = self.stage("package").run(self.subject(), self.avatar(), folder, told, card)
        if measures:
            assert self.footage is not None and film is not None
            clip, footage = self.clip(), self.footage()
            self.measured += holdout.measure(
                self.avatar(), clip, footage, film.held_out(len(clip.rgb)),
                folder / holdout.FOLDER, self.stage("refine"), part(report, FILES, 1000, 1000),
            )  # fmt: skip
        return result

    def _list_all(self, job: Job, result: Result) -> list[Path]:
        return [*list_files(job, result, self.preset.package), *self.measured]


def _described(footage: Footage) -> dict[str, Any]:
    """What the job card says of the pictures."""
    import numpy as np

    filmed = bool(np.isfinite(footage.time).any())
    return {
        "kind": "clip" if filmed else "photos",
        "frames": len(footage.rgb),
        "front": int(footage.front),
        "seconds": round(float(np.nanmax(footage.time)), 2) if filmed else None,
    }


def _save_input(job: Job, subject: Subject) -> list[Path]:
    """The photo and the matte as the later stages see them."""
    from svad.media.images import save_png

    save_png(job.folder / "input.png", subject.photo.rgb)
    save_png(job.folder / "matte.png", subject.matte)
    return [job.folder / "input.png", job.folder / "matte.png"]
