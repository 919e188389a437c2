"""Reads an avatar back from the files a person took home: avatar.safetensors and avatar.glb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from svad.body.skeleton import Joint
from svad.core.errors import SvadError
from svad.export.gltf import read_accessor, unpack
from svad.export.rig_reader import FILE, OtherVersion, opened
from svad.types import Avatar, SkinnedMesh


class AvatarFileError(SvadError):
    """A file is not one that an avatar can be read from; the sentence says what was found."""


def read_avatar(rig: bytes, glb: bytes) -> Avatar:
    """The avatar in the bytes of avatar.safetensors and avatar.glb; what a pose changes is lost.

    Nothing in them is executed. Raises `AvatarFileError`, or `OtherVersion`.
    """
    try:
        avatar = opened(rig, FILE)
        document, buffer = unpack(glb)
        root = avatar.joints[Joint.PELVIS].numpy()
        mesh = _mesh(document, buffer, root, avatar.expression_names)
    except OtherVersion:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise AvatarFileError(
            "avatar.safetensors or avatar.glb is damaged or was written by another program "
            f"({type(error).__name__}). Export from the archive as it was downloaded."
        ) from error
    g = avatar.gaussians
    quats = torch.nn.functional.normalize(g.quats, dim=1)  # the file has half their bits
    return replace(avatar, gaussians=replace(g, quats=quats), mesh=mesh)


def _mesh(
    document: dict[str, Any],
    buffer: bytes,
    root: np.ndarray,  # [3] rest place of the pelvis, metres
    names: Sequence[str],  # E, of the expressions; the file may have more
) -> SkinnedMesh:
    """The coloured mesh at rest, in the frame of the Gaussians."""
    mesh = document["meshes"][0]
    part = mesh["primitives"][0]
    lift = np.asarray(document["nodes"][Joint.PELVIS]["translation"], np.float32) - root
    read = {k: read_accessor(document, buffer, n) for k, n in part["attributes"].items()}
    targets = dict(zip(mesh.get("extras", {}).get("targetNames", ()), part.get("targets", ()),
                       strict=True))  # fmt: skip
    dirs = np.zeros((len(read["POSITION"]), len(names), 3), np.float32)
    for e, name in enumerate(names):
        if name in targets:
            dirs[:, e] = read_accessor(document, buffer, targets[name]["POSITION"])
    moved = np.flatnonzero(np.abs(dirs).max((1, 2), initial=0) > 0)
    linear = read["COLOR_0"][:, :3] / 65535
    return SkinnedMesh(
        vertices=read["POSITION"] - lift,
        faces=read_accessor(document, buffer, part["indices"]).reshape(-1, 3).astype(np.int32),
        colors=np.round(linear_to_srgb(linear) * 255).astype(np.uint8),
        joint_ids=read["JOINTS_0"].astype(np.int32),
        joint_weights=read["WEIGHTS_0"],
        expression_ids=moved.astype(np.int32),
        expression_dirs=dirs[moved].astype(np.float16),
    )


def linear_to_srgb(
    color: np.ndarray,  # [...] in 0..1
) -> np.ndarray:  # [...] in 0..1
    """The inverse of the sRGB transfer function (IEC 61966-2-1)."""
    return np.where(color <= 0.0031308, color * 12.92, 1.055 * color.clip(0) ** (1 / 2.4) - 0.055)
