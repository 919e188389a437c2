"""Face fusion: blends the face of a rendered head into one frame, or says why it cannot.

After SVAD (arXiv 2505.05475) section 3.2, with the losses of its program repaired: the head keeps
its aspect, is low-passed before it shrinks, gives all gradients of the face instead of 70 %, and
only a crop around the face is solved. `published_fusion` is the program's own way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.face.landmarks import INNER
from svad.geometry.sampling import smoothstep
from svad.geometry.similarity import disparity, fit_robust_similarity, for_opencv, move, scale_of
from svad.identity import align, published
from svad.identity.poisson import blend_gradients
from svad.identity.register import register

SMALLEST = 16.0  # px: a smaller face gains nothing
MARGIN = 0.35  # of the face's size, how far around the face colours are evened out
FEATHER = 0.08  # of the face's size, how wide the face's edge is
KEPT = 0.3  # of the face's size: light and shade wider than this stay the frame's
INSIDE = 0.9  # of the face's outline that must lie inside the picture
COVERED = 0.6  # of the outline that head and person must cover
SURE = 0.95  # coverage from which a head pixel holds no background
GAIN = (0.6, 1.6)  # limits of the exposure factor of a colour channel

NO_FACE = "no face found"
TOO_SMALL = "face too small"
AT_BORDER = "face at the border"
DISAGREE = "landmarks do not agree"
NO_FIT = "no alignment found"
NOT_COVERED = "head does not cover the face"


class NotFused(Exception):
    """A frame that keeps its own face; the text is the reason in a few words."""


@dataclass(frozen=True)
class Faces:
    """The landmarks of the head and of one frame, which belong together."""

    head: np.ndarray  # [68, 2] landmarks of the head, in its own pixels
    points: np.ndarray  # [68, 2] landmarks of the frame


@dataclass(frozen=True)
class Placement(Faces):
    """Where the head's face goes in one frame."""

    matrix: np.ndarray  # [2, 3] similarity, head pixels to frame pixels


def place(
    head: np.ndarray,  # [68, 2] landmarks in the head's picture
    frame: np.ndarray,  # [68, 2] landmarks in the frame
    shape: tuple[int, ...],  # (H, W, ...) of the frame
    max_disparity: float,
) -> Placement:
    """Aligns the head's face with the frame's.

    All points tell whether both sides show the same view (the outline tells best); those inside
    the face say where it goes. Raises `NotFused`: the face is too small or cut by the border, or
    the two sets differ by more than a similarity (another view, or a wrong detection).
    """
    size = align.face_size(frame)
    if size < SMALLEST:
        raise NotFused(TOO_SMALL)
    outline = published.hull_mask(np.rint(frame - np.min(frame, axis=0)), _room(frame), 1)
    if int(outline_mask(frame, shape).sum()) < INSIDE * int(outline.sum()):
        raise NotFused(AT_BORDER)
    if disparity(head, frame) > max_disparity:
        raise NotFused(DISAGREE)
    matrix = fit_robust_similarity(head[INNER], frame[INNER], align.TOLERANCE * size)
    if not np.isfinite(matrix).all() or scale_of(matrix) == 0:
        raise NotFused(NO_FIT)
    return Placement(head, frame, matrix)


def fuse(
    frame: np.ndarray,  # [H, W, 3] uint8 RGB
    head: np.ndarray,  # [h, w, 3] uint8 RGB over black
    coverage: np.ndarray,  # [h, w] float, 0..1
    placement: Placement,
    matte: np.ndarray | None = None,  # [H, W] uint8, the person; None = all
    strength: float = 1.0,  # 0..1, to fade a face in and out
) -> np.ndarray:  # [H, W, 3] uint8
    """The frame with the head's face; equal to the frame away from the face.

    Raises `NotFused` where the head, or the person, covers too little of the face's outline.
    """
    size = align.face_size(placement.points)
    matrix = register(placement.matrix, head, coverage, frame, placement.points)
    box = _box(placement.points, MARGIN * size, frame.shape)
    crop = frame[box]
    source, covered = _warp(head, coverage, matrix, box, crop.shape)
    mine = np.ones(crop.shape[:2], bool) if matte is None else matte[box] > 127
    outline = outline_mask(placement.points, frame.shape)[box] > 0
    theirs = outline_mask(move(placement.head, matrix), frame.shape)[box] > 0
    # on neither side may hair or background beside the face come in
    mask = solid(outline & theirs & mine & (covered > SURE))
    if mask.sum() < COVERED * outline.sum():
        raise NotFused(NOT_COVERED)
    width = max(2.0, FEATHER * size)
    inner = smoothstep(cv2.distanceTransform(_ringed(mask), cv2.DIST_L2, 5) / width)
    source = source * exposure(source, crop, inner)
    solved = blend_gradients(crop, source, inner, 1 / (KEPT * size) ** 2)
    # around the face the solution differs from the frame by an even tint only: it fades out
    outer = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    share = strength * smoothstep(1 - outer / (MARGIN * size)) * (mine | mask)
    mixed = crop + share[..., None] * (solved - crop)
    result = frame.copy()
    result[box] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return result


