"""The compiled loops of the rasteriser: the same bits however they were compiled and shared out."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from svad.splat import render_cpu
from svad.splat.render_cpu import rasterize
from tests.splat.reference import NAMES, leaves
from tools.bench.scene import body_like_scene

ROOT = Path(__file__).parents[2]
# Prints how many kernels were read from the cache and compiled, then a hash of all results.
CHILD = """
import hashlib
from tests.splat.kernels import KERNELS
from tests.splat.test_kernels import drawn
digest = hashlib.sha256(b"".join(part.numpy().tobytes() for part in drawn(2000, 64))).hexdigest()
stats = [kernel.stats for kernel in KERNELS.values()]
stats = [(sum(s.cache_hits.values()), sum(s.cache_misses.values())) for s in stats]
print(*map(sum, zip(*stats)), digest)
"""


def drawn(count: int, size: int, threads: int = 1) -> list[torch.Tensor]:
    """Image, alpha and the gradients of a scene of `count` splats."""
    gaussians, camera = body_like_scene(count, size, seed=1)
    parts = leaves(gaussians)
    image, alpha = rasterize(*(getattr(parts, name) for name in NAMES), camera, threads)
    (image.square().sum() - alpha.square().sum()).backward()
    grads = [getattr(parts, name).grad for name in NAMES]
    return [image.detach(), alpha.detach(), *grads]


def test_same_bits_freshly_compiled_and_from_the_cache(tmp_path: Path):
    """Or the first avatar after an update would differ from the second of the same photo."""
    own = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", CHILD]
    first, second = (
        subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    hits, misses, compiled = first.stdout.split()
    assert int(hits) == 0 and int(misses) >= 7
    hits, misses, read = second.stdout.split()
    assert int(hits) >= 7 and int(misses) == 0
    assert compiled == read


def test_same_bits_in_any_order_of_the_parts(monkeypatch: pytest.MonkeyPatch):
    """Threads take parts as they become free: which one is late must not matter."""
    expected = drawn(20_000, 200, threads=3)
    spreads = []

    def backwards(kernel: Callable, edges: Sequence[int], threads: int, *arguments: object) -> None:
        parts = [(first, last) for first, last in itertools.pairwise(edges) if last > first]
        spreads.append(len(parts))
        for first, last in reversed(parts):
            kernel(first, last, *arguments)

    monkeypatch.setattr(render_cpu, "_spread", backwards)
    late = drawn(20_000, 200, threads=3)
    assert min(spreads) > 1
    assert all(torch.equal(a, b) for a, b in zip(late, expected, strict=True))
