"""Layered depth, closed: one layer per limb group, where it is, how deep, what weighs on it."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body.skeleton import ANKLES, ELBOWS, FEET, KNEES, SHOULDERS, WRISTS, Joint
from svad.core.ahead import ahead
from svad.media.fields import blur, pull_push
from svad.relief.behind_arms import behind_arms
from svad.relief.drape import flared, under_skirt
from svad.relief.hem import open_below
from svad.relief.hiding import in_order
from svad.relief.labels import PartMaps
from svad.relief.layer import Layer
from svad.relief.parts import Part
from svad.relief.skirt import Skirt
from svad.relief.surface import body_surface, closed
from svad.relief.weights import surface_weights

HELD_TO = 0.035  # of the body's height: half a hand with its wrist
PAD = 8  # px, margin of a layer's box


def build_layers(
    labels: np.ndarray,  # [H, W] int32
    drawn: list[PartMaps],
    weights: np.ndarray,  # [V, 22]
    rows: tuple[float, float],  # px, heights of the shoulder and the hip joints in the photo
    px_per_m: float,
    body_height: float,  # px
    skirt: Skirt | None = None,
) -> list[Layer]:
    """Cuts the person into closed layers and puts hidden surfaces behind what hides them."""
    inside = labels >= 0
    front = np.full(labels.shape, np.inf, np.float32)
    for p in drawn:
        front = np.minimum(front, np.where(p.weight > 0.5, p.maps.near, np.inf))
    shoulders_y, hips_y = rows
    whole = behind_arms(labels, drawn, hips_y, body_height)
    settled = whole != labels  # arm pixels below the waist

    def cut(i: int) -> Layer:
        p = drawn[i]
        own = labels == i
        extra = extra_mask(i, p, drawn, labels, front, inside)
        if p.part.is_torso:
            extra |= behind_hands(own, labels, shoulders_y, body_height)
        if skirt is not None and "leg" in p.part.name:
            extra = (extra & ~skirt.mask) | under_skirt(p, skirt)
        if "arm" in p.part.name:
            mask = _clean(own | extra, own)
        else:
            mask = _clean(own | (extra & ~settled), own) | (whole == i)
        bridge = hidden_bridge(p, own, labels, inside) if p.part.kind == "limb" else own & ~own
        mask |= bridge
        outline = _outline(p.part, mask, whole, drawn, body_height)
        box = bounding_box(mask | p.maps.covered, PAD)
        own, mask, bridge, outline = own[box], mask[box], bridge[box], outline[box]
        p = p.crop(box)
        sigma = 0.008 * body_height
        head = head_map(p, weights, sigma) if p.part.is_torso else 0.0
        surface = body_surface(p, mask, px_per_m, body_height, head)
        if skirt is not None and p.part.kind == "skirt":
            surface = flared(surface, p, mask, box, skirt, px_per_m, body_height)
            sigma = 0.04 * body_height
        near, far, _ = closed(surface.middle, surface.half, outline, px_per_m, head)
        near_w = surface_weights(p, surface.trusted, weights, sigma, far=False)
        far_w = surface_weights(p, surface.trusted, weights, sigma, far=True)
        if p.part.is_torso:
            y = shoulders_y - box[0].start
            near_w, far_w = (_without_limbs(w, own, y, px_per_m) for w in (near_w, far_w))
        return Layer(
            p.part, box, own, mask, bridge, outline, surface, head, near, far, near_w, far_w
        )

    layers = list(ahead(cut, range(len(drawn))))
    return in_order(layers, labels, shoulders_y, body_height, px_per_m)


def _outline(
    part: Part,
    mask: np.ndarray,  # [H, W] bool
    labels: np.ndarray,  # [H, W] int32
    drawn: list[PartMaps],
    body_height: float,  # px
) -> np.ndarray:  # [H, W] bool
    """The area whose edge is rounded: hips and waist are not, there trunk and legs are one.

    A skirt is open below, so its hem is not rounded either.
    """
    trunk = {"torso", "skirt"}
    is_leg = "leg" in part.name
    if part.kind == "limb" and not is_leg:
        return mask
    others = [
        k
        for k, q in enumerate(drawn)
        if q.part.kind in trunk or ("leg" in q.part.name and not is_leg and part.kind == "torso")
    ]
    out = mask | np.isin(labels, others)
    if part.kind == "skirt":
        out |= open_below(mask, body_height)
    return out


def head_map(
    p: PartMaps,
    weights: np.ndarray,  # [V, 22]
    sigma: float,  # px
) -> np.ndarray:  # [H, W] in 0..1
    """How much a pixel of the torso's layer is head, carried outward over hair and hats."""
    known = p.maps.covered & (p.weight > 0.5)
    share = p.maps.values(p.faces, weights[:, [Joint.HEAD]], far=True)[..., 0]
    return np.clip(blur(pull_push(share, known.astype(np.float32)), sigma), 0, 1)


