"""What can be made of a finished avatar: motions, pictures, files for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from svad.core.errors import JobError
from svad.export.formats import EVERY
from svad.ui import inputs, texts
from svad.ui.beats import Followed, Making
from svad.ui.callers import Callers
from svad.ui.gallery import Finished
from svad.ui.kept import Kept
from svad.ui.line import Line, Wait
from svad.ui.moving import USUAL, follow, play, stand
from svad.ui.shooting import Filming
from svad.ui.work import Task, Tickets, stopping

Made = TypeVar("Made")


class Extras(Kept):
    """Makes them, one after another for all visitors."""

    callers: Callers
    _line: Line
    _tickets: Tickets

    def move(
        self, finished: Finished, motion: str, how: Filming = USUAL
    ) -> Iterator[Making | Path]:
        """How far it is while it makes the video of a motion, then the video's path.

        A video that was made before is given at once. Raises `JobError` where there is no avatar
        to move.
        """
        if motion not in finished.motions:
            raise JobError(texts.MOTION_NOT_HERE)

        def make(task: Task) -> Path:
            return play(self.engine().mover, finished, motion, self.shelf, stopping(task), how)

        video = finished.folder / "motions" / f"{motion}.mp4"
        if how.usual and video.is_file():
            yield self.shelf.publish(video)
            return
        if not finished.movable:
            raise JobError(texts.FILM_NOT_HERE)
        self._note(finished, how)
        yield from self._in_turn(finished, make)

    def still(
        self, finished: Finished, pose: Mapping[str, float], how: Filming = USUAL
    ) -> Iterator[Making | Path]:
        """How far it is while it draws the avatar in a pose, then the picture's path.

        `pose`: values of the viewer's sliders by name. Raises `JobError` where there is no avatar
        to move, `SettingError` for a pose or a view that cannot be.
        """
        if not finished.movable:
            raise JobError(texts.FILM_NOT_HERE)

        def make(task: Task) -> Path:
            return stand(self.engine().mover, finished, pose, self.shelf, how)

        self._note(finished, how)
        yield from self._in_turn(finished, make)

    def export(self, finished: Finished, name: str) -> Iterator[Making | Path]:
        """How far it is while it makes the file of a format, then the file's path.

        A file that was made before is given at once. Raises `JobError` where there is no avatar,
        `MissingFile` where the format's library is not installed.
        """
        if not finished.movable:
            raise JobError(texts.EXPORT_NOT_HERE)
        path = finished.folder / EVERY[name].file

        def make(task: Task) -> Path:
            return self.engine().export(finished.folder, name, stopping(task))

        if path.is_file():
            yield self.shelf.publish(path)
            return
        for beat in self._in_turn(finished, make):
            yield beat if isinstance(beat, Making) else self.shelf.publish(beat)

    def follow(
        self, finished: Finished, clip: Path, ticket: str = "", how: Filming = USUAL
    ) -> Iterator[Making | Followed]:
        """How far it is while it makes the avatar move as somebody in a clip does, then the video.

        `halt(ticket)` stops it; it then raises `Stopped`. Raises `JobError` where there is no
        avatar to move, `SourceError` or `VideoError` for a clip that cannot be used.
        """
        if not finished.movable:
            raise JobError(texts.MOTION_NOT_HERE)

        def before() -> None:
            inputs.require_small([clip], self.settings)

        def make(task: Task) -> Followed:
            return follow(self.engine().mover, finished, clip, self.shelf, stopping(task), how)

        self._note(finished, how, clip)
        yield from self._in_turn(finished, make, ticket, before)

    def halt(self, ticket: str) -> bool:
        """Stops the look or the video of a ticket; false if there is none."""
        return self._tickets.halt(ticket)

    def _note(self, finished: Finished, how: Filming, *sent: Path) -> None:
        """Notes which uploads were made for an avatar, so that they go with its job."""
        behind = Path(how.shot.background)
        for file in (*sent, *([behind] if behind.is_absolute() else [])):
            self.shelf.note(self.shelf.owner(finished.folder), file)

    def _in_turn(
        self,
        finished: Finished,
        make: Callable[[Task], Made],
        ticket: str = "",
        before: Callable[[], None] = lambda: None,  # done at once, whoever waits in line
    ) -> Iterator[Making | Made]:
        """How far it is while it waits for its turn and makes something, then what it made."""

        def work(task: Task) -> Made:
            before()
            with self._line.turn(task.stop, tell_ahead(task)):
                return make(task)

        with self.callers.place():
            yield from self._tickets.work(work, ticket, self.shelf.owner(finished.folder))


def tell_ahead(task: Task) -> Callable[[Wait], None]:
    """Tells how many visitors are served before, and for how long."""
    return lambda wait: task.tell((None, texts.ahead(wait.ahead, wait.seconds)))
