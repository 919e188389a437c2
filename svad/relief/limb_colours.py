"""Colours of an arm or leg: what the photo hides of it has the material of its place."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.media.fields import blur, masked_blur
from svad.relief.colour import calmed, extended, streaks
from svad.relief.layer import Layer
from svad.relief.shown import Shown
from svad.relief.texture import synthesised, whole_patches
from svad.relief.worn import TIP, Seen, Worn

ENOUGH = 80  # px of a material that tell how it goes on
PATCHES = 200  # whole patches from which on a limb's own cloth goes on as its texture
ALIKE = 6.0  # in Lab: the same cloth
SOFT = 1.5  # px over which what was made goes over into what was seen
GRAIN = 0.012  # standard deviation of the cloth of a limb's back
SHADING = 0.004  # of the body's height over which skin is evened out
EVEN = 0.7  # of the way from a limb's light to the person's, for skin that is not seen
AROUND = 0.006  # of the body's height from what is seen, and from the outline, over which it grows


def limb_colours(
    layer: Layer,
    worn: Worn,
    shown: Shown,
    face_rgb: np.ndarray | None,  # [3] the face's colour
    skin_rgb: np.ndarray | None,  # [3] that of the person's arms; None = skin stays as it is lit
    body_height: float,  # px
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:  # front, back [h, w, 3]
    """The limb's front and its back.

    The front is the photo, completed with sleeve where the limb is clothed, with skin where it is
    bare. The back is the front with the grain of cloth, and with skin of an even tone. The light
    on what is seen tells little of that on what is not: there skin tends to that of both arms.
    """
    hidden = layer.mask & ~layer.own
    front = extended(shown.rgb, shown.known)
    along, others = worn.others.place[:, 0], worn.others
    cloth = hidden & worn.clothed
    if cloth.any():
        source = _with_shirt(shown, _enough(shown, worn.clothed & ~shown.bare))
        theirs = others.select(~others.bare & (along < worn.end))
        front = _joined(front, cloth, _textured(shown, worn, source, cloth, theirs, seed))
    tip = hidden & worn.tip
    if tip.any():
        source, theirs = _enough(shown, worn.tip), others.select(along >= TIP)
        front = _joined(front, tip, _textured(shown, worn, source, tip, theirs, seed))
    skin = ~worn.clothed & ~worn.tip
    if (hidden & skin).any():
        source = _enough(shown, skin & shown.bare)
        theirs = others.select(others.bare & (along >= worn.end))
        tone = _tone(shown, source, theirs, face_rgb, SHADING * body_height)
        away = cv2.distanceTransform((~layer.own).astype(np.uint8), cv2.DIST_L2, 5)
        share = np.clip(away / (AROUND * body_height), 0, 1)
        tone = _evened(tone, hidden & skin, share, skin_rgb)
        front = _joined(front, hidden & skin, tone)
    front = np.where(shown.pure[..., None], shown.rgb, front)
    grain = GRAIN * streaks(layer.mask.shape, seed, 2.5, 1.2)
    bare = layer.mask & worn.naked & (shown.bare | ~layer.own)
    back = calmed(front, bare, body_height)
    inside = cv2.distanceTransform(layer.mask.astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip(inside / (AROUND * body_height), 0, 1)
    back = _evened(back, bare, share, skin_rgb)
    return front, np.clip(back + grain[..., None], 0, 1)


def _evened(
    rgb: np.ndarray,  # [h, w, 3]
    skin: np.ndarray,  # [h, w] bool
    share: np.ndarray,  # [h, w] 0..1, how far a pixel is from where it must agree with the photo
    wanted: np.ndarray | None,  # [3] the skin's colour on the whole
) -> np.ndarray:  # [h, w, 3]
    """Skin nearer to its colour on the whole, the more so the farther it is from what is seen."""
    if wanted is None:
        return rgb
    share = EVEN * np.where(skin, share, 0)[..., None]
    return rgb * (1 - share) + wanted * share


def _enough(
    shown: Shown,
    wanted: np.ndarray,  # [h, w] bool
) -> np.ndarray:  # [h, w] bool
    """Pixels that show a material; where it is narrow, those near the layer's outline too."""
    inner = shown.known & wanted
    return inner if inner.sum() >= ENOUGH else shown.pure & wanted


def _with_shirt(
    shown: Shown,
    sleeve: np.ndarray,  # [h, w] bool
) -> np.ndarray:  # [h, w] bool
    """The sleeve's pixels and those of the trunk that wear the same cloth."""
    beside = shown.trunk & ~shown.bare
    if sleeve.sum() < ENOUGH or not beside.any():
        return sleeve
    lab = cv2.cvtColor(shown.rgb, cv2.COLOR_RGB2LAB)
    away = cKDTree(lab[sleeve]).query(lab[beside], workers=-1)[0]
    out = sleeve.copy()
    out[beside] = away < ALIKE
    return out


def _textured(
    shown: Shown,
    worn: Worn,
    source: np.ndarray,  # [h, w] bool, where the layer itself shows the cloth
    fill: np.ndarray,  # [h, w] bool
    theirs: Seen,  # where other layers do
    seed: int,
) -> np.ndarray:  # [h, w, 3]
    """Cloth of the limb's own patches; of a strip too narrow for them, that of the other side."""
    if not source.any() and not len(theirs.rgb):
        return extended(shown.rgb, shown.known)
    own = extended(shown.rgb, source)
    if whole_patches(source).sum() >= PATCHES or not len(theirs.rgb):
        return synthesised(own, source, fill, seed)
    out = own.copy()
    out[fill] = theirs.at(worn.place[fill])
    return out


def _tone(
    shown: Shown,
    source: np.ndarray,  # [h, w] bool, where the layer itself shows skin
    theirs: Seen,  # where other layers do
    face_rgb: np.ndarray | None,  # [3]
    sigma: float,  # px
) -> np.ndarray:  # [h, w, 3]
    """Skin as it is lit on the limb itself; else its colour on the other side, or the face's."""
    if source.sum() >= ENOUGH or (face_rgb is None and not len(theirs.rgb)):
        skin = extended(shown.rgb, source if source.any() else shown.known)
        return masked_blur(skin, np.ones(source.shape), sigma)
    tone = np.median(theirs.rgb, 0) if len(theirs.rgb) >= ENOUGH or face_rgb is None else face_rgb
    return np.broadcast_to(tone.astype(np.float32), shown.rgb.shape)


def _joined(
    front: np.ndarray,  # [h, w, 3]
    fill: np.ndarray,  # [h, w] bool
    made: np.ndarray,  # [h, w, 3]
) -> np.ndarray:  # [h, w, 3]
    """What was made in its place, going over softly into what is beside it."""
    share = np.clip(2 * blur(fill.astype(np.float32), SOFT), 0, 1)[..., None]
    return front * (1 - share) + made * share
