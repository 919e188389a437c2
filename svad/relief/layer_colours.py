"""Colours of a limb's two sides: what hides it is taken away, its back is made of its front."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body.skeleton import ANKLES, ELBOWS, FEET, KNEES, WRISTS
from svad.media.fields import blur
from svad.relief.colour import extended, streaks
from svad.relief.layer import Layer
from svad.relief.texture import synthesised

SURE = 0.9  # matte above which a pixel's colour is the person's alone
ALONE = 9  # px, box around a pixel that shows nothing but the layer
NEAR = 4.0  # px from what is known, where the nearest colour is better than any patch
GRAIN = 0.012  # standard deviation of the cloth of a limb's back
HAND = 0.5  # share of a wrist above which a limb is hand
HAND_SEEN = 80  # px of a hand that tell its colour
BARE = 0.4  # share of skin from which on a hand has no glove, an arm no sleeve
# place along a limb, in bones from its root
OUTWARD = ((1.0, (*ELBOWS, *KNEES)), (2.0, (*WRISTS, *ANKLES, *FEET)))
LAST = 0.95  # of the seen pixels, from the root outward: where a limb goes out of sight
END = 0.25  # of the seen pixels: so many of the outermost tell how a limb goes on out of sight
TOWARDS = 0.5  # bones that the way to what is hidden counts, where weights do not tell


def limb_colours(
    layer: Layer,
    rgb: np.ndarray,  # [h, w, 3] float32, the photo in the layer's box
    matte: np.ndarray,  # [h, w] float32
    skin: np.ndarray | None,  # [h, w] bool, skin-coloured; None = no face was found
    face_rgb: np.ndarray | None,  # [3] the face's colour
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:  # front, back [h, w, 3]
    """The limb's front (the photo, completed under what hides it) and its back."""
    pure, known = seen_alone(layer.own, matte)
    front = extended(rgb, known)
    if known.any():
        away = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
        shown = np.where(pure[..., None], rgb, front)
        front, beyond = _beyond(shown, layer, pure, skin)
        hidden = layer.mask & ~layer.own & (away > NEAR) & ~beyond
        front = synthesised(front, known, hidden, seed)
    front = np.where(pure[..., None], rgb, front)
    if skin is not None and face_rgb is not None:
        front = _with_hand(front, layer, known, skin, face_rgb)
    grain = GRAIN * streaks(layer.mask.shape, seed, 2.5, 1.2)
    return front, np.clip(front + grain[..., None], 0, 1)


def seen_alone(
    own: np.ndarray,  # [h, w] bool, pixels of the photo that show a layer
    matte: np.ndarray,  # [h, w] float32
) -> tuple[np.ndarray, np.ndarray]:  # [h, w] bool, [h, w] bool
    """Pixels in its colours alone, and those well inside it."""
    sure = cv2.erode((matte > SURE).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    pure = own & sure
    known = pure & (cv2.erode(own.astype(np.uint8), np.ones((ALONE, ALONE), np.uint8)) > 0)
    return pure, known if known.sum() > 50 else pure


def _beyond(
    front: np.ndarray,  # [h, w, 3]
    layer: Layer,
    seen: np.ndarray,  # [h, w] bool
    skin: np.ndarray | None,  # [h, w] bool
) -> tuple[np.ndarray, np.ndarray]:  # [h, w, 3], [h, w] bool
    """What is farther out than all that is seen of a limb goes on as that ends: bare or as sleeve.

    Patches from all over the limb would put a short sleeve on the forearm behind the back. A bare
    end is often a narrow strip beside a belt, so it has one colour.
    """
    weights = layer.near_weights
    along = np.zeros(layer.mask.shape, np.float32)
    for place, ends in OUTWARD:
        along += place * weights[..., list(ends)].sum(-1)
    last = np.quantile(along[seen], LAST)
    beyond = layer.mask & ~layer.own & (along > last)
    if not beyond.any():
        return front, beyond
    at = np.moveaxis(np.indices(seen.shape), 0, -1)
    way = at[beyond].mean(0) - at[seen].mean(0)
    outward = along + TOWARDS * (at @ way) / max(way @ way, 1.0)
    end = seen & (outward >= np.quantile(outward[seen], 1 - END))
    bare = end & (skin if skin is not None else False)
    if bare.sum() > BARE * end.sum():
        return np.where(beyond[..., None], np.median(front[bare], 0), front), beyond
    return np.where(beyond[..., None], extended(front, end), front), beyond


def _with_hand(
    front: np.ndarray,  # [h, w, 3]
    layer: Layer,
    known: np.ndarray,  # [h, w] bool
    skin: np.ndarray,  # [h, w] bool
    face_rgb: np.ndarray,  # [3]
) -> np.ndarray:  # [h, w, 3]
    """A hand under a sleeve or in a pocket is no sleeve: it has the colour of what is seen of it.

    Nothing seen: the face's.
    """
    hand = layer.near_weights[..., list(WRISTS)].sum(-1) > HAND
    hidden = hand & layer.mask & ~layer.own
    if not hidden.any():
        return front
    seen = hand & known
    if seen.sum() < HAND_SEEN:
        colour = np.broadcast_to(face_rgb.astype(np.float32), front.shape)
    else:
        bare = seen & skin
        colour = extended(front, bare if bare.sum() > BARE * seen.sum() else seen)
    share = np.clip(2 * blur(hidden.astype(np.float32), 1.5), 0, 1)[..., None]
    share = share * ~layer.own[..., None]
    return front * (1 - share) + colour * share
