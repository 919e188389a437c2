"""The figures of the rasteriser, on scenes small enough for a test."""

from __future__ import annotations

import json

import pytest
import torch

from svad.splat.render import render
from tools.bench import splat
from tools.bench.scene import body_like_scene


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SPLATS": (100, 200), "SIZES": (32,), "COMPARED": ((200, 32),), "RUNS": (2, 3),
        "SECONDS": 0.01, "PROGRAM": "print(0.5, 0.25)",
        "CUDA_SPLATS": (100,), "CUDA_SIZE": 32, "BATCHES": (1, 2),
    }.items():  # fmt: skip
        monkeypatch.setattr(splat, name, value)


def test_every_figure_is_one_json_line():
    figures = [json.loads(json.dumps(figure)) for figure in splat.run()]
    names = [figure["bench"] for figure in figures]
    assert names == [
        *["splat.cpu.compile"] * 2,
        *["splat.cpu.render"] * 2,
        *["splat.cpu.render_and_grad"] * 2,
        "splat.cpu.speedup_over_torch",
        *["splat.batch"] * (len(names) - 7),
    ]
    assert [f["splats"] for f in figures[2:7]] == [100, 200, 100, 200, 200]
    assert all(f["px"] == 32 and f["ms"] > 0 for f in figures[2:7])
    assert figures[0]["seconds"] == 0.25
    last = figures[6]
    assert last["ratio"] == pytest.approx(last["torch_ms"] / last["ms"], rel=0.1)


def test_every_rasteriser_here_is_measured_in_batches():
    cpu = [f for f in splat.run("splat.batch") if f.get("rasteriser") == "CPU"]
    assert [(f["splats"], f["batch"]) for f in cpu] == [(100, 1), (100, 2)]
    assert all(f["render_ms"] > 0 and f["device"] and f["renders_per_second"] > 0 for f in cpu)
    others = [f for f in splat.run("splat.batch") if f.get("rasteriser") != "CPU"]
    if torch.cuda.is_available():
        assert len(others) % 2 == 0 and all(f["render_and_grad_ms"] > 0 for f in others)
    else:
        assert [f["skipped"] for f in others] == ["no CUDA device"]


def test_a_part_can_be_asked_for():
    assert {f["bench"] for f in splat.run("splat.cpu.speedup")} == {"splat.cpu.speedup_over_torch"}


def test_the_scene_is_like_a_body():
    gaussians, camera = body_like_scene(20_000, 384)
    drawn = render(gaussians, camera)
    assert (drawn.alpha > 0.5).float().mean() == pytest.approx(0.25, abs=0.02)
    assert gaussians.opacities.min() >= 0.7 and gaussians.opacities.max() <= 0.99
