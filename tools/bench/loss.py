"""Timings of the photometric loss and of Adam on the CPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import torch

from svad.compute.adam import Adam
from svad.learn.ssim import photometric, target_stats

SIZE = (1, 512, 256, 3)  # a person cropped from 512 px
GAUSSIANS = (54_000, 10)  # numbers each: offset, log scale, colour, opacity
RUNS = 30


def run() -> Iterator[dict]:
    """One dict per figure: the least milliseconds of many runs."""
    random = torch.Generator().manual_seed(0)
    target = torch.rand(SIZE, generator=random)
    image = (target + 0.1).requires_grad_()
    stats = target_stats(target)

    def loss() -> None:
        torch.autograd.grad(photometric(image, target, stats=stats), image)

    yield {"bench": "loss.photometric_and_grad", "size": SIZE, "ms": _least(loss)}
    values = torch.randn(GAUSSIANS, generator=random)
    adam, gradient = Adam([values], [1e-3]), torch.randn(GAUSSIANS, generator=random)
    step = _least(lambda: adam.step([gradient]))
    yield {"bench": "loss.adam_step", "size": GAUSSIANS, "ms": step}


def _least(function: Callable[[], None]) -> float:
    function()  # compiles
    best = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return round(best * 1e3, 3)
