"""Face selection: which face of a frame is restored, and why one is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.geometry.similarity import scale_of
from svad.restoration.align import CROP, TEMPLATE, distances, similarity

# An eye distance under this share of the way from eyes to mouth (1 from the front) is a profile,
# for which no similarity fits: about 66 degrees.
NARROWEST = 0.4
ODDEST = 75.0  # px of the crop, root mean square; five points this far from a face are none
STRETCH = 1.2  # sides of the known face's square; a face found farther off is somebody else's

NOT_FOUND = "no face found"
CUT = "cut by the border"
SMALL = "too small"
ASIDE = "seen from too far aside"


@dataclass(frozen=True)
class FramedFace:
    """The person's face in one frame."""

    frame: int
    matrix: np.ndarray  # [2, 3] frame to crop, px with whole-numbered centres


def nearest(
    rows: np.ndarray,  # [N, 15] of the detector
    known: np.ndarray,  # [5, 2] px, where the body's face is
) -> np.ndarray | None:  # [5, 2]
    """The five points of the face found nearest to the body's; None if none is near it."""
    if not len(rows):
        return None
    points = rows[:, 5:].reshape(-1, 5, 2)
    away = np.linalg.norm(points.mean(1) - known.mean(0), axis=1)
    matrix = similarity(known)
    side = CROP / scale_of(matrix) if matrix is not None else np.inf
    best = int(away.argmin())
    return points[best] if away[best] <= STRETCH * side else None


def framed(
    frame: int,
    points: np.ndarray | None,  # [5, 2] px, pixel centres at whole numbers
    matte: np.ndarray,  # [H, W] uint8 of that frame
    smallest: float,  # px, side of the square around a face
) -> FramedFace | str:
    """The face to restore, or in a few words why it is left as it is."""
    if points is None or not np.isfinite(points).all():
        return NOT_FOUND
    height, width = matte.shape
    inside = ((points >= 0) & (points <= (width - 1, height - 1))).all(1)
    if not inside.all():
        return CUT if inside.any() else NOT_FOUND
    column, row = np.rint(points).astype(int).T
    if np.count_nonzero(matte[row, column] > 127) < 3:
        return NOT_FOUND
    down = np.linalg.norm(points[:2].mean(0) - points[3:].mean(0))
    frontal = np.linalg.norm(TEMPLATE[0] - TEMPLATE[1]) / np.linalg.norm(
        TEMPLATE[:2].mean(0) - TEMPLATE[3:].mean(0)
    )
    if np.linalg.norm(points[0] - points[1]) < NARROWEST * frontal * down:
        return ASIDE
    matrix = similarity(points)
    if matrix is None or np.sqrt((distances(points, matrix) ** 2).mean()) > ODDEST:
        return NOT_FOUND
    if CROP / scale_of(matrix) < smallest:
        return SMALL
    return FramedFace(frame, matrix)