def bounding_box(
    mask: np.ndarray,  # [H, W] bool
    pad: int,  # px
) -> tuple[slice, slice]:
    """Rows and columns of a mask with a margin; at least 4 x 4 pixels."""
    h, w = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return slice(0, min(4, h)), slice(0, min(4, w))
    return (
        slice(max(0, rows[0] - pad), min(h, rows[-1] + 1 + pad)),
        slice(max(0, columns[0] - pad), min(w, columns[-1] + 1 + pad)),
    )


def extra_mask(
    i: int,
    p: PartMaps,
    drawn: list[PartMaps],
    labels: np.ndarray,  # [H, W] int32, -1 outside the person
    front: np.ndarray,  # [H, W] metres, the nearest of all parts; inf = none
    inside: np.ndarray,  # [H, W] bool, the person
) -> np.ndarray:  # [H, W] bool
    """Overlap with the neighbours, and what other parts hide of this one."""
    covered = p.maps.covered & inside & (labels != i)
    behind = np.where(covered, p.maps.near, 0) - np.where(covered, front, 0)
    neighbours = np.isin(
        labels, [k for k, q in enumerate(drawn) if q.part.name in p.part.neighbours]
    )
    least = 0.3 if p.part.is_torso else 0.05  # a torso hanging into the legs would show as a flap
    overlap = covered & neighbours & (p.weight > least) & (behind < 0.015)
    hidden = covered & (p.weight > 0.55)
    if p.part.kind == "skirt":
        return overlap
    if p.part.kind == "limb":  # a limb is hidden only if the body says that something is before it
        hidden &= behind > 0.01
    return overlap | hidden


def behind_hands(
    own: np.ndarray,  # [H, W] bool, pixels that show the torso with its head
    labels: np.ndarray,  # [H, W] int32, -1 outside the person
    shoulders_y: float,  # px
    body_height: float,  # px
) -> np.ndarray:  # [H, W] bool
    """Hair goes on behind a hand that is held to the head, as far as it is seen on both sides."""
    radius = round(HELD_TO * body_height)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    above = own & (np.arange(len(own))[:, None] < shoulders_y)
    whole = np.pad(above, radius).astype(np.uint8)
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, kernel)[radius:-radius, radius:-radius] > 0
    return whole & (labels >= 0) & ~own


def _clean(mask: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Smooths what is hidden and drops pieces of it that hang on nothing."""
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2.5) > 0.5
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    hidden = cv2.morphologyEx((mask & ~own).astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    mask = own | (smooth & hidden)
    n, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    largest = int(stats[1:, cv2.CC_STAT_AREA].max()) if n > 1 else 0
    for k in range(1, n):
        piece = pieces == k
        size = stats[k, cv2.CC_STAT_AREA]
        if size < largest and (piece & own).sum() < 0.3 * size and size < 0.25 * largest:
            mask = mask & ~piece
    return mask


def _without_limbs(
    weights: np.ndarray,  # [H, W, 22]
    own: np.ndarray,  # [H, W] bool
    shoulders_y: float,
    px_per_m: float,
) -> np.ndarray:  # [H, W, 22]
    """Arms stop to pull at the torso a hand's breadth below the shoulders."""
    below = (np.arange(own.shape[0], dtype=np.float32) - shoulders_y) / px_per_m
    keep = np.clip((0.075 - below) / 0.075, 0, 1)[:, None] * own
    out = weights.copy()
    out[..., SHOULDERS] *= keep[..., None]
    out[..., [*ELBOWS, *WRISTS]] = 0
    out[..., [*KNEES, *ANKLES, *FEET]] = 0
    return out / np.maximum(out.sum(-1, keepdims=True), 1e-6)


def hidden_bridge(
    p: PartMaps,
    own: np.ndarray,  # [H, W] bool, pixels of the photo that show the limb
    labels: np.ndarray,  # [H, W] int32, -1 outside the person
    inside: np.ndarray,  # [H, W] bool, the person
) -> np.ndarray:  # [H, W] bool
    """Hidden pixels between two seen pieces of a limb: a wrist behind the flare of a skirt."""
    n, pieces, stats, _ = cv2.connectedComponentsWithStats(own.astype(np.uint8), connectivity=8)
    large = [k for k in range(1, n) if stats[k, cv2.CC_STAT_AREA] > 60]
    none = np.zeros(own.shape, bool)
    if len(large) < 2:
        return none
    candidates = p.maps.covered & (p.weight > 0.55) & inside & (labels >= 0) & ~own
    count, gaps = cv2.connectedComponents(candidates.astype(np.uint8), connectivity=8)
    out = none
    for k in range(1, count):
        gap = gaps == k
        grown = cv2.dilate(gap.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        if len({int(v) for v in np.unique(pieces[grown])} & set(large)) >= 2:
            out = out | gap
    return out
