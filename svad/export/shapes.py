"""Face shapes for other programs: ARKit's 52, with the gaze that a surface can only hint at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from svad.body.skeleton import Joint
from svad.face.expressions import ARKIT
from svad.types import Avatar, SkinnedMesh

GAZE = 0.0035  # metres the middle of the eye moves at full gaze: about 20 degrees of an eyeball
IRIS = 0.006  # metres, how far from its middle the surface of the eye goes along
DEEP = 0.03  # metres between the middle of the eyeball and what counts as its surface
# The mouth as it is for a tongue that goes out; the surface has no tongue.
TONGUE = {"jawOpen": 0.35, "mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3}
# In and out as seen by the person: in is toward the nose. Left is +x.
_WAYS = {"Up": (0, 1), "Down": (0, -1), "In": (-1, 0), "Out": (1, 0)}


def with_all_shapes(avatar: Avatar, mesh: SkinnedMesh) -> tuple[SkinnedMesh, tuple[str, ...]]:
    """The mesh with ARKit's 52 face shapes and their names, in ARKit's order.

    A face with fewer than the 43 that bodies here have, or none, stays as it is. Looking moves the
    surface of the eye, which carries the iris with it: the eyeball is no part of the mesh.
    """
    names = avatar.expression_names
    if not len(mesh.expression_ids):
        return replace(mesh, expression_dirs=mesh.expression_dirs[:, :0]), ()
    made = _gaze(avatar, mesh)
    missing = [name for name in ARKIT if name not in names]
    if not set(missing) <= {*made, "tongueOut"} or not set(names) <= set(ARKIT):
        return mesh, names
    count = len(mesh.vertices)
    own = np.zeros((count, len(names), 3), np.float32)
    own[mesh.expression_ids] = mesh.expression_dirs
    every = {name: own[:, k] for k, name in enumerate(names)}
    tongue = sum(share * every[name] for name, share in TONGUE.items() if name in every)
    every = {"tongueOut": np.zeros((count, 3)) + tongue} | made | every
    dirs = np.stack([every[name] for name in ARKIT], 1)
    moved = np.flatnonzero(np.abs(dirs).max((1, 2)) > 0)
    shaped = replace(
        mesh,
        expression_ids=moved.astype(np.int32),
        expression_dirs=dirs[moved].astype(np.float16),
    )
    return shaped, ARKIT


def _gaze(avatar: Avatar, mesh: SkinnedMesh) -> dict[str, np.ndarray]:  # [V, 3] each
    """The eight directions of the eyes: the front of each eye slides along the face."""
    out = {}
    for side, joint, sign in (("Left", Joint.LEFT_EYE, 1), ("Right", Joint.RIGHT_EYE, -1)):
        eye = avatar.joints[joint].cpu().numpy()
        away = mesh.vertices - eye
        flat = np.linalg.norm(away[:, :2], axis=1)
        front = (away[:, 2] > 0) & (away[:, 2] < DEEP)
        share = np.where(front, np.exp(-0.5 * (flat / IRIS) ** 2), 0)
        share = share / max(share.max(initial=0), 1e-12)  # in full, however coarse the mesh
        share[share < 0.02] = 0
        for way, (x, y) in _WAYS.items():
            move = np.array([x * sign, y, 0], np.float32) * GAZE
            out[f"eyeLook{way}{side}"] = (share[:, None] * move).astype(np.float32)
    return out
