"""Writes a motion as a VRM animation: it plays on every VRM avatar, whoever made that."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from svad.body.skeleton import JOINTS, Joint
from svad.core.files import write_bytes
from svad.export.glb import skeleton_nodes
from svad.export.glb_motion import Track, animation
from svad.export.gltf import GltfBuilder
from svad.export.names import NAMES
from svad.export.vrm import humanoid
from svad.motion.motion import Motion
from svad.types import Avatar, Pose

EXTENSION = "VRMC_vrm_animation"
# Presets that one shape of ARKit makes, and how much of it is the whole; others go by their names.
PRESETS = {
    "blinkLeft": ("eyeBlinkLeft", 1.0),
    "blinkRight": ("eyeBlinkRight", 1.0),
    "aa": ("jawOpen", 0.7),
}
STILL = 1e-3  # a coefficient that stays below is not written


def write_vrma(path: Path, avatar: Avatar, motion: Motion) -> Path:
    """The motion on the avatar's skeleton in its T-pose (VRMC_vrm_animation 1.0); returns `path`.

    Expressions are presets where one shape of ARKit is one, and all that move under ARKit's names.
    What loops ends as it begins. Raises `OutputError`.
    """
    poses = Pose.cat([motion.poses, motion.poses[:1]]) if motion.looped else motion.poses
    joints = avatar.joints.cpu().numpy().astype(np.float32)
    joints = joints - [0, avatar.mesh.vertices[:, 1].min(initial=joints[:, 1].min()), 0]
    builder = GltfBuilder()
    nodes = skeleton_nodes(joints.astype(np.float32), avatar.parents, NAMES["vrm"])
    moves = animation(builder, Track(motion.name, motion.fps, poses), joints[Joint.PELVIS], 0)
    weights = _weights(poses, avatar.expression_names)
    found: dict[str, dict] = {"preset": {}, "custom": {}}
    time = builder.add((np.arange(len(poses)) / motion.fps).astype(np.float32), bounds=True)
    for name, values in weights.items():
        node = len(nodes)
        nodes.append({"name": name})
        found["preset" if name in PRESETS else "custom"][name] = {"node": node}
        places = np.zeros((len(values), 3), np.float32)
        places[:, 0] = values  # a weight is the way of a node along x
        sampler = {"input": time, "output": builder.add(places), "interpolation": "LINEAR"}
        moves["samplers"].append(sampler)
        target = {"node": node, "path": "translation"}
        moves["channels"].append({"sampler": len(moves["samplers"]) - 1, "target": target})
    told: dict = {"specVersion": "1.0", "humanoid": {"humanBones": humanoid()}}
    faces = {kind: named for kind, named in found.items() if named}
    document = {
        "asset": {"version": "2.0", "generator": "SVAD"},
        "extensionsUsed": [EXTENSION],
        "extensions": {EXTENSION: told | ({"expressions": faces} if faces else {})},
        "scene": 0,
        "scenes": [{"nodes": [Joint.PELVIS, *range(len(JOINTS), len(nodes))]}],
        "nodes": nodes,
        "animations": [moves],
    }
    write_bytes(path, builder.pack(document))
    return path


def _weights(poses: Pose, names: tuple[str, ...]) -> dict[str, np.ndarray]:  # [T] each
    """What moves of the face: presets, then the shapes by their own names."""
    values = poses.expression.numpy(force=True)
    own = {name: values[:, k] for k, name in enumerate(names) if k < values.shape[1]}
    own = {name: row for name, row in own.items() if np.abs(row).max(initial=0) > STILL}
    presets = {
        preset: np.clip(own[shape] / whole, 0, 1)
        for preset, (shape, whole) in PRESETS.items()
        if shape in own
    }
    return presets | own
