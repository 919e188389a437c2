"""The rasteriser without a GPU: threads, several pictures at once, one compilation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch

from svad.splat.gaussians import Gaussians
from svad.splat.render import render
from svad.splat.render_cpu import rasterize, warm_up
from tests.splat.kernels import KERNELS
from tests.splat.reference import NAMES, leaves, with_channels
from tools.bench.scene import body_like_scene


def test_same_bits_on_any_number_of_threads():
    gaussians, camera = body_like_scene(20_000, 200, seed=7)
    results = []
    for threads in (1, 2, 3, 7):
        parts = leaves(gaussians)
        image, alpha = rasterize(*(getattr(parts, n) for n in NAMES), camera, threads)
        (image.sum() - alpha.square().sum()).backward()
        results.append([image, alpha, *(getattr(parts, n).grad for n in NAMES)])
    for other in results[1:]:
        # exact by construction: threads share out whole blocks of splats, and whole tiles
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_renders_at_the_same_time_are_right():
    scenes = [body_like_scene(3000, 64, seed=s) for s in range(4)]
    expected = [render(g, c).image for g, c in scenes]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            drawn = list(pool.map(lambda s: render(*s).image, scenes))
            assert all(torch.equal(a, b) for a, b in zip(drawn, expected, strict=True))


def test_every_kernel_is_compiled_once():
    """Other sizes, channel counts and memory layouts must not start the compiler again."""
    warm_up()
    gaussians, camera = body_like_scene(40, 33, seed=13)
    wide = gaussians.means.repeat(1, 2)[:, ::2][:, [0, 2, 1]]  # not contiguous
    mixed = Gaussians(wide, gaussians.scales[:1].expand(40, 3), *list(vars(gaussians).values())[2:])
    for g, channels in ((gaussians, 2), (mixed, 3), (mixed, 33), (gaussians.select([0]), 4)):
        drawn = render(leaves(with_channels(g, channels)), camera)
        drawn.image.sum().backward()  # an expanded gradient
    render(gaussians, camera)
    assert len(KERNELS) == 9
    assert {name: len(v.signatures) for name, v in KERNELS.items()} == dict.fromkeys(KERNELS, 1)
