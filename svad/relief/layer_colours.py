"""Colours of a layer's two sides: what hides it is taken away, its back is made of its front."""

from __future__ import annotations

import cv2
import numpy as np

from svad.media.fields import blur, masked_blur
from svad.relief.colour import extended, streaks
from svad.relief.layer import Layer
from svad.relief.limb_colours import limb_front
from svad.relief.prints import chest_alone
from svad.relief.shown import Shown
from svad.relief.texture import synthesised
from svad.relief.weights import head_share
from svad.relief.worn import Worn

NEAR = 4.0  # px from what is known, where the nearest colour is better than any patch
HEAD = 0.3  # share of the head above which the head's own texture takes over
GRAIN = 0.012  # standard deviation of the cloth of a limb's back
CALM = 0.02  # of the body's height: relief of bare skin that is not carried to the back


def layer_colours(
    layer: Layer,
    shown: Shown,
    worn: Worn | None,  # what a limb wears; None = trunk or skirt
    face_rgb: np.ndarray | None,  # [3] the face's colour
    body_height: float,  # px
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:  # front, back [h, w, 3]
    """The layer's front (the photo, completed under what hides it) and its back.

    The back is the front seen through the body, so that patterns, hems and folds go on around the
    flanks, without what the chest alone shows: that becomes cloth of the flanks.
    """
    if worn is not None:
        front = limb_front(layer, worn, shown, face_rgb, body_height, seed)
        grain = GRAIN * streaks(layer.mask.shape, seed, 2.5, 1.2)
        bare = layer.mask & worn.naked & (shown.bare | ~layer.own)
        return front, np.clip(_calmed(front, bare, body_height) + grain[..., None], 0, 1)
    front = _front(layer, shown, seed)
    share = (
        np.zeros(layer.mask.shape) if layer.part.kind == "skirt" else head_share(layer.far_weights)
    )
    cloth = layer.mask & (share < HEAD)
    alone = chest_alone(front, cloth, body_height)
    # patches come from what is seen: copies of what was completed would be copies of copies
    back = synthesised(front, cloth & shown.known & ~alone, alone, seed + 1)
    if shown.skin is not None:
        back = _calmed(back, shown.skin & cloth & ~alone, body_height)
    return front, back


def _front(layer: Layer, shown: Shown, seed: int) -> np.ndarray:  # [h, w, 3]
    """The photo, completed where something hides the trunk or a skirt."""
    front, known = extended(shown.rgb, shown.known), shown.known
    if known.any():
        away = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
        front = synthesised(front, known, layer.mask & ~layer.own & (away > NEAR), seed)
    return np.where(shown.pure[..., None], shown.rgb, front)


def _calmed(
    back: np.ndarray,  # [h, w, 3]
    skin: np.ndarray,  # [h, w] bool
    body_height: float,  # px
) -> np.ndarray:  # [h, w, 3]
    """A bare back has no chest, no navel, an arm's no shade of the trunk: skin keeps its tone."""
    if not skin.any():
        return back
    sigma = CALM * body_height
    smooth = masked_blur(back, skin, sigma)
    share = blur(skin.astype(np.float32), 1.5)[..., None] * skin[..., None]
    return back * (1 - share) + smooth * share
