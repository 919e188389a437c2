"""Follows one person through the frames of a clip: the largest at first, then the nearest."""

from __future__ import annotations

import numpy as np

from svad.footage.eyes import Eyes
from svad.track.seen import Box, Glimpse

ROOM = 0.25  # of a box's longer side, that a person may move into between two frames
OVERLAP = 0.2  # of two boxes' union, below which they are not the same person's
PATIENCE = 1.0  # seconds after which a lost person may come back anywhere
STARTS = 12  # frames in which somebody must be found


class Follower:
    """Finds the same person in frame after frame."""

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._box: Box | None = None
        self._when = 0.0
        self.others = 0  # further people beside the one who is followed

    def see(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        time: float,  # seconds
    ) -> Glimpse | None:
        """The person in the next frame."""
        if self._box is None:
            first = self._eyes.person(rgb)
            if first is None:
                return None
            self.others = max(self.others, first[1])
            # the quick look's points are those of all later frames
            return self._keep(self._eyes.body(rgb, grown(first[0].box, rgb)) or first[0], time)
        glimpse = self._eyes.body(rgb, grown(self._box, rgb))
        if glimpse is not None and overlap(glimpse.box, self._box) >= OVERLAP:
            return self._keep(glimpse, time)
        if time - self._when > PATIENCE:
            again = self._eyes.person(rgb)
            if again is not None:
                return self._keep(again[0], time)
        return None

    def _keep(self, glimpse: Glimpse, time: float) -> Glimpse:
        self._box, self._when = glimpse.box, time
        return glimpse


def grown(
    box: Box,
    rgb: np.ndarray,  # [H, W, 3] uint8
) -> Box:
    """The box with room to move in, inside the picture."""
    height, width = rgb.shape[:2]
    room = int(ROOM * max(box[2] - box[0], box[3] - box[1])) + 8
    return (
        max(0, box[0] - room),
        max(0, box[1] - room),
        min(width, box[2] + room),
        min(height, box[3] + room),
    )


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    wide = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    tall = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    both = wide * tall
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return both / max(areas - both, 1)
