"""Motions in a glTF file: rotations of the joints, the way of the root, face shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from svad.body.skeleton import JOINTS, Joint
from svad.core.rounding import rounded
from svad.export.gltf import GltfBuilder
from svad.geometry.rotation import axis_angle_to_quaternion
from svad.motion.authored import authored
from svad.motion.recorded import Recorded
from svad.types import Avatar, Pose

STILL_TURN = 1e-4  # a joint whose quaternion changes less than this does not move
STILL_SHIFT = 1e-4  # metres; likewise for the root
STEPS = {"rotation": 2**-14, "translation": 2**-14, "weights": 2**-10}  # of keys


@dataclass(frozen=True)
class Track:
    """A motion to put into the file."""

    name: str
    fps: float
    poses: Pose  # T frames


def tracks(avatar: Avatar, own: Mapping[str, Recorded] | None = None) -> list[Track]:
    """A person's own motions, then the bundled ones, for this avatar; loops end as they begin.

    Viewers play the first one unasked: it must not show the back, so turning comes last.
    """
    out = []
    for name, recorded in (own or {}).items():
        motion = recorded.for_avatar(avatar, name, name)
        out.append(Track(name, motion.fps, motion.poses))
    for motion in sorted(authored().values(), key=lambda m: (m.name == "turn", m.name != "wave")):
        poses = motion.for_avatar(avatar).poses
        poses = Pose.cat([poses, poses[:1]]) if motion.looped else poses
        out.append(Track(motion.name, motion.fps, poses))
    return out


def animation(
    builder: GltfBuilder,
    track: Track,
    root: np.ndarray,  # [3] rest place of the root joint
    expressions: int,  # number of morph targets
) -> dict:
    """One glTF animation: rotations of the joints that move, the root's way, the expressions."""
    poses = track.poses
    turns = axis_angle_to_quaternion(poses.rotations.float())
    quats = continuous(turns.numpy(force=True))[..., [1, 2, 3, 0]]
    times = (np.arange(len(poses)) / track.fps).astype(np.float32)
    time = builder.add(times, bounds=True)
    out: dict = {"name": track.name, "samplers": [], "channels": []}

    def channel(node: int, path: str, values: np.ndarray) -> None:
        still = np.ptp(values, 0).max() < (STILL_SHIFT if path == "translation" else STILL_TURN)
        if still and len(times) > 1:  # two keys say the same
            ends = np.array([0, times[-1]], np.float32)
            source, values = builder.add(ends, bounds=True), values[[0, -1]]
        else:
            source = time
        flat = values.reshape(-1) if path == "weights" else values
        output = builder.add(rounded(flat, STEPS[path]))
        out["samplers"].append({"input": source, "output": output, "interpolation": "LINEAR"})
        target = {"node": node, "path": path}
        out["channels"].append({"sampler": len(out["samplers"]) - 1, "target": target})

    for j in range(len(JOINTS)):
        at_rest = np.abs(quats[:, j] - (0, 0, 0, 1)).max() < STILL_TURN
        if not at_rest:
            channel(j, "rotation", quats[:, j])
    channel(Joint.PELVIS, "translation", poses.translation.numpy(force=True) + root)
    if expressions:
        faces = padded(poses.expression.numpy(force=True), expressions)
        if np.abs(faces).max() > 0:
            channel(len(JOINTS), "weights", faces)
    return out


def padded(
    values: np.ndarray,  # [T, E]
    count: int,
) -> np.ndarray:  # [T, count]
    """Every row cut or filled with zeros to `count`."""
    out = np.zeros((len(values), count), np.float32)
    out[:, : values.shape[1]] = values[:, :count]
    return out


def continuous(
    quats: np.ndarray,  # [T, J, 4] (w, x, y, z)
) -> np.ndarray:  # [T, J, 4]
    """The same rotations without jumps from q to -q; the first has a real part >= 0."""
    dots = (quats[1:] * quats[:-1]).sum(-1)
    first = np.where(quats[:1, :, 0] < 0, -1.0, 1.0)
    signs = np.concatenate([first, np.where(dots < 0, -1.0, 1.0)]).cumprod(0)
    return (quats * signs[..., None]).astype(np.float32)
