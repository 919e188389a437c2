"""Face identity: the photo's face, as a turning Gaussian head, in the frames that show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from svad.body.model import BodyModel
from svad.config.identity import IdentityConfig
from svad.core.errors import MissingFile, NothingToDo
from svad.core.progress import part
from svad.face.projection import KnownFace
from svad.identity import select
from svad.identity.driver import Driver, head_yaw, make_driver
from svad.identity.fusion import Faces, NotFused
from svad.identity.locate import Detect, locate
from svad.identity.method import method_of
from svad.identity.models import Models
from svad.identity.person import Person, make_person
from svad.identity.pictures import close_up, turntable
from svad.types import PHOTO_WEIGHT, Clip, Report, Subject

TRACKING = 20  # steps of the progress before the frames, of which each has two
BLENDING = "blending failed"
Left = dict[int, str]  # index of a frame that keeps its own face -> reason


class IdentityStage:
    """Builds the person's head and fuses its face into the frames of a clip."""

    def __init__(
        self,
        config: IdentityConfig,
        models: Callable[[], Models],  # see `svad.identity.models.lazy_models`
        body: BodyModel,  # the one the subject was fitted with
        detect: Detect | None = None,  # finds a frame's landmarks; None = where the pose has them
    ) -> None:
        self._config, self._models, self._body, self._detect = config, models, body, detect
        self._method = method_of(config)

    def run(self, subject: Subject, clip: Clip, report: Report) -> Clip:
        """The clip with the photo's face; a frame that cannot be fused stays as it was.

        Such frames are counted and named in the last note. Raises `NothingToDo` when a file is
        missing, when the photo does not show the face well enough, and when no frame does.
        """
        report(0, 1, "looking for frames that show the face")
        parents = tuple(self._body.parents)
        driver = make_driver(clip.poses, clip.cameras, subject.body.joints, parents)
        strengths, left = self._choose(clip, driver)
        count = len(driver) - len(left)
        if not count:
            raise NothingToDo("No frame shows the face, so there is none to bring the photo's to.")
        total = TRACKING + 2 * count
        person = self._person(subject, part(report, 0, TRACKING, total))
        report(TRACKING, total, "head built")
        found = self._pairs(
            subject, clip, driver, person, left, part(report, TRACKING, total - count, total)
        )
        rest = part(report, total - count, total, total)
        rgb, views = self._fused(clip, driver, person, found, strengths, left, rest)
        notes = [select.summary(len(rgb), left), *person.warnings]
        report(total, total, ". ".join(notes), turntable(views))
        return replace(clip, rgb=rgb)

    def _choose(self, clip: Clip, driver: Driver) -> tuple[np.ndarray, Left]:  # [T] 0..1
        """How strongly each frame takes the new face, and which ones do not at all."""
        strengths = self._method.strengths(head_yaw(driver.camera), self._config)
        left: Left = {}
        for i in range(len(driver)):
            if not driver.valid[i]:
                left[i] = select.OUT_OF_VIEW
            elif strengths[i] <= 0:
                left[i] = self._method.unchosen
            elif clip.weight[i] >= PHOTO_WEIGHT:
                left[i] = select.PHOTO
        return strengths, left

    def _person(self, subject: Subject, report: Report) -> Person:
        report(0, 1, "loading the head's networks")
        try:
            models = self._models()
        except MissingFile as error:
            raise NothingToDo(f"The frames keep their own faces: {error}") from error
        return make_person(subject, models, self._config.fit, report)

    def _pairs(
        self,
        subject: Subject,
        clip: Clip,
        driver: Driver,
        person: Person,
        left: Left,  # gets the frames without a face, or with another view of it
        report: Report,
    ) -> dict[int, Faces]:
        """Both sides' landmarks of every frame that can be fused, before anything is drawn."""
        known = KnownFace(self._body, subject.body)
        chosen = [i for i in range(len(driver)) if i not in left]
        heads = person.landmarks(driver, chosen)
        pairs = {}
        for done, (i, head) in enumerate(zip(chosen, heads, strict=True)):
            report(done, len(chosen), f"looking for the face, frame {i} of {len(driver)}")
            try:
                where = known.landmarks(clip.poses[i], clip.cameras[i])
                frame = locate(clip.rgb[i], where, self._detect)
                pairs[i] = self._method.place(head, frame, clip.rgb[i].shape, self._config)
            except NotFused as reason:
                left[i] = str(reason)
        return pairs

    def _fused(
        self,
        clip: Clip,
        driver: Driver,
        person: Person,
        pairs: dict[int, Faces],
        strengths: np.ndarray,  # [T]
        left: Left,  # gets the frames in which blending fails
        report: Report,
    ) -> tuple[np.ndarray, list[tuple[float, np.ndarray]]]:
        """All frames [T, H, W, 3], and the heads that were drawn, with their yaw."""
        rgb, views, order = clip.rgb.copy(), [], list(pairs)
        for start in range(0, len(order), self._config.batch):
            batch = order[start : start + self._config.batch]
            share = part(report, start, start, len(order))  # keeps its place while a batch is drawn
            heads, coverages = person.draw(driver, batch, share)
            for i, head, coverage in zip(batch, heads, coverages, strict=True):
                views.append((float(head_yaw(driver.camera[i])), head))
                try:
                    rgb[i] = self._one(clip, i, head, coverage, pairs[i], float(strengths[i]))
                except NotFused as reason:
                    left[i] = str(reason)
                note = f"fusing the face, frame {i} of {len(rgb)}"
                report(len(views), len(order), note, close_up(rgb[i], pairs[i].points))
        return rgb, views

    def _one(
        self,
        clip: Clip,
        index: int,
        head: np.ndarray,  # [h, w, 3] uint8
        coverage: np.ndarray,  # [h, w]
        faces: Faces,
        strength: float,
    ) -> np.ndarray:  # [H, W, 3] uint8
        frame = clip.rgb[index]
        try:
            matte = clip.matte[index]
            return self._method.fuse(frame, head, coverage, faces, matte, strength)
        except (cv2.error, np.linalg.LinAlgError) as error:
            raise NotFused(BLENDING) from error
