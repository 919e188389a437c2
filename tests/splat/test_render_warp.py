"""The rasteriser on Warp: what its pictures, held to the others in `test_render`, do not show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.geometry.camera import Camera
from svad.splat.gaussians import Gaussians, isotropic
from svad.splat.render import render
from tests.splat.reference import NAMES, WAYS, Way, assert_same_picture, leaves, with_channels
from tools.bench.scene import body_like_scene

ROOT = Path(__file__).parents[2]
WARP = [way for way in WAYS if way.values[0].backend == "warp"]


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("card", [90, 120])
def test_kernels_compile_for_cards_that_are_not_here(card: int, tmp_path: Path):
    """And keep the values of a pixel in registers: nothing spills where it would be slow."""
    import warp as wp

    from svad.splat import warp_drawing, warp_kernels

    sets = [warp_drawing.compositing(width) for width in warp_drawing.WIDTHS]
    modules = [warp_kernels.MODULE, *(kernels.draw.module for kernels in sets)]
    for module in modules:
        paths = wp.compile_aot_module(module, arch=card, module_dir=tmp_path, use_ptx=True)
        code = b"".join(Path(path).read_bytes() for path in paths)
        assert b".entry" in code and b"\t.local " not in code, module.name
    assert len({module.name for module in modules}) == 3


def test_warp_is_imported_when_it_draws_and_not_before():
    assert run("import svad.splat.render, sys; print('warp' in sys.modules)").strip() == "False"


def test_warp_is_quiet_and_finds_a_folder_for_its_kernels(tmp_path: Path):
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    code = "from svad.splat import render_warp as r; print(r._warp().config.kernel_cache_dir)"
    environment = {"XDG_CACHE_HOME": str(no_folder), "TMPDIR": str(tmp_path)}
    lines = run(code, **environment).strip().splitlines()
    assert lines[-1].startswith(str(tmp_path / "svad-warp-"))
    assert not any("initialized" in line for line in lines)
    own = run(code, WARP_CACHE_PATH=str(tmp_path / "own")).strip().splitlines()[-1]
    assert own.startswith(str(tmp_path / "own"))


@pytest.mark.parametrize("way", WARP)
def test_channels_that_start_between_boundaries_of_memory(way: Way):
    """Sixteen bytes are read at once on CUDA, which fails where an address does not suit that."""
    gaussians, camera = body_like_scene(300, 40, seed=3, sigma=(1, 3))
    gaussians = with_channels(gaussians, 32).to(way.device)
    apart = torch.cat([gaussians.colors.new_zeros(1), gaussians.colors.flatten()])[1:]
    drawn = render(gaussians, camera, apart.view(300, 32), backend="warp")
    expected = render(gaussians, camera, backend="warp")
    assert torch.equal(drawn.image, expected.image)


@pytest.mark.parametrize("way", WARP)
def test_too_many_pairs_are_refused(way: Way):
    camera = Camera(np.eye(3), np.zeros(3), (9e3, 9e3), (8192.0, 8192.0), 16384, 16384)
    means = torch.tensor([[0.0, 0.0, 1.0]]).expand(2100, 3)
    large = isotropic(means, torch.full((2100,), 9.0), torch.ones(2100, 3)).to(way.device)
    with pytest.raises(MemoryError, match="2100 splats cover 2202009600 tiles"):
        render(large, camera, backend="warp")


@pytest.mark.gpu
def test_the_gradient_waits_for_work_on_torchs_stream():
    gaussians, camera = body_like_scene(20_000, 256, seed=5)
    expected = leaves(gaussians.to("cuda"))
    render(expected, camera, backend="warp").image.square().sum().backward()
    parts = leaves(Gaussians(*(torch.zeros_like(getattr(expected, n)) for n in NAMES)))
    with torch.cuda.stream(torch.cuda.Stream()):
        torch.cuda._sleep(50_000_000)  # what was asked before is not done yet
        with torch.no_grad():
            for name in NAMES:
                getattr(parts, name).copy_(getattr(expected, name))
        drawn = render(parts, camera, backend="warp")
        drawn.image.square().sum().backward()
    torch.cuda.synchronize()
    assert_same_picture(drawn.image.detach(), render(expected, camera, backend="warp").image)
    for name in NAMES:
        torch.testing.assert_close(
            getattr(parts, name).grad, getattr(expected, name).grad, rtol=1e-3, atol=1e-3
        )
