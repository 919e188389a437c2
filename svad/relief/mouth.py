"""The inside of the mouth: hidden while the lips are closed, dark red with teeth when they part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.face.landmarks import LIPS, LOWER_LIP_EDGE, SKIN, UPPER_LIP_EDGE, WIDE_CHEEKS
from svad.geometry.camera import Camera
from svad.geometry.sampling import bilinear
from svad.relief.points import FILL, OPAQUE, Points

COLUMNS, ROWS = 36, 26
ANCHOR = 0.16  # share of the mouth's width beside which its corners no longer count
DEPTH = 0.011  # metres behind the lips
MARGIN = 0.003  # metres the dark sheet goes on behind each lip
TEETH_DEPTH = 0.0065
TEETH_UP, TEETH_DOWN = 0.004, 0.0035  # metres above and below the edge of the upper lip


@dataclass(frozen=True)
class Rig:
    """How hidden points of the mouth follow the face mesh; M points, the last ones of the cloud."""

    landmarks: np.ndarray  # [M, 4] points of the face mesh
    weights: np.ndarray  # [M, 4]

    def __len__(self) -> int:
        return len(self.landmarks)

    def select(
        self,
        index: np.ndarray,  # [M] bool or [K] positions
    ) -> Rig:  # K points
        """The points of a mask or at positions."""
        return Rig(self.landmarks[index], self.weights[index])

    def directions(self, landmarks: np.ndarray) -> np.ndarray:  # [468, E, 3] -> [M, E, 3]
        """Expression directions of the points from those of the face mesh."""
        picked = landmarks[self.landmarks]  # [M, 4, E, 3]
        return np.einsum("mkec,mk->mec", picked, self.weights).astype(np.float16)


def mouth_points(
    face: np.ndarray,  # [478, 3] working px
    near: np.ndarray,  # [468] metres, depth of the layer's front at each point of the face mesh
    rgb: np.ndarray,  # [468, 3] colour there
    camera: Camera,
    joints: int,  # columns of the weights
    head: int,  # the head's column
) -> tuple[Points, Rig]:
    """A dark sheet stretched between the lips, behind them, and a row of upper teeth before it."""
    pixels = np.concatenate([face[SKIN, :2], near[:, None]], 1)
    a = np.linspace(0.02, 0.98, COLUMNS)
    dark = _grid(pixels, camera, a, np.linspace(-0.35, 1.35, ROWS), DEPTH)
    teeth = _teeth(pixels, camera, np.linspace(0.16, 0.84, 30))
    lips = np.median(rgb[list(LIPS)], 0)
    light = float(np.clip(np.median(rgb[list(WIDE_CHEEKS)], 0).max() / 0.85, 0.35, 1.05))
    b = np.repeat(np.linspace(-0.35, 1.35, ROWS), COLUMNS)[:, None].clip(0, 1)
    tongue = np.clip((b - 0.45) / 0.4, 0, 1)
    cavity = lips * (0.16 + 0.26 * tongue)
    side = np.abs(np.tile(np.linspace(-1, 1, 30), len(teeth[0]) // 30))[:, None]
    gap = 0.94 + 0.06 * np.cos(side * 16 * np.pi / 1.8)
    enamel = light * np.array([[0.86, 0.81, 0.75]]) * (1 - 0.35 * side**2) * gap
    xyz = np.concatenate([dark[0], teeth[0]]).astype(np.float32)
    width = float(np.linalg.norm(dark[0][COLUMNS - 1] - dark[0][0]))
    n, m = len(xyz), len(dark[0])
    scales = np.tile(np.array([0.75 * width / COLUMNS, 0.0008, 0.0004], np.float32), (n, 1))
    scales[m:] = (0.5 * width / 30, 0.0005, 0.0003)
    weights = np.zeros((n, joints), np.float32)
    weights[:, head] = 1
    quats = np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1))
    points = Points(
        xyz, scales, quats, np.concatenate([cavity, enamel]).astype(np.float32).clip(0, 1),
        np.full(n, OPAQUE, np.float32), weights, camera.project(xyz)[:, :2],
        np.full(n, FILL, np.uint8), np.full(n, 255, np.uint8), np.zeros(n, bool),
    )  # fmt: skip
    return points, Rig(np.concatenate([dark[1], teeth[1]]), np.concatenate([dark[2], teeth[2]]))


def _edge(
    pixels: np.ndarray,  # [468, 3] px, depth
    edge: tuple[int, ...],  # landmarks from corner to corner
    a: np.ndarray,  # [C] 0..1 along the lip
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # [C, 3] px, depth; [C, 2] landmarks, weights
    """Points along an inner lip, between two landmarks each."""
    anchor = a.clip(ANCHOR, 1 - ANCHOR)
    ids = np.asarray(edge)
    t = anchor * (len(ids) - 1)
    i = np.minimum(t.astype(int), len(ids) - 2)
    f = (t - i)[:, None]
    pair = np.stack([ids[i], ids[i + 1]], 1)
    weights = np.concatenate([1 - f, f], 1)
    at = (pixels[pair] * weights[..., None]).sum(1)
    beyond = (a - anchor)[:, None] * (pixels[ids[-1]] - pixels[ids[0]])
    at[:, :2] += beyond[:, :2]
    deep = np.interp(a, np.linspace(0, 1, len(ids)), pixels[ids, 2])
    at[:, 2] = np.maximum(at[:, 2], deep)
    return at, pair, weights


def _grid(pixels, camera: Camera, a: np.ndarray, b: np.ndarray, depth: float):
    """The sheet between the lips, row by row: xyz [M, 3], landmarks [M, 4], weights [M, 4]."""
    upper, up_ids, up_w = _edge(pixels, UPPER_LIP_EDGE, a)
    lower, low_ids, low_w = _edge(pixels, LOWER_LIP_EDGE, a)
    margin = MARGIN * camera.focal[1] / upper[:, 2].mean()
    xyz, ids, weights = [], [], []
    for row in b:
        t = float(np.clip(row, 0, 1))
        p = upper * (1 - t) + lower * t
        p[:, 1] += margin * (row - t) / 0.35
        p[:, 2] += depth
        xyz.append(camera.unproject(p))
        ids.append(np.concatenate([up_ids, low_ids], 1))
        weights.append(np.concatenate([up_w * (1 - t), low_w * t], 1))
    return np.concatenate(xyz), np.concatenate(ids), np.concatenate(weights).astype(np.float32)


def _teeth(pixels, camera: Camera, a: np.ndarray):
    """Upper teeth stay with the skull, so only a little of the lip's motion is theirs."""
    upper, ids, w = _edge(pixels, UPPER_LIP_EDGE, a)
    px = camera.focal[1] / upper[:, 2].mean()
    drop = TEETH_DOWN * (1 - 0.3 * np.linspace(-1, 1, len(a)) ** 2)
    rows = np.linspace(0, 1, 12)
    xyz = []
    for t in rows:
        p = upper.copy()
        p[:, 1] = np.median(upper[:, 1]) * 0.5 + upper[:, 1] * 0.5
        p[:, 1] += px * (-TEETH_UP * (1 - t) + drop * t)
        p[:, 2] += TEETH_DEPTH
        xyz.append(camera.unproject(p))
    n = len(rows)
    weights = np.concatenate([0.15 * w, 0 * w], 1).astype(np.float32)
    return (
        np.concatenate(xyz),
        np.tile(np.concatenate([ids, ids], 1), (n, 1)),
        np.tile(weights, (n, 1)),
    )


def at_landmarks(image: np.ndarray, grid: np.ndarray) -> np.ndarray:  # [468, 2] -> [468, ...]
    """Bilinear values of a picture at positions on its grid (pixel centres at +0.5)."""
    return bilinear(image, grid[SKIN, :2])