def published_fusion(
    frame: np.ndarray,  # [H, W, 3] uint8
    head: np.ndarray,  # [h, w, 3] uint8
    head_points: np.ndarray,  # [68, 2] landmarks in the head's own picture
    frame_points: np.ndarray,  # [68, 2]
) -> np.ndarray:  # [H, W, 3] uint8
    """The published way from end to end; raises `NotFused` where it keeps the frame."""
    stretch = np.array([frame.shape[1] / head.shape[1], frame.shape[0] / head.shape[0]])
    ours = np.floor(head_points * stretch).astype(int)
    theirs = np.floor(frame_points).astype(int)
    if disparity(theirs, ours) > published.DISPARITY:
        raise NotFused(DISAGREE)
    matrix, _ = published.robust_similarity(ours, theirs)
    if matrix is None:
        raise NotFused(NO_FIT)
    x, y, width, height = published.rectangle(theirs)
    if min(x, y) < 1 or x + width >= frame.shape[1] or y + height >= frame.shape[0]:
        raise NotFused(AT_BORDER)
    warped = published.warp(published.stretch(head, frame.shape), matrix)
    return published.clone(frame, warped, published.hull_mask(theirs, frame.shape))


def outline_mask(
    points: np.ndarray,  # [68, 2]
    shape: tuple[int, ...],  # (H, W, ...)
) -> np.ndarray:  # [H, W] uint8, 0 or 1
    """The outline of the landmarks, filled; what is outside the picture is cut."""
    return published.hull_mask(np.rint(points - 0.5), shape, 1)


def solid(
    mask: np.ndarray,  # [H, W] bool
) -> np.ndarray:  # [H, W] bool
    """The largest piece of a mask, without holes."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if count < 2:
        return mask
    piece = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    outside = np.pad(~piece, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(outside, connectivity=8)
    return (labels != labels[0, 0])[1:-1, 1:-1]


def exposure(
    source: np.ndarray,  # [H, W, 3]
    target: np.ndarray,  # [H, W, 3]
    weights: np.ndarray,  # [H, W]
) -> np.ndarray:  # [3]
    """How much brighter the target is, by channel: gradients scale with the light on a face.

    Means are compared, so that a blurred target does not cost contrast.
    """
    total = weights.sum()
    if total == 0:
        return np.ones(3)
    theirs, ours = (np.tensordot(weights, image, 2) / total for image in (target, source))
    return np.clip(theirs / np.maximum(ours, 1.0), *GAIN)


def _room(points: np.ndarray) -> tuple[int, int]:
    """(H, W) that holds the points when the smallest are at zero."""
    width, height = np.ceil(np.ptp(points, axis=0)).astype(int) + 2
    return int(height), int(width)


def _box(points: np.ndarray, margin: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns around the points, inside the picture."""
    low = np.maximum(np.floor(points.min(0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) + margin), (shape[1], shape[0])).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _warp(
    head: np.ndarray,  # [h, w, 3]
    coverage: np.ndarray,  # [h, w]
    matrix: np.ndarray,  # [2, 3] head to frame
    box: tuple[slice, slice],
    shape: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray]:  # [H, W, 3] float64, [H, W] float32
    """Head and coverage in a crop of the frame; area means first where the head shrinks."""
    local = matrix - np.array([[0, 0, box[1].start], [0, 0, box[0].start]])
    size = (shape[1], shape[0])
    picture, left = align.shrunk(head.astype(np.float32), local)
    source = cv2.warpAffine(picture, for_opencv(left), size, flags=cv2.INTER_CUBIC)
    cover, left = align.shrunk(np.asarray(coverage, np.float32), local)
    covered = cv2.warpAffine(cover, for_opencv(left), size, flags=cv2.INTER_LINEAR)
    return np.clip(source, 0, 255).astype(np.float64), covered


def _ringed(mask: np.ndarray) -> np.ndarray:  # [H, W] bool -> uint8
    """The mask with its outermost pixels off: they hold the border values of the solution."""
    inside = np.zeros(mask.shape, np.uint8)
    inside[1:-1, 1:-1] = mask[1:-1, 1:-1]
    return inside
