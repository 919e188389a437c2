"""The limb groups a person is cut into, so that each can move without tearing the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svad.body.skeleton import ARMS, COLLARS, HANDS, HEAD_JOINTS, LEGS, SIDES, SPINE, Joint

TORSO_JOINTS = (Joint.PELVIS, *SPINE, Joint.NECK, *COLLARS, *HEAD_JOINTS)


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
    for side in SIDES:
        _, *arm = ARMS[side]
        *leg, foot = LEGS[side]
        limbs += _limb(f"{side}_arm", arm, HANDS[side], rotations, limit)
        limbs += _limb(f"{side}_leg", leg, (leg[-1], foot), rotations, limit)
    limbs.sort(key=lambda part: "leg" in part.name)
    beside = tuple(p.name for p in limbs if "torso" in p.neighbours)
    return (Part("torso", TORSO_JOINTS, (), (*beside, "skirt"), "torso"), *limbs)


def _limb(
    name: str,
    chain: Sequence[int],  # three joints: two bones
    end: tuple[int, ...],
    rotations: np.ndarray,  # [55, 3] axis-angle
    limit: float,
) -> list[Part]:
    root, middle, tip = chain
    upper, lower = (root, middle), (middle, tip)
    if np.linalg.norm(rotations[middle]) <= limit:
        return [Part(name, (root, middle, *end), (upper, lower), ("torso",))]
    return [
        Part(f"{name}_upper", (root,), (upper,), ("torso", f"{name}_lower")),
        Part(f"{name}_lower", (middle, *end), (lower,), (f"{name}_upper",)),
    ]
