"""Writes a snapshot in the published form: the golden avatar on the tiny body."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tests.avatar.golden import PREFIX, Golden, golden, network_state
from tests.fill import fill, seed_of

LPIPS = "lpips.net.slice1.0.weight"


def snapshot_state(folder: Path, made: Golden | None = None) -> dict[str, Tensor]:
    """Every key of the published network, the body and what is left alone included."""
    made = made or golden(folder)
    seed, layer, buffers = seed_of(folder), made.avatar.layer, made.buffers
    own = network_state(folder)
    own |= {
        "shape_param": made.person.betas,
        "joint_offset": made.person.joint_offset,
        "pos_enc_mesh": buffers.position_code,
        "skinning_weight": buffers.weights,
        "pose_dirs": buffers.pose_dirs,
        "expr_dirs": buffers.expression_dirs,
        "is_rhand": buffers.right_hand,
        "is_lhand": buffers.left_hand,
        "is_face": buffers.face,
        "is_face_expr": buffers.expressive,
        "is_cavity": buffers.cavity,
    }
    body = {
        "v_template": layer.template,
        "faces_tensor": layer.faces,
        "shapedirs": layer.shape_dirs,
        "expr_dirs": layer.expression_dirs,
        "posedirs": layer.pose_dirs,
        "J_regressor": layer.regressor,
        "lbs_weights": layer.weights,
        "parents": torch.tensor(layer.parents),
        "left_hand_mean": layer.mean_pose[25:40].flatten(),
        "right_hand_mean": layer.mean_pose[40:].flatten(),
        "pose_mean": layer.mean_pose.flatten(),
        "lmk_faces_idx": torch.zeros(51, dtype=torch.int64),
    }
    state = {PREFIX + key: value for key, value in own.items()}
    for prefix in (PREFIX + "smplx_layer.", "smplx_layer."):
        state |= {prefix + key: value for key, value in body.items()}
    state["scene_gaussian.mean"] = fill("scene_gaussian.mean", (7, 3), seed)
    state[LPIPS] = fill(LPIPS, (4, 3, 3, 3), seed)
    state["smplx_param_dict.smplx_params.0.trans"] = torch.zeros(3)
    return {key: value.clone().contiguous() for key, value in state.items()}


def write_snapshot(path: Path, state: dict[str, Tensor]) -> Path:
    """The file as published: the optimiser holds one scalar of numpy."""
    optimizer = {"state": {}, "param_groups": [{"lr": np.float64(1.6e-4), "eps": 1e-15}]}
    torch.save({"epoch": 4, "network": state, "optimizer": optimizer}, path)
    return path


def write_face_offset(path: Path, made: Golden) -> Path:
    path.write_text(json.dumps(made.person.face_offset.tolist()))
    return path
