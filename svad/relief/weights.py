"""Skinning weights transferred to points that lie on clothes and hair, not on the body."""

from __future__ import annotations

import numpy as np
import torch

from svad.body.skeleton import (
    ANKLES,
    ELBOWS,
    FEET,
    HANDS,
    HEAD_JOINTS,
    HIPS,
    KNEES,
    LARGE,
    SHOULDERS,
    WRISTS,
    Joint,
)
from svad.compute.compiled import spread
from svad.media.fields import masked_blur, pull_push
from svad.relief.kernels import KEPT, strongest
from svad.relief.labels import PartMaps
from svad.relief.parts import Part

PARTS = 8  # of all points, that threads share
ENDS = (*ANKLES, *WRISTS)  # of the bones; hands and feet lie beyond
OUTER: dict[int, tuple[int, ...]] = {  # joints farther out than the root of a limb
    **dict.fromkeys(HIPS, (*KNEES, *ANKLES, *FEET)),
    **dict.fromkeys(SHOULDERS, (*ELBOWS, *WRISTS)),
}


def folded(weights: np.ndarray) -> np.ndarray:  # [V, 55] -> [V, 22]
    """Skin weights of the 22 large joints: fingers go to the wrists, jaw and eyes to the head."""
    out = weights[:, :LARGE].copy()
    for large, *small in (*HANDS.values(), HEAD_JOINTS):
        out[:, large] += weights[:, small].sum(1)
    return out


def head_share(
    weights: np.ndarray,  # [..., 22]
) -> np.ndarray:  # [...]
    """How much of a place is head or neck."""
    return weights[..., Joint.HEAD] + weights[..., Joint.NECK]


def surface_weights(
    drawn: PartMaps,
    trusted: np.ndarray,  # [H, W] bool
    weights: np.ndarray,  # [V, 22]
    sigma: float,  # px
    *,
    far: bool,
) -> np.ndarray:  # [H, W, 22], rows sum to 1
    """The body's weights on the near or far surface, extended over the whole picture."""
    used = np.flatnonzero(weights[np.unique(drawn.faces)].max(0) > 0.01)
    least = 0.5 if drawn.part.is_torso else 0.04  # a limb's root keeps the body's own hand-over
    known = drawn.maps.covered & (trusted | (drawn.weight > least))
    values = drawn.maps.values(drawn.faces, weights[:, used], far=far)
    values = np.where(known[..., None], masked_blur(values, known, sigma), 0)
    spread = np.maximum(pull_push(values, known.astype(np.float32)), 0)
    out = np.zeros((*known.shape, LARGE), np.float32)
    out[..., used] = spread
    return out / np.maximum(out.sum(-1, keepdims=True), 1e-6)


def bone_position(
    points: np.ndarray,  # [..., 3] metres
    start: np.ndarray,  # [3] metres
    end: np.ndarray,  # [3] metres
) -> np.ndarray:  # [...]
    """Where points lie along a bone: 0 at its start, 1 at its end."""
    axis = end - start
    return (points - start) @ axis / max(float(axis @ axis), 1e-9)


