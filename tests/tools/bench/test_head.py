"""The figures of the head, with networks small enough for a test."""

from __future__ import annotations

import json

import pytest
import torch

from tests.identity.small import small_sizes
from tools.bench import head


def test_every_figure_is_one_json_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "SIZES", small_sizes())
    monkeypatch.setattr(head, "CPU_FRAMES", 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    figures = {f["bench"]: json.loads(json.dumps(f)) for f in head.run()}
    assert list(figures) == [
        "head.cost",
        "head.cpu.build",
        "head.cpu.frames_per_second",
        "head.cuda",
    ]
    frames = figures["head.cpu.frames_per_second"]
    assert frames["frames_per_second"] > 0 and 0 < frames["refiner_share"] <= 1
    assert frames["px"] == small_sizes().refiner.image
    assert frames["gaussians"] == small_sizes().gaussians
    assert figures["head.cuda"]["skipped"] == "no CUDA device"


def test_random_networks_are_finite() -> None:
    network = head.random_network(small_sizes(), "cpu")
    assert all(p.isfinite().all() and not p.requires_grad for p in network.parameters())
    with torch.inference_mode():
        side = small_sizes().refiner.image
        assert network.upsampler(torch.rand(1, 32, side, side), None).isfinite().all()
