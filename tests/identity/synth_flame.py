"""A made-up FLAME asset: the keys, shapes and index ranges of the real one, numbers by name."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tests.fill import tensor

VERTICES, FACES = 5023, 9976


def synth_flame(seed: int = 0) -> dict[str, Tensor]:
    """Tensors by dotted key, as the converted asset holds them."""
    parts = {"flame_model": _model(seed), "lmk_embeddings": _landmarks(seed)}
    return {f"{part}.{key}": value for part, table in parts.items() for key, value in table.items()}


def _model(seed: int) -> dict[str, Tensor]:
    face = torch.arange(FACES)
    corners = [(7 * face) % VERTICES, (7 * face + 13) % VERTICES, (11 * face + 29) % VERTICES]
    extent = torch.tensor([0.05, 0.07, 0.05])
    return {
        "v_template": tensor("flame.v_template", (VERTICES, 3), seed) * extent,
        "shapedirs": tensor("flame.shapedirs", (VERTICES, 3, 400), seed) * 0.001,
        "posedirs": tensor("flame.posedirs", (VERTICES, 3, 36), seed) * 0.003,
        "J_regressor": _softmax("flame.J_regressor", (5, VERTICES), 3.0, seed),
        "weights": _softmax("flame.weights", (VERTICES, 5), 3.0, seed),
        "kintree_table": torch.tensor([[-1, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
        "f": torch.stack(corners, dim=1),
    }


def _landmarks(seed: int) -> dict[str, Tensor]:
    still, full = torch.arange(51), torch.arange(70)
    turned = 13 * torch.arange(79)[:, None] + 101 * torch.arange(17)[None]
    return {
        "static_lmk_faces_idx": (37 * still + 5) % FACES,
        "static_lmk_bary_coords": _softmax("flame.static_bary", (51, 3), 1.0, seed),
        "dynamic_lmk_faces_idx": turned % FACES,
        "dynamic_lmk_bary_coords": _softmax("flame.dynamic_bary", (79, 17, 3), 1.0, seed),
        "full_lmk_faces_idx_with_eye": ((139 * full + 17) % FACES)[None],
        "full_lmk_bary_coords_with_eye": _softmax("flame.full_bary", (1, 70, 3), 1.0, seed),
    }


def _softmax(name: str, shape: tuple[int, ...], gain: float, seed: int) -> Tensor:
    """Weights that sum to one along the last axis."""
    x = np.exp(gain * tensor(name, shape, seed).double().numpy())
    return torch.from_numpy((x / x.sum(-1, keepdims=True)).astype(np.float32))
