"""One photo of a batch: how its avatar is made, and what every engine is asked for."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from svad import weights
from svad.config.preset import Preset, settings_of
from svad.core.errors import JobError, Stopped, SvadError
from svad.core.files import plain
from svad.run.batch.rows import DONE, FAILED, STOPPED, Row
from svad.run.board import Listener
from svad.run.card import read_card
from svad.run.pipeline import Pipeline
from svad.run.stages import STAGES
from svad.types import StageState
from svad.weights.store import sha256_of

Make = Callable[[Preset], Pipeline]  # a name at the top of a module: it goes to other processes
Tell = Callable[[float], None]  # gets how many photos' worth of what runs is done


@dataclass(frozen=True, kw_only=True)
class Work:
    """One photo to be made into an avatar."""

    photo: Path
    folder: Path  # of the avatar
    preset: Preset
    make: Make = Pipeline
    fingerprint: str = ""

    def row(self, state: str, error: str | None = None) -> Row:
        """A line about it, with what its job card knows."""
        card, files = {}, ()
        with suppress(JobError):
            card = read_card(self.folder)
        if state == DONE:
            files = tuple(dict.fromkeys([*card["result"].values(), "job.json"]))
        return Row(
            photo=self.photo.name,
            folder=self.folder.name,
            state=state,
            seconds=round(float(card.get("seconds") or 0.0), 2),
            warnings=tuple(card.get("warnings") or ()) if state == DONE else (),
            error=error,
            files=files,
            fingerprint=self.fingerprint,
        )


class BatchEngine(Protocol):
    """What makes the avatars of many photos."""

    def run(self, works: Sequence[Work], stop: threading.Event, tell: Tell) -> Iterator[Row]:
        """Gives a line for each photo as it ends; none for what was not begun before `stop`."""
        ...


def all_but_photo(preset: Preset) -> str:
    """What an avatar hangs on beside its photo: settings, code and pretrained files, as a text."""
    store = weights.Store.from_environment()
    rows = [row for row in STAGES if row.of(preset) is not None]
    files = [weights.found_by(store, preset.name, row.weights, row.any_weights) for row in rows]
    code = [row.code() for row in rows]
    return json.dumps([preset.name, settings_of(preset), preset.seed, code, files])


def fingerprint(photo: Path, others: str) -> str:
    """What tells whether an avatar would come out the same; `others` is of `all_but_photo`.

    Raises `OSError` for a photo that cannot be read.
    """
    return hashlib.sha256(f"{sha256_of(photo)} {others}".encode()).hexdigest()[:32]


def make_avatar(
    work: Work, pipeline: Pipeline, stop: threading.Event, listener: Listener | None = None
) -> Row:
    """Makes the avatar of a photo, or goes on with it; whatever goes wrong is in the line."""
    try:
        pipeline.run(work.photo, work.folder, listener=listener, stop=stop)
    except Stopped:
        return work.row(STOPPED)
    except SvadError as error:
        return work.row(FAILED, str(error))
    except Exception as error:
        told = plain(error) if isinstance(error, OSError) else None
        unknown = f"Something went wrong that should not have ({type(error).__name__}: {error})."
        return work.row(FAILED, told or unknown)
    return work.row(DONE)


class Share:
    """A listener that tells how much of a photo is done, twice a second at most."""

    def __init__(self, tell: Tell, every: float = 0.5) -> None:
        self._tell, self._every, self._told = tell, every, 0.0

    def __call__(self, states: Sequence[StageState]) -> None:
        """Takes the stages as they are now."""
        now = time.monotonic()
        if now - self._told < self._every:
            return
        self._told = now
        ended = [s.state in ("done", "kept", "skipped") for s in states]
        running = [s.done / max(s.total, 1) for s in states if s.state == "running"]
        self._tell(min(1.0, (sum(ended) + sum(running)) / max(len(states), 1)))
