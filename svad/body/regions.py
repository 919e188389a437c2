"""Vertex lists (hands, feet, head, eyes) of a body, read from its skinning weights."""

from __future__ import annotations

import numpy as np

from svad.body.skeleton import EYES, HANDS, HEAD_JOINTS, of_side

SKIN_OF = {
    "left_hand": HANDS["left"],
    "right_hand": HANDS["right"],
    "head": HEAD_JOINTS,
    "left_eye": EYES[:1],
    "right_eye": EYES[1:],
    "left_foot": of_side("left", "ankle", "foot"),
    "right_foot": of_side("right", "ankle", "foot"),
}


def skin_regions(
    weights: np.ndarray,  # [V, 55] rows sum to 1
) -> dict[str, np.ndarray]:  # [N] int64 each
    """Vertex ids by name: what the joints of a region move more than all others do."""
    return {
        name: np.flatnonzero(weights[:, list(joints)].sum(1) > 0.5)
        for name, joints in SKIN_OF.items()
    }
