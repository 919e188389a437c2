"""Motions as the page's viewer plays them: quaternions in 16 bits, and the box they need."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from svad.body.skeleton import COLLARS, HEAD_JOINTS, Joint
from svad.body.skin import pose_gaussians, select_gaussians
from svad.core.files import write_bytes
from svad.geometry.rotation import axis_angle_to_quaternion
from svad.motion.authored import authored
from svad.motion.motion import Motion
from svad.motion.standing import standing
from svad.types import Avatar

FORMAT = "svad-viewer"
VERSION = 1
METADATA = "viewer"  # one key only: safetensors writes several in no fixed order
LEVEL = 6  # of gzip
TURN = 32767  # of a component of a unit quaternion: int16
FACE = 4096  # of a coefficient: int16, so that they may go from -8 to 8
SAMPLE, LOOKS = 2000, 16  # Gaussians and frames looked at to find the box
AIR = 0.005  # share of the Gaussians left out at each side of the box
BUST = (Joint.NECK, *COLLARS, *HEAD_JOINTS)


def played(avatar: Avatar) -> tuple[Motion, tuple[Motion, ...]]:
    """The A-pose as a motion of one frame, and every bundled motion."""
    motions = (one.for_avatar(avatar) for one in authored().values())
    return replace(standing(avatar), looped=False), tuple(motions)


def motion_about(
    avatar: Avatar,
    motion: Motion,
    low: np.ndarray,  # [3] metres, the box of the avatar as it stands
    high: np.ndarray,  # [3]
) -> dict[str, Any]:
    """What the viewer says of a motion, and the box it has to show: never less than standing."""
    least, most = frame_box(avatar, motion)
    bust = motion.focus == "bust"
    return {
        "name": motion.name,
        "title": motion.title,
        "fps": motion.fps,
        "frames": len(motion.poses),
        "looped": motion.looped,
        "low": (least if bust else np.minimum(low, least)).tolist(),
        "high": (most if bust else np.maximum(high, most)).tolist(),
    }


def write_viewer_motion(path: Path, avatar: Avatar, motion: Motion) -> Path:
    """A motion alone, for a viewer that has the avatar already; returns `path`."""
    about = motion_about(avatar, motion, *frame_box(avatar, standing(avatar)))
    facts = {"format": FORMAT, "version": VERSION, "motions": [about]}
    write_bytes(path, packed(motion_arrays(motion), facts))
    return path


def packed(
    arrays: dict[str, np.ndarray],  # [...] each of its own shape
    about: dict[str, Any],
) -> bytes:
    """A safetensors file packed by gzip to about half; the same content, the same bytes."""
    return gzip.compress(save(arrays, {METADATA: json.dumps(about)}), LEVEL, mtime=0)


def motion_arrays(motion: Motion) -> dict[str, np.ndarray]:
    """`NAME.turns` [T, 55, 4] int16, `NAME.shifts` [T, 3] float32, `NAME.faces` [T, E] int16."""
    poses = motion.poses
    turns = axis_angle_to_quaternion(poses.rotations.double()).numpy()
    faces = np.clip(np.round(poses.expression.double().numpy() * FACE), -32768, 32767)
    return {
        f"{motion.name}.turns": np.round(turns * TURN).astype(np.int16),
        f"{motion.name}.shifts": poses.translation.numpy().astype(np.float32),
        f"{motion.name}.faces": faces.astype(np.int16),
    }


def frame_box(
    avatar: Avatar, motion: Motion
) -> tuple[np.ndarray, np.ndarray]:  # [3] low, [3] high, metres
    """The box that nearly all Gaussians stay in; of a motion of the face, head and shoulders."""
    part = torch.arange(len(avatar.gaussians))
    if motion.focus == "bust":
        strongest = avatar.joint_weights.argmax(1, keepdim=True)
        joint = avatar.joint_ids.gather(1, strongest)[:, 0]
        bust = torch.nonzero(torch.isin(joint, joint.new_tensor(BUST)))[:, 0]
        part = bust if len(bust) else part
    few = select_gaussians(avatar, part[:: max(1, len(part) // SAMPLE)])
    moments = motion.poses[:: max(1, len(motion.poses) // LOOKS)]
    with torch.no_grad():
        points = pose_gaussians(few, moments).means.cpu().numpy()  # [T, N, 3]
    return np.quantile(points, AIR, 1).min(0), np.quantile(points, 1 - AIR, 1).max(0)
