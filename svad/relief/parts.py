"""The limb groups a person is cut into, so that each can move without tearing the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TORSO_JOINTS = (0, 3, 6, 9, 12, 13, 14, 15, 22, 23, 24)
HIPS = (1, 2)
SHOULDERS = (16, 17)
LEFT_HAND = (20, *range(25, 40))
RIGHT_HAND = (21, *range(40, 55))


@dataclass(frozen=True)
class Part:
    """One limb group: it is drawn, filled and closed by itself."""

    name: str
    joints: tuple[int, ...]  # joints whose skin belongs to the part
    bones: tuple[tuple[int, int], ...]  # (start, end) joints along the limb, empty for the torso
    neighbours: tuple[str, ...]  # parts it is connected with
    kind: str = "limb"  # torso (with neck and head) | limb | skirt

    @property
    def is_torso(self) -> bool:
        """The torso with neck and head."""
        return self.kind == "torso"


def parts_for(
    rotations: np.ndarray,  # [55, 3] axis-angle
    *,
    limit: float = 0.8,  # radians; an elbow or knee bent more splits the limb in two
) -> tuple[Part, ...]:
    """The parts for a pose: torso with head, arms, legs.

    A limb is one part while it is nearly straight (no seam at the elbow or knee) and two when it
    is bent, because a bent one may cover itself.
    """
    limbs: list[Part] = []
    for side, hip, knee, ankle, foot, shoulder, elbow, wrist, hand in (
        ("left", 1, 4, 7, 10, 16, 18, 20, LEFT_HAND),
        ("right", 2, 5, 8, 11, 17, 19, 21, RIGHT_HAND),
    ):
        limbs += _limb(f"{side}_arm", (shoulder, elbow, wrist), hand, rotations[elbow], limit)
        limbs += _limb(f"{side}_leg", (hip, knee, ankle), (ankle, foot), rotations[knee], limit)
    limbs.sort(key=lambda part: "leg" in part.name)
    beside = tuple(p.name for p in limbs if "torso" in p.neighbours)
    return (Part("torso", TORSO_JOINTS, (), (*beside, "skirt"), "torso"), *limbs)


def _limb(
    name: str,
    chain: tuple[int, int, int],
    end: tuple[int, ...],
    bend: np.ndarray,  # [3] axis-angle of the joint in the middle
    limit: float,
) -> list[Part]:
    root, middle, tip = chain
    upper, lower = (root, middle), (middle, tip)
    if np.linalg.norm(bend) <= limit:
        return [Part(name, (root, middle, *end), (upper, lower), ("torso",))]
    return [
        Part(f"{name}_upper", (root,), (upper,), ("torso", f"{name}_lower")),
        Part(f"{name}_lower", (middle, *end), (lower,), (f"{name}_upper",)),
    ]
