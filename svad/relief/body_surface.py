"""The body in the photo's pose as a dense cloud of samples, by limb groups."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from svad.body import skeleton as sk
from svad.body.skeleton import Joint
from svad.geometry.surface import face_normals, interpolate, vertex_normals


@dataclass(frozen=True)
class BodySurface:
    """The body as a dense cloud of surface samples in the photo's pose."""

    xyz: np.ndarray  # [M, 3] world, in the photo's pose
    normals: np.ndarray  # [M, 3] outward
    spacing: np.ndarray  # [M] metres between samples
    weights: np.ndarray  # [M, 22]
    group: np.ndarray  # [M] limb group: see GROUPS

    def select(
        self,
        index: np.ndarray,  # [M] bool or [K] positions
    ) -> BodySurface:  # K samples
        """The samples of a mask or at positions."""
        return BodySurface(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


GROUPS = {  # limb groups by joint, for colours of what is not seen
    "torso": (Joint.PELVIS, *sk.SPINE, *sk.COLLARS),
    "head": (Joint.NECK, Joint.HEAD),
    "upper_arms": sk.SHOULDERS,
    "forearms": sk.ELBOWS,
    "hands": sk.WRISTS,
    "thighs": sk.HIPS,
    "shins": sk.KNEES,
    "feet": (*sk.ANKLES, *sk.FEET),
}


def body_surface_samples(
    vertices: np.ndarray,  # [V, 3] posed
    faces: np.ndarray,  # [F, 3]
    weights: np.ndarray,  # [V, 22]
    spacing: float,  # metres
) -> BodySurface:
    """Samples every face evenly enough that splats of `spacing` close it."""
    area = np.linalg.norm(face_normals(vertices, faces), axis=1) / 2
    count = np.clip(np.ceil(area / spacing**2), 1, 60).astype(int)
    index = np.repeat(np.arange(len(faces)), count)
    start = np.cumsum(count) - count
    k = np.arange(len(index)) - start[index]
    # a low-discrepancy pair of numbers per sample, folded into the triangle
    u = (0.5 + k * 0.7548776662466927) % 1.0
    v = (0.5 + k * 0.5698402909980532) % 1.0
    fold = u + v > 1
    u, v = np.where(fold, 1 - u, u), np.where(fold, 1 - v, v)
    single = count[index] == 1
    u, v = np.where(single, 1 / 3, u), np.where(single, 1 / 3, v)
    bary = np.stack([1 - u - v, u, v], 1).astype(np.float32)
    corners = faces[index]
    w = interpolate(weights, corners, bary)
    group = np.stack([w[:, list(j)].sum(1) for j in GROUPS.values()]).argmax(0)
    smooth = interpolate(vertex_normals(vertices, faces), corners, bary)
    smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-9)
    return BodySurface(
        interpolate(vertices, corners, bary).astype(np.float32),
        smooth.astype(np.float32),
        np.sqrt(area / count)[index].astype(np.float32),
        w.astype(np.float32),
        group,
    )
