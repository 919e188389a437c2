"""What can be made of a finished avatar: motions, pictures, files for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from svad.core.errors import JobError
from svad.export.formats import EVERY
from svad.ui import inputs, texts
from svad.ui.beats import Followed, Making
from svad.ui.callers import Callers
from svad.ui.gallery import Finished, own_job
from svad.ui.kept import Kept
from svad.ui.line import Line, Wait
from svad.ui.moving import USUAL, follow, play, stand
from svad.ui.runs import Runs
from svad.ui.shooting import Filming
from svad.ui.work import Task, Tickets, stopping, watched

Made = TypeVar("Made")
# what goes on without the page that asked for it
MOTION, EXPORT, FOLLOW = "motion", "export", "follow"


class Extras(Kept):
    """Makes them, one after another for all visitors."""

    callers: Callers
    _line: Line
    _makings: Runs
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
        yield from self._without_page(finished, (MOTION, motion, how), make)

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
            return self.shelf.publish(self.engine().export(finished.folder, name, stopping(task)))

        if path.is_file():
            yield self.shelf.publish(path)
            return
        yield from self._without_page(finished, (EXPORT, name), make)

    def follow(
        self, finished: Finished, clip: Path, ticket: str = "", how: Filming = USUAL
    ) -> Iterator[Making | Followed]:
        """How far it is while it makes the avatar move as somebody in a clip does, then the video.

        `halt(ticket)` stops it; it then raises `Stopped`. For a visitor's own avatar it goes on
        without its page, see `again`. Raises `JobError` where there is no avatar to move,
        `SourceError` or `VideoError` for a clip that cannot be used.
        """
        if not finished.movable:
            raise JobError(texts.MOTION_NOT_HERE)

        inputs.require_small([clip], self.settings)

        def make(task: Task) -> Followed:
            return follow(self.engine().mover, finished, clip, self.shelf, stopping(task), how)

        self._note(finished, how, clip)
        if own_job(finished.key):
            yield from self._without_page(finished, (FOLLOW, ticket), make)
        else:  # an example or a shared avatar is everybody's, and what is sent is not
            yield from self._in_turn(finished, make, ticket)

    def again(self, key: str, *kinds: str) -> tuple[tuple, Iterator[Any]] | None:
        """What was asked for last of a visitor's own avatar, and its beats from now on.

        It goes on, or has ended lately. What was asked for begins with its kind: MOTION is followed
        by motion and `Filming`, EXPORT by a format, FOLLOW by a ticket. None where nothing was, and
        for avatars that are everybody's.
        """
        tasks = self._makings.of_job(own_job(key)) if own_job(key) else []
        found = [task for task in tasks if task.asked[0] in kinds and task.asked[1] == key]
        if not found or (found[-1].stop.is_set() and not found[-1].abandoned):
            return None
        kind, _, *more = found[-1].asked
        return (kind, *more), watched(found[-1])

    def halt(self, ticket: str) -> bool:
        """Stops the look or the video of a ticket; false if there is none."""
        for task in self._makings.all():
            if task.asked[0] == FOLLOW and task.asked[2:] == (ticket,) and task.running:
                task.halt()
                return True
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
    ) -> Iterator[Making | Made]:
        """How far it is while it waits for its turn and makes something, then what it made."""

        def work(task: Task) -> Made:
            with self._line.turn(task.stop, tell_ahead(task)):
                return make(task)

        with self.callers.place():
            yield from self._tickets.work(work, ticket, self.shelf.owner(finished.folder))

    def _without_page(
        self, finished: Finished, asked: tuple, make: Callable[[Task], Made]
    ) -> Iterator[Making | Made]:
        """The same, but it goes on when its page has gone, and is watched by who asks for it, too.

        `asked`: its kind, then what tells it from others of that kind.
        """

        def work(task: Task, _: Task | None) -> Made:
            with self._line.turn(task.stop, tell_ahead(task)):
                return make(task)

        asked = (asked[0], finished.key, *asked[1:])
        job = self.shelf.owner(finished.folder)
        yield from watched(self._makings.begin(job, work, self.callers.place(), asked, asked))


def tell_ahead(task: Task) -> Callable[[Wait], None]:
    """Tells how many visitors are served before, and for how long."""
    return lambda wait: task.tell((None, texts.ahead(wait.ahead, wait.seconds)))
