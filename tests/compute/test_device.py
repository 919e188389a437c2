"""Which device and dtype networks run in."""

from __future__ import annotations

import pytest
import torch

from svad.compute import device


def test_what_the_networks_run_on() -> None:
    cuda = torch.cuda.is_available()
    assert device.device().type == ("cuda" if cuda else "cpu")
    assert device.half() == (torch.bfloat16 if cuda else torch.float32)


def test_on_zero_the_gpu_counts_though_this_process_does_not_see_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert device.device().type == "cuda" and device.half() == torch.bfloat16


def test_only_a_full_gpu_counts_as_one() -> None:
    assert device.out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert not device.out_of_memory(MemoryError()) and not device.out_of_memory(RuntimeError())
