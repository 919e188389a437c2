"""Where arms lie over the rest of the person: whose a pixel at their edge is, what is under it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from svad.media.fields import grown, nearest_known
from svad.relief.colour import steady_lab
from svad.relief.surface import outline_distance

SURE = 0.5  # matte of what is the person
OUTLINE = 5.0  # px along the person's outline where splats may move to fit it
LAP = 1.5  # px from the edge of an arm over the trunk, that have no back
EDGE = 2  # px beside an edge of labels, within which the photo's own edge is looked for
APART = 12.0  # in Lab: colours that tell both sides of an edge apart
EVEN = 1.0  # px over which the new edge is evened out


def off_outline(
    alpha: np.ndarray,  # [H, W] the matte
) -> np.ndarray:  # [H, W] bool
    """Pixels too far inside the person for the fit of the outline; the picture ends it, too."""
    return _depth(alpha > SURE) > OUTLINE


def lap_of(
    mask: np.ndarray,  # [H, W] bool, the layer
    alpha: np.ndarray,  # [H, W] the matte
) -> np.ndarray:  # [H, W] bool
    """The edge of a layer that lies over others."""
    return mask & (_depth(mask) <= LAP) & off_outline(alpha)


def _depth(mask: np.ndarray) -> np.ndarray:  # [H, W] px, inside a mask that ends with the picture
    return outline_distance(np.pad(mask, 1))[1:-1, 1:-1]


def with_photo_edges(
    labels: np.ndarray,  # [H, W] int32, -1 outside the person
    arms: Sequence[int],  # numbers of their parts
    rgb: np.ndarray,  # [H, W, 3] uint8
) -> np.ndarray:  # [H, W] int32
    """The labels, their edges around arms on those of the photo.

    A pixel within `EDGE` of an edge goes to the side whose colours, next to it and farther in, are
    nearer to its own. A hand that took a line of the trousers along would keep it when it is moved.
    """
    arm, other = np.isin(labels, arms), (labels >= 0) & ~np.isin(labels, arms)
    band = grown(arm, EDGE) & grown(other, EDGE) & (labels >= 0)
    inner = arm & ~band, other & ~band
    if not band.any() or not all(side.any() for side in inner):
        return labels
    lab = steady_lab(rgb)
    theirs = [nearest_known(lab, side) for side in inner]
    to_arm, to_other = (np.linalg.norm(lab - one, axis=-1) for one in theirs)
    told = band & (np.linalg.norm(theirs[0] - theirs[1], axis=-1) > APART)
    looks = np.where(told, to_arm < to_other, arm).astype(np.float32)
    is_arm = np.where(told, cv2.GaussianBlur(looks, (0, 0), EVEN) > 0.5, arm)
    nearest = [nearest_known(labels, known & ~told) for known in (arm, other)]
    return np.where(is_arm != arm, np.where(is_arm, *nearest), labels).astype(np.int32)