class LimbProfile:
    """Skin weights of a limb as a function of the position along its bones alone.

    Sleeves and trousers then bend like the limb in them, however far from it their cloth hangs.
    """

    bins = 20

    def __init__(
        self,
        part: Part,
        vertices: np.ndarray,  # [V, 3] rest body
        joints: np.ndarray,  # [55, 3] rest joints
        weights: np.ndarray,  # [V, 22]
    ) -> None:
        self.bones = part.bones
        share = weights[:, [j for j in part.joints if j < LARGE]].sum(1)
        mine = share > 0.5
        self.tables = [
            self._table(bone_position(vertices[mine], joints[a], joints[b]), weights[mine])
            for a, b in part.bones
        ]

    def _table(self, t: np.ndarray, weights: np.ndarray) -> np.ndarray:  # [bins + 1, 22]
        centres = np.linspace(0, 1, self.bins + 1)
        near = np.exp(-(((t[None] - centres[:, None]) * self.bins / 1.2) ** 2)) + 1e-12
        table = near @ weights / near.sum(1, keepdims=True)
        return (table / table.sum(1, keepdims=True)).astype(np.float32)

    def __call__(
        self,
        points: np.ndarray,  # [P, 3] in the photo's pose
        joints: np.ndarray,  # [55, 3] in the photo's pose
    ) -> tuple[np.ndarray, np.ndarray]:  # weights [P, 22], position along the first bone [P]
        """Weights along the limb; the position tells how far from its root a point is."""
        along = [bone_position(points, joints[a], joints[b]) for a, b in self.bones]
        first = along[0]
        out = self._at(self.tables[0], first)
        for t, table in zip(along[1:], self.tables[1:], strict=True):
            # hand over from one bone to the next around the joint between them
            share = np.clip((t + 0.08) / 0.16, 0, 1)[:, None].astype(np.float32)
            share = share * (first > 0.5)[:, None]
            out = out * (1 - share) + self._at(table, t) * share
        return out, first

    def _at(self, table: np.ndarray, t: np.ndarray) -> np.ndarray:  # [P, 22]
        """The table's rows between which positions [P] along its bone lie, mixed."""
        x = np.clip(t, 0, 1) * self.bins
        i = np.minimum(x.astype(int), self.bins - 1)
        f = (x - i)[:, None].astype(np.float32)
        return table[i] * (1 - f) + table[i + 1] * f


def top4(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # [P, 22] -> ids, weights [P, 4]
    """The four largest weights, renormalised."""
    weights = np.ascontiguousarray(weights, np.float32)
    ids = np.empty((len(weights), KEPT), np.int64)
    kept = np.empty((len(weights), KEPT), np.float32)
    edges = np.linspace(0, len(weights), PARTS + 1).astype(int).tolist()
    spread(strongest, edges, torch.get_num_threads(), weights, ids, kept)
    return ids, kept / np.maximum(kept.sum(1, keepdims=True), 1e-8)


def limb_weights(
    limbs: dict[int, tuple[LimbProfile, tuple[float, float]]],
    joints: np.ndarray,  # [55, 3] posed
    xyz: np.ndarray,  # [P, 3] in the photo's pose
    weights: np.ndarray,  # [P, 22]
    layer: np.ndarray,  # [P]
) -> np.ndarray:  # [P, 22]
    """Weights of limb points by the position along the bone, blended in from the limb's root.

    Hands and feet lie beyond the last bone: they keep the weights of the body's own surface.
    """
    out = weights.copy()
    for i, (profile, (low, high)) in limbs.items():
        mine = layer == i
        if not mine.any():
            continue
        along, t = profile(xyz[mine], joints)
        root, surface = profile.bones[0][0], weights[mine]
        share: np.ndarray | float = 1.0
        if root in OUTER:
            share = np.clip((t - low) / (high - low), 0, 1)[:, None]
            surface = np.where(t[:, None] < high, _of_root(surface, root), surface)
        start, end = profile.bones[-1]
        if end in ENDS:
            t = bone_position(xyz[mine], joints[start], joints[end])
            share = share * np.clip((1.06 - t) / 0.14, 0, 1)[:, None]
        out[mine] = surface * (1 - share) + along * share
    return out


def _of_root(
    weights: np.ndarray,  # [P, 22]
    root: int,
) -> np.ndarray:  # [P, 22]
    """The weights at a limb's root, those of joints farther out given to the root.

    In the picture of a thigh that points at the camera the knee lies before the hip: the pixel
    has the weights of both, its back only those of the hip.
    """
    out = weights.copy()
    outer = list(OUTER[root])
    out[:, root] += weights[:, outer].sum(1)
    out[:, outer] = 0
    return out


def blend_range(root: int) -> tuple[float, float]:
    """Where along its first bone a limb takes over from the trunk, in lengths of it."""
    return (0.12, 0.30) if root in HIPS else (-0.02, 0.12)
