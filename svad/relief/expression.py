"""Expression blend shapes: directions for points of the photo's face."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.lbs import joint_transforms
from svad.body.model import BodyModel
from svad.body.skeleton import Joint
from svad.face.expressions import BLINKS
from svad.face.landmarks import EYE_CORNERS, LEFT_LIDS, RIGHT_LIDS, SKIN
from svad.geometry.zbuffer import draw
from svad.relief.head import face_triangles

EYE_BACK = 0.005  # metres an eyeball goes back behind a closed lid
LID_FORWARD = 0.0035  # metres a closing lid comes forward, so that it hides the eyeball
# upper rim, lower rim, crease, by the expression that closes them
LIDS = dict(zip(BLINKS, (RIGHT_LIDS, LEFT_LIDS), strict=True))


def landmark_directions(body: BodyModel) -> np.ndarray:  # [468, E, 3] metres per unit
    """How the body's expressions move each point of the face mesh."""
    corners = body.faces[body.mesh_faces[SKIN]]  # [468, 3]
    dirs = body.expression_dirs[corners]  # [468, 3, 3, E]
    mixed = (dirs * body.mesh_weights[SKIN, :, None, None]).sum(1)  # [468, 3, E]
    return mixed.permute(0, 2, 1).numpy().astype(np.float32)


def blinking(
    directions: np.ndarray,  # [468, E, 3] metres per unit, rest frame
    names: tuple[str, ...],  # E
    face: np.ndarray,  # [478, 3] working px
    turn: np.ndarray,  # [3, 3] from camera axes (x right, y down, z forward) to the rest frame
    m_per_px: float,
) -> np.ndarray:  # [468, E, 3]
    """Blinks that close the eyes of this face: upper lids slide down in front, to the lower."""
    out = directions.copy()
    forward = np.array([0, 0, LID_FORWARD], np.float32)
    for name, (upper, lower, crease) in LIDS.items():
        if name not in names:
            continue
        e = names.index(name)
        out[:, e] = 0
        upper, lower, crease = list(upper), list(lower), list(crease)
        gap = (face[lower] - face[upper]) * m_per_px
        slide = gap @ turn.T
        out[upper, e] = 1.04 * slide + forward
        out[crease, e] = 0.5 * slide + 0.5 * forward
    return out


def rest_turn(
    rotations: np.ndarray,  # [55, 3] axis-angles of the photo's pose
    parents: tuple[int, ...],  # 55, root -1
) -> np.ndarray:  # [3, 3]
    """From the axes of the photo's camera to those of the head at rest."""
    joints = torch.zeros(len(parents), 3)
    transforms = joint_transforms(torch.from_numpy(rotations).float(), joints, parents)
    return transforms[Joint.HEAD, :, :3].numpy().T @ np.diag([1.0, -1.0, -1.0]).astype(np.float32)


def eye_holes(
    face: np.ndarray,  # [468, 3] working px
    pixels: np.ndarray,  # [P, 2] working px
) -> np.ndarray:  # [P] uint8
    """1, 2 where a pixel shows the right, left eyeball; lids slide over it, lashes with them."""
    out = np.zeros(len(pixels), np.uint8)
    for k, (upper, lower, _) in enumerate(LIDS.values()):
        corners = EYE_CORNERS[k]
        top, bottom = face[list(upper), :2], face[list(lower), :2]
        top = top + 0.15 * (bottom - top)
        ring = np.concatenate([face[[corners[0]], :2], top, face[[corners[1]], :2], bottom[::-1]])
        low, scale = ring.min(0) - 1, 8.0
        size = np.ceil((ring.max(0) + 1 - low) * scale).astype(int)
        mask = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillPoly(mask, [np.round((ring - low) * scale).astype(np.int32)], (1,))
        at = np.floor((pixels - low) * scale).astype(int)
        framed = (at >= 0).all(1) & (at < size).all(1)
        x, y = at[:, 0].clip(0, size[0] - 1), at[:, 1].clip(0, size[1] - 1)
        out[framed & (mask[y, x] > 0)] = k + 1
    return out


class ExpressionField:
    """Directions as a function of the position in the photo, through the face mesh's triangles."""

    def __init__(
        self,
        face: np.ndarray,  # [478, 3] working px
        directions: np.ndarray,  # [468, E, 3] metres per unit, rest frame
        names: tuple[str, ...] = (),  # E
        density: int = 2,  # grid steps per working pixel
    ) -> None:
        self.face = face[SKIN]
        self.directions = directions
        self.names = names
        self.density = density
        self.width = float(np.ptp(self.face[:, 0]))
        self.origin = np.floor(self.face[:, :2].min(0)) - 2
        size = np.ceil((self.face[:, :2].max(0) + 3 - self.origin) * density).astype(int)
        points = self.face.copy()
        points[:, :2] = (points[:, :2] - self.origin) * density
        points[:, 2] += 10 * self.width
        self.maps = draw(points, face_triangles(), int(size[1]), int(size[0]))
        self.tree = cKDTree(self.face[:, :2])

    def __call__(
        self,
        pixels: np.ndarray,  # [P, 2] working px
    ) -> tuple[np.ndarray, np.ndarray]:  # [K] int64, [K, E, 3] float16
        """Indices of the pixels that move, and their directions."""
        grid = np.floor((pixels - self.origin) * self.density).astype(int)
        h, w = self.maps.near_face.shape
        framed = (grid >= 0).all(1) & (grid[:, 0] < w) & (grid[:, 1] < h)
        column, row = grid[:, 0].clip(0, w - 1), grid[:, 1].clip(0, h - 1)
        face = np.where(framed, self.maps.near_face[row, column], -1)
        inside = np.flatnonzero(face >= 0)
        corners = face_triangles()[face[inside]]
        bary = self.maps.near_bary[row[inside], column[inside]]
        mine = np.einsum("pk,pkec->pec", bary, self.directions[corners])
        reach = 0.16 * self.width
        distance, nearest = self.tree.query(pixels, distance_upper_bound=reach)
        around = np.flatnonzero((face < 0) & np.isfinite(distance))
        fade = np.clip(1 - distance[around] / reach, 0, 1)[:, None, None] ** 2
        theirs = self.directions[nearest[around]] * fade
        index = np.concatenate([inside, around])
        moved = np.concatenate([mine, theirs])
        eye = eye_holes(self.face, pixels[index])
        moved[eye > 0] = 0
        for k, name in enumerate(LIDS):  # the eyeball gives way to the closing lid
            if name in self.names:
                moved[eye == k + 1, self.names.index(name), 2] = -EYE_BACK
        return index.astype(np.int64), moved.astype(np.float16)
