"""Which of the three rasterisers draws on this machine: gsplat, ours on Warp, ours on the CPU."""

from __future__ import annotations

import functools
import logging
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from svad.compute.device import device, on_zero

if TYPE_CHECKING:
    import torch

BACKENDS = ("auto", "cpu", "gsplat", "warp")
NAMES = {"gsplat": "gsplat", "warp": "Warp", "cpu": "CPU"}
TOOLKITS = ("CUDA_HOME", "CUDA_PATH")  # environment variables that name the CUDA toolkit's folder
TOOLKIT = "/usr/local/cuda"
DRIVER = ("/dev/nvidiactl", "/proc/driver/nvidia", "/dev/dxg")  # one is there where CUDA is

log = logging.getLogger(__name__)


def rasteriser() -> str:
    """The name of the one that draws what lies on this machine's device: gsplat, Warp or CPU.

    Loads and compiles nothing, so that the page may ask at its start: before the first picture it
    says what is expected to work. On ZeroGPU that is Warp, since no wheel of gsplat is made for
    its cards and there is no compiler.
    """
    if not _has_driver() or device().type != "cuda":
        return NAMES["cpu"]
    if _CHOSEN:
        return NAMES[_CHOSEN[-1]]
    if not on_zero() and (_is_compiled() or _has_compiler()):
        return NAMES["gsplat"]
    return NAMES["cpu" if find_spec("warp") is None else "warp"]


def backend_for(place: torch.device) -> str:
    """What "auto" means for tensors there; the first call for CUDA loads it, or compiles it.

    gsplat where its compiled part is there and draws on this card, or can be compiled because
    nvcc is there; else Warp, which brings its compiler along; else the CPU.
    """
    return "cpu" if place.type != "cuda" else _backend_on_cuda()


_CHOSEN: list[str] = []  # the backend on CUDA, once known


@functools.cache
def _backend_on_cuda() -> str:
    from svad.splat.render_warp import draws_on_cuda

    _CHOSEN.append("gsplat" if _gsplat_draws() else "warp" if draws_on_cuda() else "cpu")
    log.info("%s draws the Gaussians", NAMES[_CHOSEN[-1]])
    return _CHOSEN[-1]


def _gsplat_draws() -> bool:
    """Whether gsplat draws on this card; compiles it where that is possible and was not done."""
    if not _is_compiled():
        if not _has_compiler():
            return False
        log.warning("gsplat compiles its part for CUDA where it has not yet: some minutes, once")
    try:
        from gsplat.cuda import _backend

        if _backend._C is None:
            return False
        _draw_one()
    except Exception:  # whatever it is (compiler, driver, a card it is not made for): Warp draws
        log.warning("gsplat cannot be used here", exc_info=True)
        return False
    return True


def _draw_one() -> None:
    """One Gaussian on CUDA: fails where the compiled part is not made for this card."""
    import torch

    from svad.geometry.camera import photo_camera
    from svad.splat import render_gsplat

    one = {"means": [0, 0, -4], "scales": [0.1] * 3, "quats": [1, 0, 0, 0], "colors": [1] * 3}
    parts = {name: torch.tensor([[v]]).float().cuda() for name, v in one.items()}
    opacities = torch.ones(1, 1, device="cuda")
    _, alpha = render_gsplat.rasterize(
        parts["means"], parts["scales"], parts["quats"], opacities, parts["colors"],
        [photo_camera(16, 16)],
    )  # fmt: skip
    if not alpha.max() > 0.5:  # reading it waits for the card
        raise RuntimeError("gsplat draws nothing on this card")


def _is_compiled() -> bool:
    """Whether gsplat's compiled part came with it: looked up without importing anything."""
    spec = find_spec("gsplat")
    folders = spec.submodule_search_locations if spec else None
    return any(any(Path(folder).glob("csrc*.*")) for folder in folders or ())


def _has_driver() -> bool:
    """Whether there may be an NVIDIA card: asked before torch, whose import takes seconds."""
    return on_zero() or sys.platform != "linux" or any(Path(file).exists() for file in DRIVER)


def _has_compiler() -> bool:
    """Whether nvcc is where torch and gsplat look for it."""
    if find_spec("gsplat") is None:
        return False
    homes = [os.environ.get(name) for name in TOOLKITS] + [TOOLKIT]
    there = (Path(home) / "bin" / "nvcc" for home in homes if home)
    return shutil.which("nvcc") is not None or any(path.is_file() for path in there)
