"""Timings of the CPU rasteriser."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.splat.gaussians import Gaussians
from svad.splat.render import render
from svad.splat.render_cpu import warm_up
from tools.bench import reference
from tools.bench.scene import body_like_scene

SPLATS = (10_000, 40_000, 160_000)
SIZES = (256, 384, 512)  # px
COMPARED = ((10_000, 256), (40_000, 384))  # splats, px: where the plain reference runs too
SECONDS = 1.0  # spent on one figure, at least
RUNS = (9, 40)  # fewest and most runs of one figure
PROGRAM = """
import time
import torch
start = time.perf_counter()
import numba
imported = time.perf_counter()
from svad.splat.render_cpu import warm_up
warm_up()
print(imported - start, time.perf_counter() - imported)
"""


def run(only: str | None = None) -> Iterator[dict]:
    """One dict per figure; `only` is the beginning of the names wanted, such as "splat.cpu".

    Milliseconds are the least of many runs, since other work on the machine only ever adds; the
    median stands beside it.
    """
    figures = {
        "splat.cpu.compile": _compile,
        "splat.cpu.render": _renders,
        "splat.cpu.render_and_grad": _gradients,
        "splat.cpu.speedup_over_torch": _speedups,
    }
    for name, figure in figures.items():
        if only is None or name.startswith(only):
            yield from ({"bench": name, **values} for values in figure())


def _compile() -> Iterator[dict]:
    """Seconds to compile all kernels, bare and from the cache; numba's import apart."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        for state in ("cold", "cached"):
            output = subprocess.run(
                [sys.executable, "-c", PROGRAM],
                env=environment, capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            imported, compiled = (round(float(x), 2) for x in output.split())
            yield {"cache": state, "seconds": compiled, "import_numba": imported}


def _renders() -> Iterator[dict]:
    for splats, px, gaussians, camera in _scenes():
        with torch.no_grad():
            yield {"splats": splats, "px": px, **_timed(lambda g=gaussians, c=camera: render(g, c))}


def _gradients() -> Iterator[dict]:
    for splats, px, gaussians, camera in _scenes():
        step = _fast_step(gaussians, camera)
        yield {"splats": splats, "px": px, **_timed(step)}


def _speedups() -> Iterator[dict]:
    """Render and gradient against the plain tiled PyTorch reference, one after the other."""
    for splats, px in COMPARED:
        gaussians, camera = body_like_scene(splats, px)
        fast = _timed(_fast_step(gaussians, camera))
        slow = min(_seconds(_plain_step(gaussians, camera)) for _ in range(2)) * 1e3
        yield {
            "splats": splats, "px": px, "ratio": round(slow / fast["ms"], 1),
            "ms": fast["ms"], "torch_ms": round(slow, 1),
        }  # fmt: skip


def _scenes() -> Iterator[tuple[int, int, Gaussians, Camera]]:
    warm_up()
    for splats in SPLATS:
        for px in SIZES:
            yield splats, px, *body_like_scene(splats, px)


def _tensors(g: Gaussians) -> tuple[Tensor, ...]:
    return g.means, g.scales, g.quats, g.opacities, g.colors


def _leaves(g: Gaussians) -> Gaussians:
    """A copy whose five tensors take gradients."""
    return Gaussians(*(t.detach().clone().requires_grad_() for t in _tensors(g)))


def _fast_step(gaussians: Gaussians, camera: Camera) -> Callable[[], object]:
    leaves = _leaves(gaussians)
    gradient = torch.full((1, camera.height, camera.width, 3), 1e-3)
    gradients = [gradient, gradient[..., 0].clone()]

    def step() -> object:
        drawn = render(leaves, camera, backend="cpu")
        return torch.autograd.grad([drawn.image, drawn.alpha], _tensors(leaves), gradients)

    return step


def _plain_step(gaussians: Gaussians, camera: Camera) -> Callable[[], object]:
    leaves = _leaves(gaussians)
    gradient = torch.full((camera.height, camera.width, 3), 1e-3)
    gradients = [gradient, gradient[..., 0].clone()]

    def step() -> object:
        drawn = reference.render(leaves, camera)
        return torch.autograd.grad(drawn, _tensors(leaves), gradients)

    return step


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _timed(function: Callable[[], object]) -> dict[str, float]:
    """Least and median milliseconds of many runs."""
    function()
    runs: list[float] = []
    while len(runs) < RUNS[0] or (sum(runs) < SECONDS and len(runs) < RUNS[1]):
        runs.append(_seconds(function) * 1e3)
    return {"ms": round(min(runs), 2), "median_ms": round(statistics.median(runs), 2)}
