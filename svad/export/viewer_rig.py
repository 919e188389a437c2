"""Makes the compact avatar that the page's viewer moves: quantised splats, bones, expressions.

A packed safetensors file, see docs/format.md. Skinning and its blend are those of
`svad.body.skin`; the viewer's shader does them again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from svad.body.skeleton import JOINTS
from svad.body.skin import RIGID, pose_gaussians, select_gaussians
from svad.export.thin import grown, on_head, picked
from svad.export.viewer_motions import (
    FORMAT,
    VERSION,
    frame_box,
    motion_about,
    motion_arrays,
    packed,
    played,
)
from svad.motion.motion import Motion
from svad.splat.gaussians import Gaussians
from svad.splat.scene import floor_height
from svad.types import Avatar

LIMIT = 360_000  # Gaussians: 25 bytes each; slow machines draw fewer while it moves
FILL = 1.25  # more than their share of the area, as the ones that are left do not lie evenly
MOVES = 5e-5  # metres per unit; an expression that moves a Gaussian less leaves it where it is
STEPS = 127  # of a direction: int8
SMALLEST = 1e-5  # metres, of a standard deviation


def viewer_rig_bytes(avatar: Avatar, limit: int = LIMIT) -> bytes:
    """The avatar with at most `limit` Gaussians and all bundled motions; same avatar, same bytes.

    Places are rounded to a 65535th of the body's extent (0.03 mm), weights and colours to 8 bits,
    turns to half a degree, sizes by 2 percent. What a pose changes beyond skinning is left out.
    """
    light = thinned_avatar(avatar, limit)
    standing, motions = played(light)
    low, high = frame_box(light, standing)
    arrays, scale = _quantised(light.gaussians)
    faces, steps = _expressions(light)
    arrays |= faces | _bindings(light)
    arrays["joints"] = light.joints.detach().cpu().numpy().astype(np.float32)
    arrays["parents"] = np.asarray(light.parents, np.int32)
    clips = []
    for motion in (standing, *motions):
        arrays |= motion_arrays(motion)
        clips.append(motion_about(light, motion, low, high))
    about = {
        "format": FORMAT,
        "version": VERSION,
        "rigid": RIGID,
        **scale,
        "face_steps": steps,
        "expression_names": list(light.expression_names),
        "joint_names": list(JOINTS),
        "floor": _floor(light, standing),
        "motions": clips,
    }
    return packed(arrays, about)


def thinned_avatar(avatar: Avatar, limit: int) -> Avatar:
    """The avatar with at most `limit` Gaussians, larger so that they cover the same area.

    Neighbours in space are neighbours in memory. The mesh and the pose network stay behind.
    """
    g = avatar.gaussians
    tensors = (g.means, g.scales, g.quats, g.opacities[:, None], g.colors)
    good = torch.stack([torch.isfinite(t).all(1) for t in tensors]).all(0)
    sound = select_gaussians(replace(avatar, correctives=None), torch.nonzero(good)[:, 0])
    detail = on_head(sound)
    if int(detail.sum()) > limit // 2:  # then the face alone
        detail = torch.zeros_like(detail)
        detail[sound.expression_ids] = True
    index, growth = picked(sound.gaussians, detail, limit)
    light = select_gaussians(sound, index)
    growth = torch.where(growth > 1, FILL * growth, growth)
    return replace(light, gaussians=grown(light.gaussians, growth))


def _quantised(g: Gaussians) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Places, sizes, turns and colours in few bits, and what they are to be scaled by."""
    means, scales, quats, alpha, colors = (
        t.detach().cpu().double().numpy()
        for t in (g.means, g.scales, g.quats, g.opacities, g.colors)
    )
    low, high = means.min(0), means.max(0)
    span = np.maximum(high - low, 1e-6)
    logs = np.log(np.maximum(scales, SMALLEST))
    least, most = float(logs.min()), float(logs.max())
    room = max(most - least, 1e-6)
    unit = quats / np.maximum(np.linalg.norm(quats, axis=1, keepdims=True), 1e-12)
    paint = np.clip(np.concatenate([colors, alpha[:, None]], 1), 0, 1)
    arrays = {
        "places": np.round((means - low) / span * 65535).astype(np.uint16),
        "sizes": np.round((logs - least) / room * 255).astype(np.uint8),
        "turns": np.round(unit * STEPS).astype(np.int8),
        "colors": np.round(paint * 255).astype(np.uint8),
    }
    return arrays, {"low": low.tolist(), "span": span.tolist(), "log_sizes": [least, room]}


def _bindings(avatar: Avatar) -> dict[str, np.ndarray]:
    """Four joints and weights of each Gaussian; weights are bytes that sum to 255."""
    ids, weights = avatar.joint_ids.cpu().numpy(), avatar.joint_weights.cpu().double().numpy()
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    ids, weights = (np.take_along_axis(a, order, 1) for a in (ids, weights))
    if ids.shape[1] < 4:
        wide = ((0, 0), (0, 4 - ids.shape[1]))
        ids, weights = np.pad(ids, wide), np.pad(weights, wide)
    share = np.maximum(weights, 0) / np.maximum(weights.sum(1, keepdims=True), 1e-12)
    whole = np.floor(share * 255)
    missing = (255 - whole.sum(1)).astype(int)  # goes to those that were rounded down the most
    rank = np.argsort(np.argsort(-(share * 255 - whole), axis=1, kind="stable"), axis=1)
    whole += rank < missing[:, None]
    return {"bones": ids.astype(np.uint8), "weights": whole.astype(np.uint8)}


def _expressions(avatar: Avatar) -> tuple[dict[str, np.ndarray], list[float]]:
    """The directions that move a Gaussian at all, and the metres of one step by expression."""
    dirs = avatar.expression_dirs.detach().cpu().float().numpy()  # [K, E, 3]
    ids = avatar.expression_ids.cpu().numpy()
    order = np.argsort(ids, kind="stable")
    ids, dirs = ids[order], dirs[order]
    steps = np.maximum(np.abs(dirs).max((0, 2), initial=0), MOVES) / STEPS  # [E]
    moved = np.abs(dirs).max(2, initial=0) >= MOVES
    rows, names = np.nonzero(moved)
    counts = moved.sum(1)
    some = counts > 0
    arrays = {
        "face_splats": ids[some].astype(np.uint32),
        "face_counts": counts[some].astype(np.uint8),
        "face_names": names.astype(np.uint8),
        "face_dirs": np.round(dirs[rows, names] / steps[names, None]).astype(np.int8),
    }
    return arrays, steps.tolist()


def _floor(avatar: Avatar, standing: Motion) -> float:
    """The height of the soles as it stands, metres."""
    with torch.no_grad():
        return float(floor_height(pose_gaussians(avatar, standing.poses[0]).means.cpu().numpy()))
