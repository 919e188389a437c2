"""A contact sheet of the chosen pictures: each with matte, skeleton and the side that is seen."""

from __future__ import annotations

import math

import cv2
import numpy as np

from svad.body.coco import VISIBLE
from svad.pose.overlay import overlay
from svad.types import Footage

MARGIN = 0.06  # of the person's size, around them
NARROWEST, WIDEST = 0.4, 1.6  # width / height of a cell
GAP = 2  # px between two cells
SMALLEST_WORDS = 88  # px, width of a cell below which only the dial tells the side
_GROUND, _INK, _FRONT = (24, 28, 40), (250, 250, 250), (125, 207, 195)
SIDES = ("front", "left", "back", "right")  # at yaw 0, 90, 180, 270 degrees


def strip(
    footage: Footage,
    width: int,  # px
) -> np.ndarray:  # [h, width, 3] uint8
    """All pictures in their order, row by row; the one taken for the front has a frame.

    The dial in a corner shows the person from above with the camera below: the hand points to where
    they face. The sheet is about as high as it is wide, whatever the number of pictures.
    """
    boxes, shape = _cuts(footage.matte, footage.keypoints)
    columns, cell = _grid(len(boxes), shape, width)
    height = round(cell / shape)
    rows = math.ceil(len(boxes) / columns)
    sheet = np.full((rows * (height + GAP) - GAP, width, 3), _GROUND, np.uint8)
    for k, box in enumerate(boxes):
        x, y = k % columns * (cell + GAP), k // columns * (height + GAP)
        sheet[y : y + height, x : x + cell] = _cell(footage, k, box, (cell, height))
    return sheet


def side_name(yaw: float) -> str:
    """A turn in radians (0 = front, growing towards the person's left) in a word, or degrees."""
    degrees = (math.degrees(yaw) + 180) % 360 - 180
    quarter = round(degrees / 90)
    if abs(degrees - 90 * quarter) <= 10:
        return SIDES[quarter % 4]
    return f"{'left' if degrees > 0 else 'right'} {abs(degrees):.0f}"


def _cuts(
    matte: np.ndarray,  # [T, H, W] uint8
    keypoints: np.ndarray,  # [T, 133, 3] x px, y px, score
) -> tuple[np.ndarray, float]:  # [T, 4] x0, y0, x1, y1 px, may lie outside; width / height
    """A box around the person in each picture, all of one size."""
    height, width = matte.shape[1:]
    found = []
    for one, points in zip(matte, keypoints, strict=True):
        x, y, w, h = cv2.boundingRect((one > 127).astype(np.uint8))
        seen = points[points[:, 2] > VISIBLE, :2]
        corners = np.concatenate([seen, [(x, y), (x + w, y + h)] if w and h else seen[:0]])
        if not len(corners):
            corners = np.array([(0, 0), (width, height)])
        corners = np.clip(corners, 0, (width, height))
        found.append((corners.min(0), corners.max(0)))
    low, high = np.array(found, np.float64).transpose(1, 0, 2)
    wide, tall = (high - low).max(0) * (1 + 2 * MARGIN)
    tall = min(max(tall, wide / WIDEST), height)
    wide = float(np.clip(wide, NARROWEST * tall, WIDEST * tall))
    middle, half = (low + high) / 2, np.array((wide, tall)) / 2
    return np.concatenate([middle - half, middle + half], 1), wide / tall


def _grid(count: int, shape: float, width: int) -> tuple[int, int]:
    """Columns, and a cell's width in px: nearly a square, with few empty places."""

    def off(columns: int) -> float:
        rows = math.ceil(count / columns)
        empty = 1 - count / (columns * rows)
        return abs(math.log(columns * shape / rows)) + empty

    columns = min(range(1, count + 1), key=off)
    return columns, (width - GAP * (columns - 1)) // columns


def _cell(
    footage: Footage,
    k: int,
    box: np.ndarray,  # [4] x0, y0, x1, y1 px
    size: tuple[int, int],  # width, height px
) -> np.ndarray:  # [height, width, 3] uint8
    scale = np.array(size) / (box[2:] - box[:2])
    # pixel centres are at + 0.5: warpAffine counts them as whole numbers
    shift = -box[:2] * scale + 0.5 * scale - 0.5
    move = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]], np.float32)
    points = footage.keypoints[k].copy()
    points[:, :2] = (points[:, :2] - box[:2]) * scale
    shrunk = max(1, round(1 / scale.max()))
    picture = overlay(
        _moved(footage.rgb[k], move, size, shrunk),
        _moved(footage.matte[k], move, size, shrunk),
        points,
        None,
    )
    yaw = float(footage.yaw[k])
    _dial(picture, yaw)
    if size[0] >= SMALLEST_WORDS:
        _words(picture, side_name(yaw))
    if k == footage.front:
        edge = max(2, size[0] // 40)
        cv2.rectangle(picture, (0, 0), (size[0] - 1, size[1] - 1), _FRONT, edge * 2)
    return picture


def _moved(
    picture: np.ndarray,  # [H, W(, 3)] uint8
    move: np.ndarray,  # [2, 3]
    size: tuple[int, int],  # width, height px
    shrunk: int,  # how many px become one
) -> np.ndarray:  # [height, width(, 3)] uint8
    if shrunk > 1:
        picture = cv2.blur(picture, (shrunk, shrunk))
    return cv2.warpAffine(picture, move, size, flags=cv2.INTER_LINEAR)


def _dial(
    picture: np.ndarray,  # [h, w, 3] uint8, drawn into
    yaw: float,  # radians
) -> None:
    """The person from above, with the camera below: where they face."""
    height, width = picture.shape[:2]
    radius = max(5, round(0.11 * width))
    x, y = width - radius - 6, height - radius - 6
    line = max(1, radius // 8)
    cv2.circle(picture, (x, y), radius, _GROUND, -1, cv2.LINE_AA)
    cv2.circle(picture, (x, y), radius, _INK, line, cv2.LINE_AA)
    tip = (round(x - radius * math.sin(yaw)), round(y + radius * math.cos(yaw)))
    cv2.line(picture, (x, y), tip, _FRONT, 2 * line, cv2.LINE_AA)


def _words(
    picture: np.ndarray,  # [h, w, 3] uint8, drawn into
    text: str,
) -> None:
    height, width = picture.shape[:2]
    size = max(0.35, width / 260)
    place = (max(4, width // 30), height - max(6, width // 24))
    thin = max(1, round(1.6 * size))
    for color, line in ((_GROUND, 4 * thin), (_INK, thin)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, color, line, cv2.LINE_AA)
