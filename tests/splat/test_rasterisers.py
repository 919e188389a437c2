"""Which rasteriser draws, and what is not started to find out."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from svad.splat import rasterisers, render_warp
from svad.splat.rasterisers import backend_for, rasteriser

CUDA = torch.device("cuda")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing was drawn yet, without a compiler."""
    rasterisers._backend_on_cuda.cache_clear()
    monkeypatch.setattr(rasterisers, "_CHOSEN", [])
    monkeypatch.setattr(rasterisers, "_has_compiler", lambda: False)
    monkeypatch.setattr(rasterisers, "_is_compiled", lambda: False)
    monkeypatch.setattr(rasterisers, "device", lambda: CUDA)
    monkeypatch.setattr(rasterisers, "_has_driver", lambda: True)
    yield
    rasterisers._backend_on_cuda.cache_clear()


def with_gsplat(monkeypatch: pytest.MonkeyPatch, compiled: object) -> list[str]:
    """gsplat's compiled part is `compiled`; the list fills when it is asked for."""
    asked: list[str] = []

    class Package(SimpleNamespace):
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            return SimpleNamespace(_C=compiled)

    monkeypatch.setitem(sys.modules, "gsplat.cuda", Package())
    return asked


def test_the_cpu_draws_what_lies_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert backend_for(torch.device("cpu")) == "cpu"
    monkeypatch.setattr(rasterisers, "device", lambda: torch.device("cpu"))
    assert rasteriser() == "CPU"


def test_without_a_driver_torch_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def device() -> torch.device:
        raise AssertionError("asked")

    monkeypatch.undo()
    monkeypatch.setattr(rasterisers, "device", device)
    monkeypatch.setattr(rasterisers, "DRIVER", ("/nothing/here",))
    monkeypatch.setattr(sys, "platform", "linux")
    assert rasteriser() == "CPU"


def test_without_compiled_part_and_compiler_gsplat_is_not_even_imported(monkeypatch) -> None:
    asked = with_gsplat(monkeypatch, None)
    monkeypatch.setattr(render_warp, "draws_on_cuda", lambda: True)
    assert rasteriser() == "Warp" and backend_for(CUDA) == "warp" and not asked


def test_gsplat_draws_where_it_is_compiled_and_made_for_the_card(monkeypatch) -> None:
    monkeypatch.setattr(rasterisers, "_is_compiled", lambda: True)
    with_gsplat(monkeypatch, object())
    drawn = []
    monkeypatch.setattr(rasterisers, "_draw_one", lambda: drawn.append(1))
    assert rasteriser() == "gsplat" and not drawn
    assert backend_for(CUDA) == "gsplat" and rasteriser() == "gsplat"
    assert backend_for(CUDA) == "gsplat" and drawn == [1]  # decided once


def test_another_draws_where_gsplat_fails_on_the_card(monkeypatch, caplog) -> None:
    monkeypatch.setattr(rasterisers, "_is_compiled", lambda: True)
    with_gsplat(monkeypatch, object())

    def fail() -> None:
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(rasterisers, "_draw_one", fail)
    monkeypatch.setattr(render_warp, "draws_on_cuda", lambda: False)
    assert backend_for(CUDA) == "cpu" and rasteriser() == "CPU"
    assert "no kernel image" in caplog.text


def test_a_compilation_is_announced(monkeypatch, caplog) -> None:
    monkeypatch.setattr(rasterisers, "_has_compiler", lambda: True)
    with_gsplat(monkeypatch, None)  # it failed
    monkeypatch.setattr(render_warp, "draws_on_cuda", lambda: True)
    assert rasteriser() == "gsplat"
    assert backend_for(CUDA) == "warp" and rasteriser() == "Warp"
    assert "some minutes" in caplog.text


def test_on_zero_nothing_is_tried_before_there_is_a_card(monkeypatch) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(rasterisers, "_has_compiler", lambda: True)
    assert rasteriser() == "Warp"


def test_a_compiler_is_looked_for_where_torch_does(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(rasterisers, "TOOLKIT", str(tmp_path / "none"))
    for name in rasterisers.TOOLKITS:
        monkeypatch.delenv(name, raising=False)
    assert not rasterisers._has_compiler() and not rasterisers._is_compiled()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvcc").write_text("")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    assert rasterisers._has_compiler()


@pytest.mark.gpu
def test_the_one_that_is_named_draws() -> None:
    assert rasterisers.NAMES[backend_for(CUDA)] == rasteriser() != "CPU"
