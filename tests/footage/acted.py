"""Clips and photos of cardboard people, and eyes that can read what is painted on them.

A person is a card in two colours under a band that tells who it is (green) and which side is seen
(red): H.264 keeps it, so a fake detector finds in every picture what a real one would.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from svad.body import coco
from svad.core.errors import Stopped
from svad.media.video import write_mp4
from svad.track.seen import Box, Glimpse
from tests.footage.turning import JOINTS
from tests.helpers import tiny_joints

WIDTH, HEIGHT = 160, 200
CARD = 5  # heights of the band
TALL = 0.9  # of the card, that the joints between head and ankle fill
CLOTHES = (((190, 60, 50), (40, 60, 150)), ((60, 170, 60), (230, 210, 60)))  # shirts, trousers
FACED = 0.9  # radians from the front, up to which a face is seen
ANN, BOB = 60, 200  # what green tells


@dataclass(frozen=True)
class Card:
    """One person in one picture."""

    yaw: float  # radians
    x: int  # px, the middle
    top: int = 20  # px
    height: int = 150  # px
    who: int = ANN
    clothes: int = 0  # place in `CLOTHES`

    @property
    def box(self) -> Box:
        half = max(self.height // 7, 5)
        return self.x - half, self.top, self.x + half, self.top + self.height


def paint(
    cards: Sequence[Card], width: int = WIDTH, height: int = HEIGHT, wall: int = 150
) -> np.ndarray:  # [H, W, 3] uint8
    """The cards before a wall with some texture, the first behind."""
    rgb = np.full((height, width, 3), wall, np.uint8)
    rgb[::16] = rgb[:, ::16] = wall + 20
    for card in cards:
        x0, y0, x1, y1 = card.box
        band = card.height // CARD
        middle = y0 + (card.height + band) // 2
        code = round(128 + 100 * ((card.yaw + np.pi) % (2 * np.pi) - np.pi) / np.pi)
        for first, last, color in (
            (y0, y0 + band, (code, card.who, 0)),
            (y0 + band, middle, CLOTHES[card.clothes][0]),
            (middle, y1, CLOTHES[card.clothes][1]),
        ):
            rgb[first:last, max(x0, 0) : x1] = color
    return rgb


def film(path: Path, pictures: Sequence[np.ndarray], fps: float = 10) -> Path:
    write_mp4(path, pictures, fps=fps, crf=8)
    return path


class PaintedEyes:
    """Reads the cards; as real ones, from what a part of the picture shows, the largest first."""

    def __init__(self, upside_down: bool = False, stop_at: int = -1) -> None:
        self.upside_down, self.stop_at, self.cut_out = upside_down, stop_at, 0
        self._counting = threading.Lock()  # frames are cut out by two threads

    def person(self, rgb: np.ndarray) -> tuple[Glimpse, int] | None:
        found = self._found(rgb)
        return (found[0], len(found) - 1) if found else None

    def body(self, rgb: np.ndarray, box: Box | None) -> Glimpse | None:
        x0, y0, x1, y1 = box or (0, 0, *rgb.shape[1::-1])
        part = np.full_like(rgb, 150)
        part[y0:y1, x0:x1] = rgb[y0:y1, x0:x1]
        found = self._found(part)
        return found[0] if found else None

    def sharp(self, rgb: np.ndarray, glimpse: Glimpse) -> tuple[np.ndarray, np.ndarray]:
        with self._counting:
            self.cut_out += 1
            if self.cut_out == self.stop_at:
                raise Stopped
        return glimpse.keypoints, (glimpse.soft * 255).astype(np.uint8)

    def has_face(self, rgb: np.ndarray, keypoints: np.ndarray) -> bool:
        sides = [read(rgb, who) for who in (ANN, BOB)]
        return any(one is not None and abs(one[1]) < FACED for one in sides)

    def _found(self, rgb: np.ndarray) -> list[Glimpse]:
        found = [one for who in (ANN, BOB) if (one := read(rgb, who))]
        found.sort(key=lambda one: -(one[0][3] - one[0][1]))
        return [self._glimpse(rgb.shape[:2], box, yaw) for box, yaw in found]

    def _glimpse(self, shape: tuple[int, int], box: Box, yaw: float) -> Glimpse:
        points, depth = figure(box, yaw)
        if self.upside_down:
            points[:, 1] = box[1] + box[3] - points[:, 1]
        soft = np.zeros(shape, np.float32)
        soft[box[1] : box[3], box[0] : box[2]] = 1
        return Glimpse(points, depth, soft, box)


def read(rgb: np.ndarray, who: int) -> tuple[Box, float] | None:
    """A person's card and the side it shows."""
    red, green, blue = np.moveaxis(rgb.astype(int), -1, 0)
    band = ((blue < 40) & (np.abs(green - who) < 30)).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(band)
    if count < 2:
        return None
    best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y, wide, tall, area = stats[best].tolist()
    if area < 20 or tall < 4:
        return None
    code = np.median(red[y : y + tall, x : x + wide][band[y : y + tall, x : x + wide] > 0])
    box = (x, y, x + wide, min(y + CARD * tall, rgb.shape[0]))
    return box, float((code - 128) / 100 * np.pi)


def figure(box: Box, yaw: float) -> tuple[np.ndarray, np.ndarray]:  # [133, 3], [133]
    """Points of a standing person in a box, and their depths."""
    joints = tiny_joints()[list(JOINTS.values())]
    x, y, z = joints.T
    across, near = x * np.cos(yaw) - z * np.sin(yaw), z * np.cos(yaw) + x * np.sin(yaw)
    scale = TALL * (box[3] - box[1]) / 1.7
    points = np.zeros((coco.COUNT, 3), np.float32)
    depth = np.full(coco.COUNT, np.nan, np.float32)
    points[list(JOINTS), 0] = (box[0] + box[2]) / 2 + scale * across
    points[list(JOINTS), 1] = box[1] + scale * (0.8 - y)
    points[list(JOINTS), 2] = 1
    points[coco.HEAD] = ((box[0] + box[2]) / 2, box[1] + 0.1 * (box[3] - box[1]), 1)
    depth[list(JOINTS)] = -near
    return points, depth
