"""The figures of the video diffusion networks that any machine can give."""

from __future__ import annotations

import pytest
import torch

from tools.bench import diffusion
from tools.bench.__main__ import GROUPS


def test_the_counted_figures_are_those_of_the_presets() -> None:
    found = {f.get("preset", "published"): f for f in diffusion.counted()}
    assert found["published"]["pflop"] == pytest.approx(86.8, abs=0.1)
    assert found["paper"]["pflop"] == pytest.approx(67.0, abs=0.1)
    assert found["paper"]["guided_calls"] == 100
    assert found["quick"]["pflop"] < 0.05 * found["published"]["pflop"]


def test_the_tiny_run_runs() -> None:
    (figure,) = diffusion.tiny()
    assert figure["bench"] == "diffusion.cpu.tiny" and figure["seconds"] > 0


def test_the_lean_call_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "LEAN_SIDE", 16)
    figure = diffusion.lean()
    assert figure["seconds"] >= 0 and figure["times_as_fast"] > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "tiny", lambda: iter(()))
    monkeypatch.setattr(diffusion, "lean", dict)
    assert list(diffusion.run())[-1] == {"bench": "diffusion.cuda", "skipped": "no CUDA device"}
    assert "diffusion" in GROUPS
