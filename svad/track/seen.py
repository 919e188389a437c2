"""What a detector saw of one person in many pictures, as the tracking takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from svad.body import coco
from svad.body.coco import MIRROR

STATURE = 1.66  # metres, of the mean body; brings the detector's depths and pixels to one scale
_SURE = (0.3, 0.8)  # scores that count nothing, and fully
_AT_EDGE = 0.05  # trust in what lies outside the picture


Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels, x1 and y1 exclusive


@dataclass(frozen=True)
class Glimpse:
    """One person in one picture, as a detector sees them."""

    keypoints: np.ndarray  # [133, 3] x px, y px, score; COCO-WholeBody order
    depth: np.ndarray  # [133] metres relative to the hips, smaller = nearer; nan = unknown
    soft: np.ndarray  # [H, W] float32, soft person mask
    box: Box  # around the person


@dataclass(frozen=True)
class Seen:
    """Landmarks and mattes of T pictures of one person."""

    keypoints: np.ndarray  # [T, 133, 3] x px, y px, score; COCO-WholeBody order
    depth: np.ndarray  # [T, 133] metres relative to the hips, smaller = nearer; nan = unknown
    matte: np.ndarray  # [T, H, W] uint8
    time: np.ndarray  # [T] seconds, rising; nan = a picture for itself
    height: float | None = None  # px, the standing height where more pictures tell it

    @staticmethod
    def of(
        glimpses: Sequence[Glimpse],  # T
        time: Sequence[float] | np.ndarray,  # [T]
        shape: tuple[int, int],  # px, height and width of the pictures
    ) -> Seen:
        """What was glimpsed; without mattes, which cost more."""
        return Seen(
            keypoints=np.stack([g.keypoints for g in glimpses]),
            depth=np.stack([g.depth for g in glimpses]),
            matte=np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (len(glimpses), *shape)),
            time=np.asarray(time, np.float64),
        )

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def trust(self) -> np.ndarray:  # [T, 23] 0..1
        """How far the points of body and feet are to be believed."""
        x, y, score = np.moveaxis(self.keypoints[:, coco.BODY_AND_FEET].astype(np.float64), -1, 0)
        height, width = self.matte.shape[1:]
        slack = 0.02 * height
        inside = (x > -slack) & (x < width + slack) & (y > -slack) & (y < height + slack)
        low, high = _SURE
        return np.clip((score - low) / (high - low), 0, 1) * np.where(inside, 1.0, _AT_EDGE)

    @property
    def unit(self) -> float:
        """The standing height in pixels: that of one body before one camera, so one for all."""
        if self.height is not None:
            return self.height
        points = self.keypoints[..., :2].astype(np.float64)

        def middle(pair: tuple[int, int]) -> np.ndarray:
            return points[:, list(pair)].mean(1)

        torso = np.linalg.norm(middle(coco.SHOULDERS) - middle(coco.HIPS), axis=-1)
        legs = [
            np.linalg.norm(points[:, a] - points[:, b], axis=-1)
            + np.linalg.norm(points[:, b] - points[:, c], axis=-1)
            for a, b, c in coco.LEGS.values()
        ]
        guesses = np.stack([torso / 0.29, *(leg / 0.475 for leg in legs)])
        return max(float(np.median(guesses.max(0))), 16.0)

    @property
    def upside_down(self) -> bool:
        """Whether the hips are above the shoulders most of the time."""
        points = self.keypoints
        hips, shoulders = (points[:, list(p), 1].mean(1) for p in (coco.HIPS, coco.SHOULDERS))
        return bool(np.median(hips - shoulders) < 0)

    def mirrored(
        self,
        swap: np.ndarray,  # [T] bool
    ) -> Seen:
        """Left and right of the body's points exchanged in some pictures."""
        order = np.array([*MIRROR, *range(len(MIRROR), coco.COUNT)])
        points, depth = self.keypoints.copy(), self.depth.copy()
        points[swap] = points[swap][:, order]
        depth[swap] = depth[swap][:, order]
        return replace(self, keypoints=points, depth=depth)


def across(seen: Seen) -> np.ndarray:  # [T, 2, 2]
    """From the right to the left shoulder, then hip, metres: across the picture, and in depth.

    The lengths hang on the body, the direction on where it looks.
    """
    points, depth = seen.keypoints.astype(np.float64), seen.depth.astype(np.float64)
    rows = []
    for left, right in (coco.SHOULDERS, coco.HIPS):
        flat = (points[:, left, 0] - points[:, right, 0]) / seen.unit * STATURE
        rows.append(np.stack([flat, depth[:, left] - depth[:, right]], -1))
    return np.stack(rows, 1)
