"""The photo's face on generated frames."""

from __future__ import annotations

from dataclasses import dataclass

from svad.config.limits import RATE, WEIGHT
from svad.core.ranges import Checked, within


@dataclass(frozen=True, kw_only=True)
class HeadFitConfig(Checked):
    """The fit of camera and eyes to a tracked head, as published (GAGAvatar tracker)."""

    steps: int = within(300, 1, 10_000)
    rotation_rate: float = within(5e-4, *RATE)  # Adam, of the first two rows
    translation_rate: float = within(0.1, *RATE)  # FLAME metres times 5
    eyes_rate: float = within(1e-3, *RATE)  # radians
    mesh: float = within(25.0, *WEIGHT)  # weights of the terms
    inner: float = within(10.0, *WEIGHT)
    points: float = within(80.0, *WEIGHT)
    eyes: float = within(25.0, *WEIGHT)


@dataclass(frozen=True, kw_only=True)
class IdentityConfig(Checked):
    """The photo's face, as a turning Gaussian head, in the frames that show it."""

    # degrees between camera and face; frames beyond it keep their face
    max_yaw: float = within(75.0, 0, 180)
    fade: int = within(3, 0, 1000)  # frames before that limit over which the new face fades out
    # Procrustes disparity of the two sets of 68 landmarks; SVAD: 0.01, with one detector for both.
    # Between two kinds of landmarks a face differs from itself by up to 0.02, and by 0.05 from
    # itself turned by 20 degrees.
    max_disparity: float = within(0.03, 0, 10)
    batch: int = within(8, 1, 1000)  # heads drawn together
    fit: HeadFitConfig = HeadFitConfig()  # of the tracked head's camera and eyes
    strict: bool = False  # True = selection and blending exactly as published, losses included
