"""Writes the rest Gaussians with skeleton, weights and expressions as one .safetensors file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from svad.body.skeleton import JOINTS
from svad.body.skin import RIGID
from svad.core.files import write_bytes
from svad.core.rounding import rounded_shares
from svad.export.context import ExportContext
from svad.types import Avatar

FORMAT = "svad-avatar"
VERSION = 1
# One key only: safetensors writes several metadata keys in no fixed order.
METADATA = "avatar"
WEIGHT = 2**-12  # step of joint weights: a tenth of a millimetre at most

CONVENTIONS = {
    "frame": "metres, y up, the person faces +z and has the left hand at +x",
    "pose": "rest pose (zero pose, arms to the sides)",
    "means": "[N, 3] centres of the Gaussians",
    "scales": "[N, 3] standard deviations along the local axes, metres (no logarithm)",
    "quats": "[N, 4] unit quaternions w, x, y, z",
    "opacities": "[N] 0..1 (no logit)",
    "colors": "[N, 3] sRGB, 0..1",
    "joint_ids": "[N, 4] joints each Gaussian follows",
    "joint_weights": "[N, 4] how much; rows sum to 1",
    "joints": "[55, 3] rest places of the joints, SMPL-X order",
    "parents": "[55] parent of each joint, root -1",
    "expression_ids": "[K] Gaussians an expression moves",
    "expression_dirs": "[K, E, 3] metres per unit coefficient, 0..1, added before skinning",
    "rotations": "a pose is an axis-angle per joint relative to its parent; the translation of the "
    "body is added after skinning",
    "photo": "the pose of the person in the photo and its camera: x right, y down, z forward, "
    "x_cam = R x_world + t, pixel = focal xy / z + center",
    "blending": f"{RIGID:.0%} dual quaternions, the rest linear; linear alone is close",
}


def write_rig(context: ExportContext, path: Path) -> None:
    """The avatar of `context` as .safetensors."""
    write_bytes(path, rig_bytes(context.avatar, JOINTS))


def rig_bytes(avatar: Avatar, joint_names: Sequence[str]) -> bytes:
    """The avatar as .safetensors bytes; the same avatar gives the same bytes.

    Sizes, turns, opacities and colours are float16, which is finer than what can be seen.
    """
    g = avatar.gaussians
    half = {"scales": g.scales, "quats": g.quats, "opacities": g.opacities, "colors": g.colors}
    tensors = {name: _array(value, np.float16) for name, value in half.items()} | {
        "means": _array(g.means, np.float32),
        "joint_ids": _array(avatar.joint_ids, np.uint8),
        "joint_weights": rounded_shares(_array(avatar.joint_weights, np.float64), WEIGHT),
        "joints": _array(avatar.joints, np.float32),
        "parents": np.asarray(avatar.parents, np.int32),
        "expression_ids": _array(avatar.expression_ids, np.int32),
        "expression_dirs": _array(avatar.expression_dirs, np.float16),
    }
    about = {
        "format": FORMAT,
        "version": VERSION,
        "conventions": CONVENTIONS,
        "joint_names": list(joint_names),
        "expression_names": list(avatar.expression_names),
        "photo": _photo(avatar),
    }
    return save(tensors, {METADATA: json.dumps(about)})


def _photo(avatar: Avatar) -> dict:
    """How the person stood in the photo, and its camera, in plain numbers."""
    pose, camera = avatar.pose[0], avatar.camera
    return {
        "rotations": pose.rotations.cpu().tolist(),
        "translation": pose.translation.cpu().tolist(),
        "expression": pose.expression.cpu().tolist(),
        "camera": {
            "rotation": camera.rotation.tolist(),
            "translation": camera.translation.tolist(),
            "focal": list(camera.focal),
            "center": list(camera.center),
            "width": camera.width,
            "height": camera.height,
        },
    }


def _array(tensor, dtype) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().cpu().numpy().astype(dtype))
