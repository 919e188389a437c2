"""Timings of the rasterisers: the one on the CPU, and those on CUDA."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.splat.gaussians import Gaussians
from svad.splat.rasterisers import NAMES, backend_for
from svad.splat.render import render, spatial_order
from svad.splat.render_cpu import warm_up
from svad.splat.render_warp import draws_on_cuda
from tools.bench import reference
from tools.bench.scene import body_like_scene

SPLATS = (10_000, 40_000, 160_000)
SIZES = (256, 384, 512)  # px
COMPARED = ((10_000, 256), (40_000, 384))  # splats, px: where the plain reference runs too
SECONDS = 1.0  # spent on one figure, at least
RUNS = (9, 40)  # fewest and most runs of one figure
CUDA_SPLATS = (54_000, 167_000)  # of a body that is learnt, and of the published one
CUDA_SIZE = 512  # px
BATCHES = (1, 4, 8)  # poses and cameras in one call
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
        "splat.batch": _batches,
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
        step = _fast_step(gaussians, [camera])
        yield {"splats": splats, "px": px, **_timed(step)}


def _speedups() -> Iterator[dict]:
    """Render and gradient against the plain tiled PyTorch reference, one after the other."""
    for splats, px in COMPARED:
        gaussians, camera = body_like_scene(splats, px)
        fast = _timed(_fast_step(gaussians, [camera]))
        slow = min(_seconds(_plain_step(gaussians, camera)) for _ in range(2)) * 1e3
        yield {
            "splats": splats, "px": px, "ratio": round(slow / fast["ms"], 1),
            "ms": fast["ms"], "torch_ms": round(slow, 1),
        }  # fmt: skip


def _batches() -> Iterator[dict]:
    """Rendering of posed Gaussians, alone and with its gradient, with each rasteriser here."""
    for backend, device in _ways():
        if backend is None:
            yield {"device": device, "skipped": "no CUDA device"}
            continue
        name = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {os.cpu_count()} cores"
        for splats, batch in itertools.product(CUDA_SPLATS, BATCHES):
            gaussians, camera = body_like_scene(splats, CUDA_SIZE)
            order = spatial_order(gaussians.means)
            posed = _posed(gaussians.select(order).to(device), batch)
            views = [camera] * batch
            with torch.no_grad():
                drawn = _timed(lambda g=posed, v=views, b=backend: render(g, v, backend=b))
            both = _timed(_fast_step(posed, views, backend))
            yield {
                "rasteriser": NAMES[backend], "device": name, "threads": torch.get_num_threads(),
                "splats": splats, "px": CUDA_SIZE, "batch": batch,
                "render_ms": drawn["ms"], "render_and_grad_ms": both["ms"],
                "renders_per_second": round(1e3 * batch / drawn["ms"], 1),
            }  # fmt: skip


def _ways() -> Iterator[tuple[str | None, str]]:
    """Rasteriser and device; None where there is no such device."""
    yield "cpu", "cpu"
    if not torch.cuda.is_available():
        yield None, "cuda"
        return
    if draws_on_cuda():
        yield "warp", "cuda"
    if backend_for(torch.device("cuda")) == "gsplat":
        yield "gsplat", "cuda"


def _posed(g: Gaussians, batch: int) -> Gaussians:
    """A body that moves: means and rotations for each pose, the rest shared."""
    means, quats = (t.expand(batch, *t.shape).clone() for t in (g.means, g.quats))
    return Gaussians(means, g.scales, quats, g.opacities, g.colors)


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


def _fast_step(
    gaussians: Gaussians, views: Sequence[Camera], backend: str = "cpu"
) -> Callable[[], object]:
    leaves = _leaves(gaussians)
    shape = (len(views), views[0].height, views[0].width, 3)
    gradient = torch.full(shape, 1e-3, device=gaussians.means.device)
    gradients = [gradient, gradient[..., 0].clone()]

    def step() -> object:
        drawn = render(leaves, views, backend=backend)
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
    if torch.cuda.is_available():  # it only asked the card to work
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _timed(function: Callable[[], object]) -> dict[str, float]:
    """Least and median milliseconds of many runs."""
    function()
    runs: list[float] = []
    while len(runs) < RUNS[0] or (sum(runs) < SECONDS and len(runs) < RUNS[1]):
        runs.append(_seconds(function) * 1e3)
    return {"ms": round(min(runs), 2), "median_ms": round(statistics.median(runs), 2)}
