"""Someone's head, from a photo to something that can be drawn in any frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from svad.body.flame import Flame
from svad.config.identity import HeadFitConfig
from svad.identity.driver import Driver
from svad.identity.fit import POINTS, project
from svad.identity.head import Head, HeadAvatar
from svad.identity.models import Models
from svad.identity.pictures import best_photo
from svad.identity.track import track
from svad.types import Report, Subject


@dataclass(frozen=True)
class Person:
    """A head with all that a driver needs to move it."""

    flame: Flame
    head: Head
    avatar: HeadAvatar
    shape: Tensor  # [1, 300]
    warnings: tuple[str, ...]  # sentences about the photo

    def vertices(self, driver: Driver, frames: Sequence[int]) -> Tensor:  # [T, V, 3]
        """FLAME's vertices in some frames."""
        expression, pose, eyes = (
            torch.from_numpy(rows[list(frames)])
            for rows in (driver.expression, driver.pose, driver.eyes)
        )
        rest = self.flame.express(self.flame.identity(self.shape), expression)
        return self.flame.pose(rest, pose, eyes)

    def landmarks(self, driver: Driver, frames: Sequence[int]) -> np.ndarray:  # [T, 68, 2] px
        """Where the landmarks are in the head's own picture: known, not detected."""
        points = self.flame.landmarks(self.vertices(driver, frames), eyelids=True)
        cameras = torch.from_numpy(driver.camera[list(frames)])
        side = self.head.sizes.refiner.image
        return project(points[:, POINTS], cameras, size=side).double().numpy()

    def draw(
        self, driver: Driver, frames: Sequence[int], report: Report
    ) -> tuple[np.ndarray, np.ndarray]:  # [T, h, w, 3] uint8 over black, [T, h, w] float32 0..1
        """The head in some frames, with what it covers."""
        vertices, cameras = self.vertices(driver, frames), driver.camera[list(frames)]
        drawn = self.head.render(self.avatar, vertices, cameras, report)
        return drawn.rgb, drawn.alpha.astype(np.float32) / 255


def make_person(subject: Subject, models: Models, config: HeadFitConfig, report: Report) -> Person:
    """Tracks the photo and builds its head; raises `NothingToDo` if the face cannot be seen."""
    rgb, matte, points = best_photo(subject)
    tracked = track(rgb, matte, points, models.track, report, config)
    avatar = models.head.build(tracked.crop, tracked.shape, tracked.camera)
    return Person(
        flame=models.track.flame,
        head=models.head,
        avatar=avatar,
        shape=tracked.shape[None],
        warnings=tracked.warnings,
    )
