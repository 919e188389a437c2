"""Face landmarks by name: the 68 of iBUG (300-W) and the 478 of mediapipe's face mesh.

"Left" is the person's own left, which a picture from the front shows on its right.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Ibug(IntEnum):
    """Single points of the 68, usable as indices; the contour runs from the right ear."""

    RIGHT_EAR = 0
    CHIN = 8
    LEFT_EAR = 16
    RIGHT_BROW_MIDDLE = 19
    NOSE_BRIDGE = 27  # between the eyes
    NOSE_MIDDLE = 28
    NOSE_TIP = 30
    RIGHT_NOSTRIL = 31
    NOSE_BASE = 33
    LEFT_NOSTRIL = 35
    RIGHT_EYE_OUTER = 36
    RIGHT_EYE_INNER = 39
    LEFT_EYE_INNER = 42
    LEFT_EYE_OUTER = 45
    MOUTH_RIGHT = 48
    MOUTH_LEFT = 54
    INNER_MOUTH_RIGHT = 60
    INNER_MOUTH_LEFT = 64


IBUG = 68
CONTOUR = slice(0, 17)  # ear, chin, ear
INNER = slice(17, IBUG)  # brows, nose, eyes, mouth: sharper than points along the contour
RIGHT_BROW, LEFT_BROW = slice(17, 22), slice(22, 27)  # the right one from outside inward
BROWS = slice(17, 27)
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)  # around: corner, upper lid, corner, lower lid
EYES = slice(36, 48)
OUTER_LIPS, INNER_LIPS = slice(48, 60), slice(60, IBUG)
RIGHT_UPPER_LID, LEFT_UPPER_LID = (36, 37, 38, 39), (42, 43, 44, 45)  # as a picture has them
UPPER_INNER_LIP, LOWER_INNER_LIP = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)


class MeshPoint(IntEnum):
    """Single points of the face mesh, usable as indices."""

    UPPER_LIP = 0  # upper edge, on the middle line
    NOSE_TIP = 1
    NOSE_BASE = 2
    FOREHEAD = 10  # top of the mesh
    INNER_UPPER_LIP = 13
    INNER_LOWER_LIP = 14
    RIGHT_EYE_OUTER = 33
    MOUTH_RIGHT = 61
    RIGHT_JAW = 93
    RIGHT_TEMPLE = 127
    RIGHT_EYE_INNER = 133
    CHIN = 152
    RIGHT_EAR = 234
    LEFT_EYE_OUTER = 263
    MOUTH_LEFT = 291
    LEFT_JAW = 323
    LEFT_TEMPLE = 356
    LEFT_EYE_INNER = 362
    LEFT_EAR = 454
    RIGHT_IRIS = 468
    LEFT_IRIS = 473


MESH = 478
SKIN = slice(0, 468)  # the mesh without the irises, which triangles cover
IRISES = (MeshPoint.RIGHT_IRIS, MeshPoint.LEFT_IRIS)
EYE_CORNERS = (  # outer, inner; right eye first
    (MeshPoint.RIGHT_EYE_OUTER, MeshPoint.RIGHT_EYE_INNER),
    (MeshPoint.LEFT_EYE_OUTER, MeshPoint.LEFT_EYE_INNER),
)
SYMMETRIC = (  # right, left
    (MeshPoint.RIGHT_EYE_OUTER, MeshPoint.LEFT_EYE_OUTER),
    (MeshPoint.MOUTH_RIGHT, MeshPoint.MOUTH_LEFT),
    (MeshPoint.RIGHT_EAR, MeshPoint.LEFT_EAR),
    (MeshPoint.RIGHT_TEMPLE, MeshPoint.LEFT_TEMPLE),
    (MeshPoint.RIGHT_JAW, MeshPoint.LEFT_JAW),
    (MeshPoint.RIGHT_EYE_INNER, MeshPoint.LEFT_EYE_INNER),
)
CHEEKS = (50, 280, 101, 330, 205, 425, 117, 346)  # right and left in turn
WIDE_CHEEKS = (50, 280, 205, 425)
LIPS = (0, 11, 12, 14, 15, 16, 17, 37, 267, 84, 314)  # the red of both
UPPER_LIP_EDGE = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)  # where the lips meet
LOWER_LIP_EDGE = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# upper rim, lower rim, crease of the upper lid; from the outer corner inward, without the corners
RIGHT_LIDS = (
    (246, 161, 160, 159, 158, 157, 173),
    (7, 163, 144, 145, 153, 154, 155),
    (247, 30, 29, 27, 28, 56, 190),
)
LEFT_LIDS = (
    (466, 388, 387, 386, 385, 384, 398),
    (249, 390, 373, 374, 380, 381, 382),
    (467, 260, 259, 257, 258, 286, 414),
)
# well spread, steady points: eye corners and lids, brows, nose, mouth, cheeks, chin, forehead
STEADY = (
    *(33, 133, 362, 263, 159, 386, 145, 374, 70, 105, 107, 336, 334, 300, 168, 6, 197, 4, 2),
    *(98, 327, 61, 291, 0, 17, 152, 148, 377, 172, 397, 132, 361, 127, 356, 10, 109, 338, 50, 280),
)
# the 68 points of iBUG in the mesh
MESH_OF_IBUG = (
    *(127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)


def five_points(
    landmarks: np.ndarray,  # [68, C] iBUG
) -> np.ndarray:  # [5, C]
    """Middles of the eyes, tip of the nose, corners of the mouth, as a picture has them."""
    eyes = landmarks[RIGHT_EYE].mean(0), landmarks[LEFT_EYE].mean(0)
    return np.stack(
        [*eyes, landmarks[Ibug.NOSE_TIP], landmarks[Ibug.MOUTH_RIGHT], landmarks[Ibug.MOUTH_LEFT]]
    )
