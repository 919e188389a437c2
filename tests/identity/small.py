"""A head of tiny networks with filled weights, and a face-like set of vertices for it."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from svad.identity.cameras import turntable
from svad.identity.head import Head, load_head
from svad.identity.network import build_network
from svad.identity.refiner import noise_sizes
from svad.identity.sizes import HeadSizes, LiftingSizes, PyramidSizes, RefinerSizes, VitSizes
from tests.fill import fill, tensor

# What makes parts matter that the plain fill leaves too small or too large: factor, offset
TUNED = {
    r"\.gamma$": (1.0, 0.3),
    r"pos_embed$": (30.0, 0.0),
    r"^gs_generator.*weight$": (2.0, 0.0),
    r"modulation\.bias$": (1.0, 1.0),
    r"condition_scale\.\d+\.2\.bias$": (1.0, 1.0),
    r"to_rgb.*modulated_conv\.weight$": (0.5, 0.0),
}


def small_sizes() -> HeadSizes:
    return HeadSizes(
        vit=VitSizes(image=42, width=32, depth=5, heads=2),
        pyramid=PyramidSizes(projections=(8, 8, 12, 12), features=8),
        lifting=LiftingSizes(vertices=30, base=8, hidden=16, inner=8, channels=32),
        refiner=RefinerSizes(image=32, style=16, layers=2, widest=8, channels=128),
    )


@lru_cache
def small_state() -> dict[str, Tensor]:
    """Tensors by published key."""
    wanted = build_network(small_sizes()).state_dict()
    state = {key: fill(key, tuple(value.shape), 0) for key, value in wanted.items()}
    for key in state:
        for pattern, (factor, offset) in TUNED.items():
            if re.search(pattern, key):
                state[key] = state[key] * factor + offset
    return state


def small_head(dtype: torch.dtype = torch.float32) -> Head:
    return load_head(small_state(), small_sizes(), dtype)


def small_crop(seed: int) -> np.ndarray:
    """A made-up matted picture [64, 64, 3] uint8."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8))


def small_vertices(frames: int) -> Tensor:
    """[T, V, 3], moving a little from frame to frame."""
    vertices = small_sizes().lifting.vertices
    still = 0.3 * tensor("vertices", (1, vertices, 3), 0)
    return still + 0.02 * tensor("motion", (frames, vertices, 3), 0)


def small_cameras(frames: int) -> Tensor:  # [T, 3, 4]
    return turntable([10.0 * t for t in range(frames)])


def drawn_noise(sizes: RefinerSizes, generator: torch.Generator, batch: int = 1) -> list[Tensor]:
    """Standard normal maps [batch, 1, h, w], one for each styled convolution, in order."""
    return [torch.randn(batch, 1, px, px, generator=generator) for px in noise_sizes(sizes)]
