"""The files a person takes home."""

from __future__ import annotations

from dataclasses import dataclass

from svad.config.limits import SIDE
from svad.core.ranges import Checked, within


@dataclass(frozen=True, kw_only=True)
class PackageConfig(Checked):
    """The files a person takes home."""

    turntable_frames: int = within(80, 1, 10_000)  # at 24 frames/s: 3.3 s
    turntable_height: int = within(720, *SIDE)  # px
    views: int = within(0, 0, 360)  # still views around the A-pose; 0 = none
    view_height: int = within(720, *SIDE)  # px, of the still views and poses
    # Gaussians in the copy for the page: 32 bytes each, under 8 MB
    viewer_limit: int = within(240_000, 1000, 10_000_000)
