"""Which pictures an avatar is made from."""

from __future__ import annotations

from dataclasses import dataclass

from svad.config.limits import SIDE
from svad.core.ranges import Checked, within


@dataclass(frozen=True, kw_only=True)
class FootageConfig(Checked):
    """Which pictures of a clip, or of several photos, an avatar is made from."""

    frames: int = within(60, 2, 1000)  # chosen of a clip, evenly over the sides that are seen
    height: int = within(540, *SIDE)  # px of the frames, never enlarged
    candidates: int = within(240, 8, 5000)  # frames of a clip that are looked at
