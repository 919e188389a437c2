"""What a preset asks of a visitor's GPU minutes, and whether it is offered."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from svad.config.presets import PAPER, PRESETS, PREVIEW, QUICK
from svad.run import offers
from svad.run.stages import asked, on_gpu


@pytest.fixture
def zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine as if it were a ZeroGPU Space."""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.delitem(sys.modules, "spaces", raising=False)


def test_what_a_run_asks_for_fits_a_free_account() -> None:
    assert 0 < asked(QUICK) <= offers.FREE_SECONDS
    assert asked(PREVIEW) == 0 == asked(PAPER)
    for preset in PRESETS.values():
        assert set(preset.gpu_seconds) <= {row.name for row in on_gpu(preset)}


def test_a_stage_that_is_left_out_asks_for_nothing() -> None:
    assert asked(replace(QUICK, identity=None)) < asked(QUICK)


def test_on_zero_only_what_visitors_can_pay_for_is_offered(zero: None) -> None:
    assert offers.offer(PREVIEW).ready and offers.offer(PREVIEW).asks == 0
    quick, paper = offers.offer(QUICK), offers.offer(PAPER)
    assert quick.fits and quick.asks == asked(QUICK) and not paper.fits
    assert not paper.ready
