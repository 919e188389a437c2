"""Vertex lists (hands, feet, head, eyes) of a body, read from its skinning weights."""

from __future__ import annotations

import numpy as np

LEFT_HAND = (20, *range(25, 40))
RIGHT_HAND = (21, *range(40, 55))
HEAD = (15, 22, 23, 24)
SKIN_OF = {
    "left_hand": LEFT_HAND,
    "right_hand": RIGHT_HAND,
    "head": HEAD,
    "left_eye": (23,),
    "right_eye": (24,),
    "left_foot": (7, 10),
    "right_foot": (8, 11),
}


def skin_regions(
    weights: np.ndarray,  # [V, 55] rows sum to 1
) -> dict[str, np.ndarray]:
    """Vertex ids by name: what the joints of a region move more than all others do."""
    return {
        name: np.flatnonzero(weights[:, list(joints)].sum(1) > 0.5)
        for name, joints in SKIN_OF.items()
    }
