"""The figures of the loss and of Adam."""

from __future__ import annotations

import pytest
import torch

from tools.bench import loss


def test_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(loss, "SIZE", (1, 20, 16, 3))
    monkeypatch.setattr(loss, "GAUSSIANS", (50, 10))
    monkeypatch.setattr(loss, "RUNS", 2)
    figures = list(loss.run())
    assert [figure["bench"] for figure in figures] == [
        "loss.cpu.photometric_and_grad",
        "loss.cpu.adam_step",
    ]
    assert all(figure["ms"] > 0 for figure in figures)
