"""What is kept of visitors' jobs: pictures, finished avatars, how they were made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

from svad.config.preset import BUILT_IN
from svad.config.presets import CLIP, PHOTO_PRESETS, PRESETS
from svad.core.errors import JobError
from svad.export.notes import made_from
from svad.run.bodies import bodies_here
from svad.run.jobs import BETTER, Job
from svad.run.sources import is_one_photo
from svad.run.versions import better_than, finished_in
from svad.ui import inputs, texts
from svad.ui.engine import Engine, Settings
from svad.ui.files import Shelf
from svad.ui.gallery import Finished, read_finished
from svad.ui.sharing import job_of

PHOTO_TOO = "photo-is-shared"  # a mark in a job's folder
LOOK = "look.jpg"  # what was understood, drawn over it


@dataclass(frozen=True)
class Unfinished:
    """A run that can be gone on with."""

    preset: str
    state: str  # running | stopped | paused | failed
    why: str  # the reason, in a sentence; of a paused run in the platform's words


class Kept(ABC):
    """Reads the job folders. A visitor is known by the unguessable ids of their jobs only."""

    settings: Settings
    examples: dict[str, Finished]
    shelf: Shelf

    @abstractmethod
    def engine(self) -> Engine:
        """Where the jobs are."""

    def pictures(self, job_id: str) -> list[Path]:
        """What was sent for a job; raises `JobError` when the job is not there (any more)."""
        return inputs.kept(self.job(job_id).folder)

    def is_photo(self, job_id: str) -> bool:
        """Whether one photo is all that was sent for a job."""
        return is_one_photo(self.pictures(job_id))

    def preset_for(self, job_id: str, chosen: str | None = None) -> str:
        """The preset that makes a job: a clip or several photos have one of their own.

        For a photo it is the chosen one, or the one that the page is run with; the one for clips
        where pictures were added to it.
        """
        return chosen or self.settings.preset if self.is_photo(job_id) else CLIP.name

    def preset_of(self, job_id: str) -> str:
        """The preset for photos that a job was last run with, or the page's own."""
        name = self.job(job_id).card.get("preset")
        return name if name in PHOTO_PRESETS else self.settings.preset

    def unfinished(self, job_id: str) -> Unfinished | None:
        """The run of a job that was begun and has not come to its end; None where there is none.

        Raises `JobError` when the job is not there (any more).
        """
        home = self.job(job_id)
        for card in (home.card, *(Job(home.folder / BETTER / name).card for name in PRESETS)):
            state = str(card.get("state") or "done")
            if state not in ("done", "waiting") and card.get("preset") in PRESETS:
                return Unfinished(card["preset"], state, str(card.get("error") or ""))
        return None

    def body_of(self, job_id: str) -> str:
        """The body a job was last run with, or the built-in one where that is not here any more."""
        settings = self.job(job_id).card.get("settings") or {}
        return settings["body"] if settings.get("body") in bodies_here() else BUILT_IN

    def finished(self, key: str) -> Finished | None:
        """The finished avatar behind "example:NAME", "job:ID[/PRESET]" or "share:TOKEN", or None.

        Raises `JobError` when a job is not there (any more).
        """
        kind, _, name = key.partition(":")
        if kind == "example":
            return self.examples.get(name)
        if kind == "share":
            return self.shared(name)
        job_id, _, inside = name.partition("/")
        if kind != "job":
            return None
        self.job(job_id)
        if inside and inside not in PRESETS:
            return None
        found = self.read(job_id, inside)
        return found if found.archive is not None else None

    def versions(self, job_id: str) -> list[Finished]:
        """The finished avatars of a job, the newest last.

        Raises `JobError` when the job is not there (any more).
        """
        names = finished_in(self.job(job_id).folder)
        return [self.read(job_id, name) for name in names]

    def next_better(self, job_id: str) -> list[str]:
        """The presets that would make more of a job's finished avatar, the next first.

        Raises `JobError` when the job is not there (any more).
        """
        done = {found.preset for found in self.versions(job_id)}
        if not done or not self.is_photo(job_id):
            return []
        first = self.job(job_id).card.get("preset", "")
        return [name for name in better_than(first) if name not in done]

    def shared(self, token: str) -> Finished | None:
        """The newest avatar of a job as others see it: the photo is left out, unless it is ticked.

        None where there is none, or not any more.
        """
        job_id = job_of(self.engine().store.root, token)
        made = self.versions(job_id) if job_id else []
        if not job_id or not made:
            return None
        photo = made[-1].photo if self.photo_shared(job_id) else None
        return replace(made[-1], key=f"share:{token}", name=texts.SHARED_AVATAR, photo=photo)

    def is_share(self, word: str) -> bool:
        """Whether a word is that of a link for others."""
        return job_of(self.engine().store.root, word) is not None

    def photo_shared(self, job_id: str) -> bool:
        """Whether the owner of a job wants others to see the photo."""
        return (self.job(job_id).folder / PHOTO_TOO).exists()

    def share_photo(self, job_id: str, wanted: bool) -> None:
        """The owner of a job wants others to see the photo, or not; raises `JobError`."""
        mark = self.job(job_id).folder / PHOTO_TOO
        if wanted:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)

    def seen(self, job_id: str) -> Path | None:
        """The pictures of a job with what was understood, if the job can be started from them.

        Raises `JobError` when the job is not there (any more).
        """
        folder = self.job(job_id).folder
        if not inputs.kept(folder) or not (folder / LOOK).is_file():
            return None
        return self.shelf.publish(folder / LOOK)

    def read(self, job_id: str, inside: str = "") -> Finished:
        """What lies in a job's folder, or in that of a further preset inside.

        Raises `JobError` when the job is not there (any more).
        """
        job, key = self.job(job_id), f"job:{job_id}"
        if inside:
            job, key = Job(job.folder / BETTER / inside), f"{key}/{inside}"
        card = job.card
        found = read_finished(job.folder, key, texts.YOUR_AVATAR, card.get("seconds"))
        body, files = card.get("body"), card.get("weights") or ()
        source = made_from(card.get("pictures") or {})
        terms = (*([body] if body else ()), *files)
        return replace(found, terms=terms, source=source, preset=card.get("preset", ""))

    def job(self, job_id: str) -> Job:
        """The job of an id; raises `JobError` when it is not there (any more)."""
        try:
            return self.engine().store.open(job_id)
        except JobError as error:
            hours = f"{self.settings.keep_hours:g}"
            raise JobError(texts.LINK_GONE.format(hours=hours)) from error
