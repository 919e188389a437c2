"""Blurred fingers: pixels that mix a bare hand with the plain cloth behind it are the hand's."""

from __future__ import annotations

import cv2
import numpy as np

from svad.media.fields import blur, grown, masked_blur
from svad.relief.hand_pixels import Hand
from svad.relief.labels import without_holes

FEWEST = 20  # px of bare hand that tell its colour
REACH = 0.014  # of the body's height, as far as a hand's blurred fingers reach
AROUND = 0.02  # of it, standard deviation of the surroundings that tell the clean cloth's colour
KNOWN = 0.02  # share of clean cloth in them, from which they tell it
PLAIN = 0.2  # of the cloth's brightness, by which plain cloth differs in itself at most
APART = 0.14  # sine between both colours, 8 degrees: nearer ones are hues of one; white is at 11
SKIN = (0.35, 0.5)  # of skin in a mixture, from which it is a finger's among fingers, or beside
OFF = 0.12  # of a pixel's brightness, by which a mixture may miss it
DARK = 0.15  # brightness that this is at least a share of: black is no mixture of anything


def with_fingers(
    labels: np.ndarray,  # [H, W] int32, -1 outside the person
    part: int,  # the hand's
    arms: np.ndarray,  # [H, W] bool, pixels of any arm
    rgb: np.ndarray,  # [H, W, 3] float32, 0..1
    skin: np.ndarray,  # [H, W] bool, skin-coloured
    hand: Hand,
    body_height: float,  # px
) -> np.ndarray:  # [H, W] int32
    """The labels with blurred fingers, and what lies enclosed among them, as the hand's own.

    They are mixtures of the colours of the hand and of the cloth before which it hangs, and would
    stay as stains on it when the hand moves away. A hand's shade on the cloth stays: with the hand
    it would be a mitten. Raised hands and hands before patterned cloth are left alone.
    """
    mine = labels == part
    bare = mine & hand.area & skin
    if bare.sum() < FEWEST or hand.wrist[1] < hand.elbow[1]:
        return labels
    reach, sigma = round(REACH * body_height), AROUND * body_height
    clean = (labels >= 0) & ~grown(arms, reach) & ~skin
    cloth = masked_blur(rgb, clean, sigma)
    unrest = np.sqrt(masked_blur(np.square(rgb - cloth).sum(-1), clean, sigma))
    plain = unrest < PLAIN * np.linalg.norm(cloth, axis=-1)
    plain &= blur(clean.astype(np.float32), sigma) > KNOWN
    tone = np.median(rgb[bare], 0)
    plain &= _apart(cloth, tone) > APART
    _, finger, off = mixture(rgb, cloth, tone)
    near = grown(hand.area, reach) & (labels >= 0) & ~arms
    told = near & plain & (off < OFF * np.maximum(np.linalg.norm(rgb, axis=-1), DARK))
    taken = _touching(told & (finger > np.where(hand.area, *SKIN)), mine)
    whole = cv2.morphologyEx((taken | mine).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))
    taken |= near & (whole > 0)
    return without_holes(np.where(taken, part, labels).astype(np.int32), [part])


def _touching(pixels: np.ndarray, area: np.ndarray) -> np.ndarray:  # [H, W] bool
    """The pieces that touch an area."""
    _, pieces = cv2.connectedComponents(pixels.astype(np.uint8))
    return pixels & np.isin(pieces, pieces[grown(area, 1) & pixels])


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:  # [H, W], sine of the angle between
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other)
    return np.sqrt(1 - np.square((one @ other) / np.maximum(lengths, 1e-6)).clip(0, 1))


def mixture(
    rgb: np.ndarray,  # [H, W, 3]
    one: np.ndarray,  # [H, W, 3]
    other: np.ndarray,  # [3]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much of two colours makes each pixel, neither less than none, and what they miss.

    Non-negative least squares of two unknowns: [H, W] shares of both, [H, W] length of the rest.
    """
    aa, ab, bb = (one * one).sum(-1), (one * other).sum(-1), float((other * other).sum())
    ca, cb = (rgb * one).sum(-1), (rgb * other).sum(-1)
    det = np.maximum(aa * bb - ab * ab, 1e-6)
    a, b = (ca * bb - cb * ab) / det, (cb * aa - ca * ab) / det
    share = np.where(b < 0, ca / np.maximum(aa, 1e-6), np.maximum(a, 0))
    rest = np.where(a < 0, cb / max(bb, 1e-6), np.maximum(b, 0))
    off = np.linalg.norm(rgb - share[..., None] * one - rest[..., None] * other, axis=-1)
    return share, rest, off
