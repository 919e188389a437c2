"""Depth completion of a limb group: the body's surface carried to the clothes' outline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.media.fields import blur, masked_blur, nearest_known, pull_push
from svad.relief.labels import PartMaps

FLATTEST = 0.6  # depth of a trunk over its width
DEEPEST_HAND = 2.0  # widths: so deep is a hand that is seen from its edge
HAND_EVEN = 0.01  # of the body's height, over which the depth of a hand is evened out


@dataclass(frozen=True)
class Surface:
    """Middle and half thickness of a closed layer before it is rounded off at its outline."""

    middle: np.ndarray  # [H, W] metres from the camera
    half: np.ndarray  # [H, W] metres
    trusted: np.ndarray  # [H, W] bool, where the body itself says so


def outline_distance(mask: np.ndarray) -> np.ndarray:  # [H, W] float32 px
    """Distance to the nearest pixel outside; the border of the picture is not an outline."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)


def local_radius(distance: np.ndarray) -> np.ndarray:  # [H, W] px
    """Radius of the largest disc inside the mask that holds each pixel (local thickness)."""
    top = float(distance.max())
    radius = np.minimum(distance, 1.0)
    for r in np.geomspace(1.5, max(top, 1.6), 14):
        core = distance >= r * 0.995
        if not core.any():
            break
        reach = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 5)
        radius = np.where((reach <= r) & (distance > 0), r, radius)
    return blur(radius.astype(np.float32), 2.0)


def body_surface(
    drawn: PartMaps,
    mask: np.ndarray,  # [H, W] bool, all pixels of the layer
    px_per_m: float,
    body_height: float,  # px
    head: np.ndarray | float = 0.0,  # [H, W] share of the head: hair thickens it less than cloth
) -> Surface:
    """The body's middle and thickness where it is seen well, extended smoothly over the layer.

    Clothes wider than the body make the layer thicker; strands and hems beyond it stay thin.
    """
    body = drawn.maps.covered & (drawn.weight > 0.35)
    torso = drawn.part.is_torso
    inner = outline_distance(np.pad(body, 1))[1:-1, 1:-1]
    radius = local_radius(inner)
    trusted = body & (inner > np.minimum(0.6 * radius, (0.07 if torso else 0.03) * px_per_m))
    if trusted.sum() < 20:
        trusted = body if body.any() else drawn.maps.covered
    near = np.where(trusted, drawn.maps.near, 0).astype(np.float32)
    far = np.where(trusted, drawn.maps.far, 0).astype(np.float32)
    if torso:  # the bust and the belly button of the body are not those of the clothes
        sigma = 0.016 * body_height
        near, far = (np.where(trusted, masked_blur(x, trusted, sigma), 0) for x in (near, far))
    filled = pull_push(np.stack([(near + far) / 2, (far - near) / 2], -1), trusted)
    middle, half = filled[..., 0], filled[..., 1]
    cover = local_radius(outline_distance(mask))
    wide = drawn.maps.covered & (drawn.weight > 0.05)
    if (wide & mask).any():
        bare = local_radius(outline_distance(np.pad(wide, 1))[1:-1, 1:-1])
        width = pull_push(cover / np.maximum(bare, 1.0), (wide & mask).astype(np.float32))
        width = np.clip(blur(width, 0.01 * body_height), 0.9, 1.8)
        added = half * (0.6 - 0.35 * head) * (width - 1)
        half = half + added
        middle = middle + head * np.maximum(added, 0)  # hair hangs behind the face, not before it
    if torso:  # a trunk is never flatter than this, whatever the body behind loose clothes
        trunk = np.clip(1 - 2 * head, 0, 1)
        half = np.maximum(half, FLATTEST * trunk * blur(cover, 0.02 * body_height) / px_per_m)
    # strands, brims and ears are no thicker than they are wide
    loose = np.maximum(feather_out(body, 0.012 * body_height), head)
    limit = np.where(half > 1.6 * cover / px_per_m, 1.6 * cover / px_per_m, half)
    half = half * (1 - loose) + limit * loose
    if drawn.part.bones:
        middle, half = _round_hand(drawn, middle, half, cover / px_per_m, body_height)
    return Surface(middle.astype(np.float32), half.astype(np.float32), trusted)


def _round_hand(
    drawn: PartMaps,
    middle: np.ndarray,  # [H, W] metres
    half: np.ndarray,  # [H, W] metres
    radius: np.ndarray,  # [H, W] metres, local thickness of the layer
    body_height: float,  # px
) -> tuple[np.ndarray, np.ndarray]:  # [H, W] metres, [H, W] metres
    """Hands of an even depth and thickness, no thicker than twice as wide.

    The body's fingers do not lie on the photo's: their depths, taken pixel by pixel, would make a
    prism with thorns of a hand.
    """
    hand = drawn.maps.covered & (drawn.hand > 0.5)
    if not hand.any():
        return middle, half
    hand = nearest_known(hand, drawn.maps.covered)
    sigma = HAND_EVEN * body_height
    share = blur(hand.astype(np.float32), sigma)
    limit = np.minimum(half, DEEPEST_HAND * radius)
    even = (masked_blur(values, hand, sigma) for values in (middle, limit))
    both = zip((middle, half), even, strict=True)
    middle, half = (before * (1 - share) + after * share for before, after in both)
    return middle, half


def feather_out(
    mask: np.ndarray,  # [H, W] bool
    px: float,
) -> np.ndarray:  # [H, W] float32, 0..1
    """0 on the mask, rising to 1 over `px` pixels outside it."""
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return np.clip(distance / max(px, 1e-3), 0, 1).astype(np.float32)


def closed(
    middle: np.ndarray,  # [H, W] metres
    half: np.ndarray,  # [H, W] metres
    mask: np.ndarray,  # [H, W] bool
    px_per_m: float,
    head: np.ndarray | float = 0.0,  # [H, W] share of the head, which is round
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # near, far [H, W] metres, profile [H, W] 0..1
    """Rounds a layer off towards its outline with an elliptic profile, so that it closes."""
    distance = outline_distance(mask)
    wide = local_radius(distance)
    radius = np.minimum(half * px_per_m, wide * (1 + 0.35 * head))
    q = np.clip((distance - 0.5) / np.maximum(radius, 1.0), 0.0, 1)
    profile = np.sqrt(np.maximum(0, 1 - (1 - q) ** 2))
    return middle - half * profile, middle + half * profile, profile
