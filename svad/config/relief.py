"""The first clip and the first guess of the avatar, without weights."""

from __future__ import annotations

from dataclasses import dataclass

from svad.config.limits import SEEDS
from svad.core.ranges import Checked, within


@dataclass(frozen=True, kw_only=True)
class ReliefConfig(Checked):
    """The clip without weights, from the photo on the fitted body."""

    views: int = within(8, 0, 360)  # frames around the person
    seed: int = within(0, *SEEDS)  # of the grain on unseen cloth and hair
