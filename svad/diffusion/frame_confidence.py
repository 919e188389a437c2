"""Confidence of generated frames: which still show the person in the pose they were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import cv2
import numpy as np

from svad.body import coco
from svad.body.coco import VISIBLE
from svad.body.model import BodyModel, RestBody
from svad.geometry.zbuffer import draw
from svad.media.images import resize
from svad.pose.drive import Driving

FRAME_WEIGHT = 0.5  # of a good frame; the photo has 1
LOST_WEIGHT = 0.01  # of a frame that lost the person
LOST = 0.25  # quality below which a frame counts as lost
NEAR, FAR = 0.05, 0.14  # mean distance of the points from the driven ones, shares of the height
LEAN, BROAD = (0.45, 0.7), (1.9, 2.8)  # person over driven body, areas: from bad to good, back
AWAY = 2.0  # radians of yaw beyond which left and right may be taken for each other
LIMBS = np.arange(coco.COUNT)[coco.LIMBS]  # shoulders to ankles
MIRRORED = np.array(coco.MIRROR)[coco.LIMBS]
CELL = 160  # px, height of a frame in the strip


class Sight(Protocol):
    """What a reader saw in a frame."""

    @property
    def matte(self) -> np.ndarray: ...  # [H, W] uint8
    @property
    def keypoints(self) -> np.ndarray: ...  # [133, 3] x px, y px, score


Reader = Callable[[np.ndarray], Sight | None]
"""`reader(rgb [H, W, 3] uint8)`: the person in a frame, or None."""


def silhouette(
    body: BodyModel, rest: RestBody, driving: Driving, index: int
) -> np.ndarray:  # [H, W] uint8
    """The driven body in a frame: where the person should be."""
    pose, camera = driving.poses[index], driving.camera
    vertices = body.pose_vertices(rest, pose.rotations, pose.translation)
    points = camera.project(vertices.numpy())
    drawn = draw(points, body.faces.numpy(), camera.height, camera.width)
    return drawn.covered.astype(np.uint8) * 255


def quality(
    sight: Sight,
    wanted: np.ndarray,  # [133, 3] x px, y px, score: the driven points
    body: np.ndarray,  # [H, W] uint8, the driven silhouette
    yaw: float,  # radians
) -> float:
    """1 for a frame that shows the person as driven, 0 for one that does not."""
    height = max(1.0, float(np.ptp(np.where(body > 127)[0]))) if (body > 127).any() else len(body)
    seen = (wanted[LIMBS, 2] > 0.9) & (sight.keypoints[LIMBS, 2] > VISIBLE)
    if seen.sum() < 4:
        return 0.0
    target = wanted[LIMBS[seen], :2]
    places = [sight.keypoints[LIMBS, :2]]
    if abs(yaw) > AWAY:
        places.append(sight.keypoints[MIRRORED, :2])
    away = min(np.linalg.norm(p[seen] - target, axis=1).mean() for p in places) / height
    area = float((sight.matte > 127).sum()) / max(1.0, float((body > 127).sum()))
    near = np.interp(away, (NEAR, FAR), (1.0, 0.0))
    full = np.interp(area, (*LEAN, *BROAD), (0.0, 1.0, 1.0, 0.0))
    return float(min(near, full))


def weight_of(quality: float) -> float:
    """How much a frame is to be believed."""
    return LOST_WEIGHT if quality < LOST else FRAME_WEIGHT * quality


def strip(
    frames: np.ndarray,  # [T, H, W, 3] uint8
    lost: Sequence[int],  # indices of frames that lost the person
    count: int = 6,
) -> np.ndarray:  # [h, w, 3] uint8
    """A few frames side by side, lost ones pale and crossed out."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, count).round().astype(int))
    if lost and not set(chosen) & set(lost):
        chosen[-1] = lost[0]
    width = max(1, round(frames.shape[2] * CELL / frames.shape[1]))
    cells = []
    for i in chosen:
        cell = resize(frames[i], width, CELL).copy()
        if i in lost:
            cell = (cell // 2 + 127).astype(np.uint8)
            cv2.line(cell, (4, 4), (width - 5, CELL - 5), (200, 40, 40), 3)
            cv2.line(cell, (4, CELL - 5), (width - 5, 4), (200, 40, 40), 3)
        cells.append(cell)
    return np.concatenate(cells, 1)


def names(indices: Sequence[int], limit: int = 12) -> str:
    """Frame numbers for a sentence."""
    shown = ", ".join(str(i) for i in indices[:limit])
    return shown if len(indices) <= limit else f"{shown} and {len(indices) - limit} more"
