"""The 55 joints of SMPL-X by name, and their parents."""

from __future__ import annotations

FINGERS = {"index": 2, "middle": 3, "pinky": 5, "ring": 4, "thumb": 1}

JOINTS = (
    *("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2"),
    *("left_ankle", "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar"),
    *("right_collar", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "jaw", "left_eye", "right_eye"),
    *(f"{side}_{name}{i}" for side in ("left", "right") for name in FINGERS for i in (1, 2, 3)),
)
_BODY_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
PARENTS = (
    *_BODY_PARENTS,
    *(15, 15, 15),
    *(p for wrist, first in ((20, 25), (21, 40)) for f in range(5) for p in (
        wrist, first + 3 * f, first + 3 * f + 1)),
)  # fmt: skip
