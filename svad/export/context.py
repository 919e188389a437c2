"""What a writer of an export format is given: the avatar, ready to be drawn, and the progress."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from svad.body.poser import Poser
from svad.config.package import PackageConfig
from svad.export.options import MeshOptions
from svad.export.shapes import with_all_shapes
from svad.export.visemes import with_visemes
from svad.media.images import fit_within
from svad.motion.standing import a_pose
from svad.splat.gaussians import Gaussians
from svad.splat.render import spatial_order
from svad.types import Avatar, Report, SkinnedMesh, Subject

if TYPE_CHECKING:
    from svad.export.textured import Textured

THUMBNAIL = 320  # px, longest side of a progress picture
MESH = 0.98  # of a file with the textured mesh, for making that
SHOWN = 12  # every so many frames of a video one is shown


@dataclass(frozen=True, kw_only=True)
class ExportContext:
    """One avatar on its way into files; what is costly is made once, when first asked for."""

    avatar: Avatar
    size: tuple[int, int]  # width and height of the photo, px
    settings: PackageConfig
    card: Mapping[str, Any]  # the job card as it goes into the archive
    folder: Path  # the job folder, with the formats before this one in it
    progress: ExportProgress
    subject: Subject | None = None  # with the photo; None for an avatar that has none
    asked: MeshOptions = field(default_factory=MeshOptions)

    @cached_property
    def poser(self) -> Poser:
        """Puts the avatar into poses."""
        return Poser.of(self.avatar)

    @cached_property
    def standing(self) -> Gaussians:  # N
        """The avatar in the A-pose, its soles at y = 0."""
        avatar = self.avatar
        pose = a_pose(avatar.joints.cpu().numpy(), avatar.parents, len(avatar.expression_names))
        posed = self.poser(pose[0])
        soles = np.quantile(posed.means[:, 1].cpu().numpy(), 1e-3)  # a stray Gaussian counts not
        return replace(posed, means=posed.means - posed.means.new_tensor([0, soles, 0]))

    @cached_property
    def drawn(self) -> Gaussians:  # N
        """`standing` with neighbours in memory as in space, which is drawn faster."""
        return self.standing.select(spatial_order(self.standing.means))

    @cached_property
    def viewer_rig(self) -> bytes:
        """The compact avatar that the viewer moves."""
        from svad.export.viewer_rig import viewer_rig_bytes  # plays motions, slow to import

        return viewer_rig_bytes(self.avatar)

    @cached_property
    def shaped(self) -> tuple[SkinnedMesh, tuple[str, ...]]:
        """The avatar's mesh with every face shape that a file for other programs has; names."""
        return with_visemes(*with_all_shapes(self.avatar, self.avatar.mesh))

    @cached_property
    def textured(self) -> Textured:
        """The avatar as one closed mesh with a picture on it; takes half a minute."""
        from svad.export.textured import textured  # draws stills, which know this module

        def told(done: int, total: int, note: str, picture: np.ndarray | None = None) -> None:
            self.progress.reach(MESH * done / total, note)

        return textured(self.avatar, self.subject, self.asked.triangles, told)


class ExportProgress:
    """Counts the steps of all formats and tells them, also where some are written side by side.

    After one of them has failed, or was told to stop, the others hear of it at their next step, and
    so do those that wait for it.
    """

    def __init__(self, report: Report, total: int) -> None:
        self._report, self._total, self._done = report, total, 0
        self._format = threading.local()  # each thread writes one: its note and the steps left
        self._mutex = threading.Condition()
        self._written: set[str] = set()
        self._failure: BaseException | None = None

    @contextmanager
    def of(self, name: str, note: str, steps: int) -> Iterator[None]:
        """Writes one format in `steps` steps; its writer may tell them, or leave it to the end."""
        self._format.note, self._format.steps, self._format.left = note, steps, steps
        with self.failing():
            yield
            if self._format.left > 0:
                self._step(self._format.left)
        with self._mutex:
            self._written.add(name)
            self._mutex.notify_all()

    @contextmanager
    def failing(self) -> Iterator[None]:
        """What is raised inside ends the other formats as well."""
        try:
            yield
        except BaseException as error:
            with self._mutex:
                self._failure = self._failure or error
                self._mutex.notify_all()
            raise

    def wait_for(self, name: str) -> None:
        """Comes back when a format is written; raises what ended another."""
        with self._mutex:
            self._mutex.wait_for(lambda: name in self._written or self._failure is not None)
            if self._failure is not None:
                raise self._failure

    def reach(self, share: float, note: str) -> None:
        """Tells that so much of the format is done, 0..1, and what is next; hears of a stop."""
        past = self._format.steps - self._format.left
        steps = max(0, int(share * self._format.steps) - past)
        self._format.left -= steps
        self._told(note, steps)

    def next(
        self,
        picture: np.ndarray | None = None,  # [H, W, 3] uint8
    ) -> None:
        """One more step is done, as `picture` shows."""
        small = None if picture is None else fit_within(picture, THUMBNAIL, THUMBNAIL)
        self._step(1, small)

    def each(
        self,
        frames: Iterable[np.ndarray],  # T x [H, W, 3] uint8
    ) -> Iterator[np.ndarray]:  # T x [H, W, 3] uint8
        """Passes frames on, one step each; now and then one is shown."""
        for number, frame in enumerate(frames):
            self.next(frame if number % SHOWN == 0 else None)
            yield frame

    def _step(
        self,
        steps: int,
        picture: np.ndarray | None = None,  # [h, w, 3] uint8
    ) -> None:
        self._format.left -= steps
        self._told(self._format.note, steps, picture)

    def _told(
        self,
        note: str,
        steps: int = 0,
        picture: np.ndarray | None = None,  # [h, w, 3] uint8
    ) -> None:
        with self._mutex:  # so that what is told only grows
            if self._failure is not None:
                raise self._failure
            self._done += steps
            self._report(self._done, self._total, note, picture)
