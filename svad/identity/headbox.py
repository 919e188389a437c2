"""The head's box, and whether its face can be tracked, from 68 face points and the matte."""

from __future__ import annotations

import numpy as np

from svad.core.errors import NothingToDo
from svad.face.landmarks import EYES, INNER, Ibug

# Lengths of an average adult head, mm (NASA-STD-3000, 50th percentile, rounded). Either is seen
# shortened when the head turns, so the one that gives the larger scale is believed.
EYES_APART = 90.0  # outer corners
EYES_TO_CHIN = 116.0
HEAD = 182.0  # root of width times height, chin to crown
SMALLEST, SMALL = 32.0, 100.0  # px of the face: not tracked below; fewer get a warning
SEEN = 0.9  # share of the points that must lie in the picture and on the person
ON_PERSON = 64  # matte value
PROFILE = 0.3  # of the eyes' distance to the chin, least distance between the eyes' corners


def head_box(points: np.ndarray) -> np.ndarray:  # [68, 2] px -> [4] px
    """The square of the head's size around its middle.

    A head's middle, seen from the front, is at the height of the eyes; seen from aside it moves
    towards the ears, where the contour begins.
    """
    eyes, ears = points[EYES].mean(0), points[[Ibug.RIGHT_EAR, Ibug.LEFT_EAR]].mean(0)
    half = HEAD / 2 * _scale(points)
    middle = np.array([ears[0], (eyes[1] + ears[1]) / 2])
    return np.concatenate([middle - half, middle + half])


def face_size(points: np.ndarray) -> float:  # [68, 2] px -> px
    """The longer side of the box around the points."""
    return float(np.ptp(points, axis=0).max())


def require_face(
    points: np.ndarray | None,  # [68, 2] px
    matte: np.ndarray,  # [H, W] uint8
) -> np.ndarray:  # [68, 2] float64
    """The points, if they are of a face that can be tracked; else raises `NothingToDo`."""
    if points is None or not np.isfinite(points).all():
        raise NothingToDo("No face was found in the photo, so there is none to keep.")
    points = np.asarray(points, np.float64)
    height, width = matte.shape
    columns, rows = np.floor(points).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    seen = inside.copy()
    seen[inside] = matte[rows[inside], columns[inside]] >= ON_PERSON
    if seen[INNER].mean() < SEEN:
        raise NothingToDo("The face is cut off or covered in the photo, so it cannot be kept.")
    size = face_size(points)
    if size < SMALLEST:
        raise NothingToDo(
            f"The face is only {size:.0f} pixels large in the photo; from {SMALLEST:.0f} pixels "
            "on it can be kept."
        )
    if _apart(points) < PROFILE * _to_chin(points):
        raise NothingToDo(
            "The face is turned away too far in the photo to be kept; a photo from the front works."
        )
    return points


def size_warning(points: np.ndarray) -> tuple[str, ...]:  # [68, 2] px
    """A sentence when the face has few pixels."""
    size = face_size(points)
    if size >= SMALL:
        return ()
    return (
        f"The face is only {size:.0f} pixels large in the photo; the head is made from an "
        f"enlargement. A photo with a face of {SMALL:.0f} pixels or more gives a sharper one.",
    )


def _scale(points: np.ndarray) -> float:
    """Pixels per mm."""
    return max(_apart(points) / EYES_APART, _to_chin(points) / EYES_TO_CHIN)


def _apart(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[Ibug.RIGHT_EYE_OUTER] - points[Ibug.LEFT_EYE_OUTER]))


def _to_chin(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[EYES].mean(0) - points[Ibug.CHIN]))
