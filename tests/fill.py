"""Rebuilds the inputs of the golden arrays: random numbers seeded by a name."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def seed_of(folder: Path) -> int:
    """The seed the arrays of a golden folder were made with."""
    return int(json.loads((folder / "index.json").read_text())["seed"])


def tensor(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Standard normal float32 numbers that belong to an input's name."""
    return torch.from_numpy(_normal(f"input:{name}", shape, seed))


def fill(key: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Stand-in weights for a network's published key.

    N(0, 1 / fan-in) for matrices and kernels, 1 + 0.1 N for one-dimensional gains
    (`*.weight`), 0.02 N for other vectors, 0.9 + 0.1 |N| for running variances.
    """
    x = _normal(key, shape, seed)
    if key.endswith("running_var"):
        x = 0.9 + 0.1 * np.abs(x)
    elif len(shape) > 1:
        x = x / np.sqrt(np.prod(shape[1:]))
    elif key.endswith("weight"):
        x = 1 + 0.1 * x
    else:
        x = 0.02 * x
    return torch.from_numpy(x.astype(np.float32))


def _normal(key: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    bits = np.random.Philox(key=[zlib.crc32(key.encode()), seed])
    return np.random.Generator(bits).standard_normal(tuple(shape), dtype=np.float32)
