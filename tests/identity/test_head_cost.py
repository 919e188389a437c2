"""Counted operations against those torch counts."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from svad.identity.network import load_network
from svad.identity.planes import CODE
from tests.identity.small import small_sizes, small_state
from tools.bench.head_cost import cost


def test_counts_are_torchs() -> None:
    sizes = small_sizes()
    network, counted = load_network(small_state(), sizes), cost(sizes)
    pixels = torch.zeros(1, 3, sizes.vit.image, sizes.vit.image)
    features = torch.zeros(1, sizes.pyramid.features, sizes.plane, sizes.plane)
    vertices = torch.zeros(1, sizes.lifting.vertices, sizes.lifting.base + sizes.vit.width)
    code = torch.zeros(1, CODE)
    side = sizes.refiner.image
    picture = torch.zeros(1, sizes.lifting.channels, side, side)
    backbone = network.base_model.dino_model
    for name, call in {
        "backbone": lambda: backbone(pixels),
        "pyramid": lambda: network.base_model(pixels),
        "local_head": lambda: network.gs_generator_l0(features, code),
        "expression_head": lambda: network.gs_generator_g(vertices, code),
        "refiner": lambda: network.upsampler(picture, None),
    }.items():
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:  # attention as products
            call()
        expected = getattr(counted, name) + (counted.backbone if name == "pyramid" else 0)
        assert counter.get_total_flops() == expected, name


def test_published_size() -> None:
    """The figures of the published networks, in 10^9 operations."""
    counted = cost()
    found = {name: getattr(counted, name) / 1e9 for name in vars(counted)}
    assert found == pytest.approx(
        {"backbone": 303, "pyramid": 321, "local_head": 110, "expression_head": 6, "refiner": 137},
        rel=0.05,
    )
