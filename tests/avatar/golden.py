"""The golden avatar: filled networks on the tiny body, as the golden arrays were made."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from svad.avatar.published.buffers import Buffers, levels_of, make_buffers
from svad.avatar.published.forward import FramePose, PublishedAvatar, View
from svad.avatar.published.layer import BodyLayer, Identity
from svad.avatar.published.method import PUBLISHED, Method
from svad.avatar.published.network import AvatarNetwork
from svad.geometry.rotation import matrix_to_rows6, rodrigues
from tests.body.tiny import read_tiny
from tests.fill import fill, seed_of, tensor

PARTS = ("root", "body", "jaw", "leye", "reye", "lhand", "rhand")
SIZES = (3, 63, 3, 3, 3, 45, 45)
SMALL = ("mean_offset_net", "mean_offset_offset_net", "scale_offset_net")
PREFIX = "human_gaussian."


@dataclass(frozen=True)
class Golden:
    """Everything that went into the golden forward."""

    avatar: PublishedAvatar
    person: Identity
    frame: FramePose
    view: View

    @property
    def buffers(self) -> Buffers:
        return self.avatar.buffers


def golden(folder: Path, method: Method = PUBLISHED) -> Golden:
    seed, body = seed_of(folder), read_tiny(folder)
    hands = [0.2 * tensor(f"tiny.handmean{side}", (45,), seed).view(15, 3) for side in "lr"]
    layer = BodyLayer.of(body, torch.cat(hands))
    plans = levels_of(layer.faces, len(layer.template))
    network = AvatarNetwork()
    network.load_state_dict(network_state(folder))
    buffers = make_buffers(layer, body, plans)
    # The code as a snapshot holds it: a rounding of 1e-7 m here is one of 6e-5 in the features.
    with np.load(folder / "human_buffers.npz") as archive:
        buffers = replace(buffers, position_code=torch.from_numpy(archive["pos_enc_mesh"]))
    avatar = PublishedAvatar(network, layer, buffers, plans, method)
    pose = [0.4 * tensor(f"pose.{p}_pose", (n,), seed) for p, n in zip(PARTS, SIZES, strict=True)]
    face_offset = torch.zeros(len(layer.template), 3)
    face_offset[:30] = 0.005 * tensor("id.face_offset", (30, 3), seed)
    person = Identity(
        0.5 * tensor("id.shape", (100,), seed),
        0.01 * tensor("id.joint_offset", (55, 3), seed),
        face_offset,
    )
    frame = FramePose(
        matrix_to_rows6(rodrigues(torch.cat(pose).view(55, 3))),
        0.5 * tensor("pose.expr", (50,), seed),
        0.1 * tensor("pose.trans", (3,), seed) + torch.tensor([0, 0, 3.0]),
    )
    turn = rodrigues(0.7 * tensor("cam.aa", (3,), seed))
    shift = 0.3 * tensor("cam.t", (3,), seed) + torch.tensor([0, 0, 2.0])
    return Golden(avatar, person, frame, View(turn, shift))


def network_state(folder: Path) -> dict[str, Tensor]:
    """The filled networks by their published keys, without the prefix."""
    seed = seed_of(folder)
    schema = json.loads((folder / "snapshot_schema.json").read_text())["network"]
    state = {}
    for key, shape in schema.items():
        name = key.removeprefix(PREFIX)
        if "_net." in name and "smplx_layer" not in name and key != name:
            value = fill(key, tuple(shape), seed)
            state[name] = 0.05 * value if name.split(".")[0] in SMALL else value
    state["scale_net.0.bias"] = state["scale_net.0.bias"] - 4
    for name in ("triplane", "triplane_face"):
        state[name] = 0.5 * tensor(PREFIX + name, (3, 32, 128, 128), seed)
    return state
