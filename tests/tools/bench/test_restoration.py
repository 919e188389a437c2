"""The figures of the restoration stage, on networks small enough for a test."""

from __future__ import annotations

import json

import pytest
import torch

from svad.restoration.restorer import Restorer
from svad.restoration.sizes import Sizes
from tools.bench import restoration

TINY = Sizes(
    block_out_channels=(32, 32, 32, 32), head_channels=16,
    control_time_width=32, prompt_tokens=3, prompt_width=16, prompt_hidden=16,
    vae_channels=(32, 32, 32, 32), vae_layers=1, norm_num_groups=8,
)  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SMALL": TINY, "SMALL_SIDE": 64, "RUNS": 2}.items():
        monkeypatch.setattr(restoration, name, value)


def test_counted_shares_are_small_enough() -> None:
    found = list(restoration.run("restoration.flops"))
    assert found == json.loads(json.dumps(found))
    published, *presets = found
    assert published["pflop"] == pytest.approx(12.4, abs=0.1)
    shares = {figure["run"]: figure["share"] for figure in presets}
    assert shares["paper"] <= 0.6 and shares["quick"] <= 0.12
    for figure in presets:
        assert figure["share"] == pytest.approx(figure["pflop"] / published["pflop"], abs=0.001)
        assert sum(figure["parts"].values()) == pytest.approx(figure["pflop"], abs=0.01)


def test_the_cpu_is_timed_on_finite_numbers() -> None:
    found = list(restoration.run("restoration.cpu"))
    assert [figure["batch"] for figure in found] == list(restoration.SMALL_BATCHES)
    assert all(0 < figure["seconds"] <= figure["median"] for figure in found)
    networks = restoration.random_networks(TINY, "cpu", torch.float32)
    latents = Restorer(networks).decode(torch.randn(1, 4, 8, 8))
    assert latents.isfinite().all() and latents.std() > 0


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = list(restoration.run("restoration.cuda"))
    assert found == [{"bench": "restoration.cuda", "skipped": "no CUDA device"}]
