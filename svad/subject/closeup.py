"""A close-up crop of the head from the original photo, denser than the working picture."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body.coco import HEAD
from svad.subject.evidence import body_height
from svad.subject.frame import Frame
from svad.subject.keypoints import moved
from svad.subject.matte import refine
from svad.subject.scene import face_inside
from svad.types import Closeup, Photo


def head_closeup(
    photo: Photo,  # the original
    frame: Frame,  # how the working picture lies in it
    matte: np.ndarray,  # [H, W] uint8, working size
    keypoints: np.ndarray,  # [133, 3] working pixels
    face: np.ndarray | None,  # [478, 3] working pixels
    density: int,
    alpha_given: bool,  # the matte is the file's own transparency
) -> tuple[Closeup | None, np.ndarray]:  # close-up, the matte [H, W] made to agree with it
    """Cut out head, hair and hat at `density` pixels per working pixel."""
    box = head_box(matte, keypoints, face)
    if box is None:
        return None, matte
    x0, y0, x1, y1 = box
    size = ((x1 - x0) * density, (y1 - y0) * density)
    rgb = _resample(photo.rgb, frame, box, size)
    coarse = cv2.resize(
        matte[y0:y1, x0:x1].astype(np.float32) / 255, size, interpolation=cv2.INTER_CUBIC
    )
    if alpha_given and photo.alpha is not None:
        fine = np.clip(_resample(photo.alpha, frame, box, size), 0, 255)
        fine = np.where(coarse > 0.02, fine, 0).astype(np.uint8)  # what was dropped stays dropped
    else:
        inside = face_inside(moved(keypoints, (x0, y0), density), rgb.shape)
        fine = refine(rgb, np.clip(coarse, 0, 1), inside, band=2 * density)
    result = matte.copy()
    result[y0:y1, x0:x1] = _joined(matte[y0:y1, x0:x1], fine)
    return Closeup(rgb=rgb, matte=fine, box=box, density=density), result


def head_box(
    matte: np.ndarray,  # [H, W] uint8
    keypoints: np.ndarray,  # [133, 3] px
    face: np.ndarray | None,  # [478, 3] px
) -> tuple[int, int, int, int] | None:
    """Head with hair and hat, down to the collar, in working pixels."""
    height, width = matte.shape
    unit = body_height(keypoints, keypoints[:, 2])
    if face is not None:
        low, high = face[:, :2].min(0), face[:, :2].max(0)
    else:
        points = keypoints[HEAD, :2]
        low, high = points.min(0) - 0.03 * unit, points.max(0) + (0.03 * unit, 0.06 * unit)
    middle, tall = 0.5 * (low + high), max(float((high - low).max()), 8.0)
    bottom = high[1] + 0.45 * tall
    left, right = middle[0] - 1.6 * tall, middle[0] + 1.6 * tall
    head = np.zeros(matte.shape, bool)
    rows = slice(max(0, int(middle[1] - 1.9 * tall)), max(0, int(high[1])))
    columns = slice(max(0, int(left)), max(0, int(right)))
    head[rows, columns] = matte[rows, columns] > 16
    ys, xs = np.where(head)
    if not len(ys):
        return None
    pad = 0.12 * tall
    x0, x1 = min(xs.min(), low[0]) - pad, max(xs.max(), high[0]) + pad
    box = (max(0, int(x0)), max(0, int(ys.min() - pad)), min(width, int(x1) + 1))
    bottom = min(height, int(bottom) + 1)
    if box[2] - box[0] < 4 or bottom - box[1] < 4:
        return None
    return box[0], box[1], box[2], bottom


def _resample(
    image: np.ndarray,  # the original, [H, W] or [H, W, C]
    frame: Frame,
    box: tuple[int, int, int, int],  # working pixels
    size: tuple[int, int],  # width, height of the result
) -> np.ndarray:
    """A working-pixel box of the original at another density, pixel edges aligned."""
    fx = (frame.box[2] - frame.box[0]) / frame.width
    fy = (frame.box[3] - frame.box[1]) / frame.height
    step_x, step_y = fx * (box[2] - box[0]) / size[0], fy * (box[3] - box[1]) / size[1]
    if max(step_x, step_y) > 1.5:  # the original is denser: average before sampling
        sigma = 0.4 * max(step_x, step_y)
        x0, y0 = int(frame.box[0] + box[0] * fx), int(frame.box[1] + box[1] * fy)
        x1, y1 = int(frame.box[0] + box[2] * fx) + 2, int(frame.box[1] + box[3] * fy) + 2
        image = image.copy()
        part = image[max(0, y0 - 2) : y1, max(0, x0 - 2) : x1]
        part[...] = cv2.GaussianBlur(part, (0, 0), sigma)
    matrix = np.array(
        [
            [step_x, 0, frame.box[0] + box[0] * fx + 0.5 * step_x - 0.5],
            [0, step_y, frame.box[1] + box[1] * fy + 0.5 * step_y - 0.5],
        ]
    )
    return cv2.warpAffine(
        image,
        matrix,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _joined(coarse: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """The fine matte at the working size, blended into the coarse one at the lower border."""
    small = cv2.resize(fine, coarse.shape[1::-1], interpolation=cv2.INTER_AREA)
    rows = np.arange(coarse.shape[0])[::-1, None]
    blend = np.clip(rows / max(4, 0.08 * coarse.shape[0]), 0, 1)
    return (small * blend + coarse * (1 - blend) + 0.5).astype(np.uint8)
