"""What the rasteriser tests share: the plain PyTorch reference and a way to compare with it."""

from __future__ import annotations

import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.splat.gaussians import Gaussians
from svad.splat.render import render
from tools.bench.reference import render as plain_render

NAMES = ("means", "scales", "quats", "opacities", "colors")


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
    g: Gaussians, camera: Camera, seed: int = 0
) -> tuple[tuple[Tensor, Tensor, list[Tensor]], tuple[Tensor, Tensor, list[Tensor]]]:
    """(image [H, W, C], alpha [H, W], gradients) of the fast and of the float64 rasteriser.

    The scalar that is differentiated weights every value of both pictures at random.
    """
    random = torch.Generator().manual_seed(seed)
    w_image = torch.rand(camera.height, camera.width, g.colors.shape[1], generator=random) - 0.3
    w_alpha = torch.rand(camera.height, camera.width, generator=random) - 0.3
    fast, plain = leaves(g), leaves(g, torch.float64)
    drawn = render(fast, camera)
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
