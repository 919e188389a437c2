"""What the rasteriser tests share: every way to draw, the plain reference, how to compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.splat import rasterisers
from svad.splat.gaussians import Gaussians
from svad.splat.render import Rendered, render
from tools.bench.reference import render as plain_render

NAMES = ("means", "scales", "quats", "opacities", "colors")
# Alphas that lie within rounding of 1/255 may fall on either side: a few pixels, by up to 1/255.
EDGE = 1 / 255
ROUNDING = 2e-5


@dataclass(frozen=True)
class Way:
    """A rasteriser on a device; what goes in and comes out lies on the CPU."""

    backend: str
    device: str

    def render(
        self,
        gaussians: Gaussians,
        cameras: Camera | Sequence[Camera],
        channels: Tensor | None = None,
        **options: Any,
    ) -> Rendered:
        """`render`, there and back; differentiable."""
        if self.backend == "gsplat" and not rasterisers._gsplat_draws():
            pytest.skip("gsplat has no compiled part for this card")
        there = gaussians.to(self.device)
        channels = None if channels is None else channels.to(self.device)
        drawn = render(there, cameras, channels, backend=self.backend, **options)
        assert drawn.image.device == there.means.device
        return Rendered(drawn.image.cpu(), drawn.alpha.cpu())


CPU = Way("cpu", "cpu")
WAYS = [
    pytest.param(CPU, id="cpu"),
    pytest.param(Way("warp", "cpu"), id="warp"),
    pytest.param(Way("warp", "cuda"), id="warp-cuda", marks=pytest.mark.gpu),
    pytest.param(Way("gsplat", "cuda"), id="gsplat-cuda", marks=pytest.mark.gpu),
]


def with_channels(g: Gaussians, channels: int) -> Gaussians:
    """The same Gaussians with random colours of another number of channels."""
    values = torch.rand(len(g), channels, generator=torch.Generator().manual_seed(5))
    return Gaussians(g.means, g.scales, g.quats, g.opacities, values)


def assert_same_picture(image: Tensor, expected: Tensor) -> None:
    """Equal but for rounding, and for a few pixels at the cut."""
    error = (image.double() - expected).abs()
    assert error.max() < EDGE * 1.01
    assert (error > ROUNDING).float().mean() < 1e-3


def leaves(g: Gaussians, dtype: torch.dtype = torch.float32) -> Gaussians:
    """A copy in `dtype` whose tensors take gradients."""
    return Gaussians(*(getattr(g, n).detach().to(dtype, copy=True).requires_grad_() for n in NAMES))


def gradients(g: Gaussians) -> list[Tensor]:
    return [getattr(g, name).grad for name in NAMES]


def depth_order(g: Gaussians, camera: Camera) -> Tensor:  # [N]
    """The float32 order the fast rasteriser draws in, for the float64 reference."""
    rotation = torch.as_tensor(camera.rotation, dtype=torch.float32)
    depth = g.means.detach().float() @ rotation[2] + float(camera.translation[2])
    return torch.argsort(depth, stable=True)


def both(
    g: Gaussians, camera: Camera, seed: int = 0, way: Way = CPU
) -> tuple[tuple[Tensor, Tensor, list[Tensor]], tuple[Tensor, Tensor, list[Tensor]]]:
    """(image [H, W, C], alpha [H, W], gradients) of the fast and of the float64 rasteriser.

    The scalar that is differentiated weights every value of both pictures at random.
    """
    random = torch.Generator().manual_seed(seed)
    w_image = torch.rand(camera.height, camera.width, g.colors.shape[1], generator=random) - 0.3
    w_alpha = torch.rand(camera.height, camera.width, generator=random) - 0.3
    fast, plain = leaves(g), leaves(g, torch.float64)
    drawn = way.render(fast, camera)
    image, alpha = drawn.image[0], drawn.alpha[0]
    expected, expected_alpha = plain_render(plain, camera, order=depth_order(g, camera))
    ((image * w_image).sum() + (alpha * w_alpha).sum()).backward()
    ((expected * w_image).sum() + (expected_alpha * w_alpha).sum()).backward()
    return (
        (image.detach(), alpha.detach(), gradients(fast)),
        (expected.detach(), expected_alpha.detach(), gradients(plain)),
    )


def relative(value: Tensor, expected: Tensor) -> float:
    """Relative L2 distance."""
    return ((value.double() - expected).norm() / expected.norm()).item()
