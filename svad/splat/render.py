"""Rendering of Gaussians: picks gsplat on CUDA and our own rasteriser elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.splat import render_cpu
from svad.splat.covariance import axes
from svad.splat.gaussians import Gaussians
from svad.splat.render_cpu import NEAR

BLUR = 0.3  # px^2, added to the diagonal of every 2D covariance
GROUP = 32  # channels drawn in one go
BACKENDS = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Rendered:
    """Pictures over black: lay them on a background with image + (1 - alpha) * background."""

    image: Tensor  # [T, H, W, C] float32, premultiplied
    alpha: Tensor  # [T, H, W] float32, 0..1


def render(
    gaussians: Gaussians,
    cameras: Camera | Sequence[Camera],
    channels: Tensor | None = None,  # [N, C] drawn in place of the colours
    *,
    covariances: Tensor | None = None,  # [N, 3, 3] in place of scales and quaternions
    near: float = NEAR,  # metres; nearer splats are not drawn
    backend: str = "auto",
) -> Rendered:
    """Draw the Gaussians as each of T cameras of one size sees them.

    Differentiable with respect to means, scales, quaternions (of any length), opacities and
    channels. Splats with a value that is not finite are left out. Follows gsplat 1.5.3 in its
    classic mode: a splat is dropped where its alpha is under 1/255, capped at 0.999, and a pixel
    ends before the splat that would take its transmittance to 1e-4 or less.

    `covariances` save CUDA their computing; the CPU decomposes them, which costs time at every
    call and carries no gradient: see `covariance.axes`.

    `backend`: "auto" takes CUDA when the means lie there. "cpu" is the numba rasteriser; it is
    faster when splats that are near in space are near in memory, see `spatial_order`.

    Raises ValueError for shapes or cameras that do not fit together.
    Source: Kerbl et al. 2023, 3D Gaussian Splatting, sections 4 and 6.
    """
    views = [cameras] if isinstance(cameras, Camera) else list(cameras)
    values = gaussians.colors if channels is None else channels
    _check(gaussians, values, covariances, views, backend)
    if backend == "auto":
        backend = "cuda" if gaussians.means.is_cuda else "cpu"
    draw = _render_cuda if backend == "cuda" else _render_cpu
    return draw(gaussians, views, values, covariances, near)


def spatial_order(means: Tensor) -> Tensor:  # [N, 3] -> [N] int64
    """An order in which splats that are near in space are near in memory (Morton code).

    `gaussians.select(spatial_order(gaussians.means))` makes every pass of the CPU rasteriser
    faster; the picture does not depend on it except where two depths are equal.
    """
    points = means.detach().double().cpu().numpy()
    points = np.nan_to_num(points, posinf=0.0, neginf=0.0)
    if len(points) == 0:
        return torch.zeros(0, dtype=torch.int64, device=means.device)
    low = points.min(0)
    cells = np.int64(1023) if len(points) < 2**20 else np.int64(2**21 - 1)
    code = np.zeros(len(points), np.int64)
    step = max(float((points - low).max()), 1e-12) / cells
    cell = ((points - low) / step).astype(np.int64)
    for bit in range(int(cells).bit_length()):
        for axis in range(3):
            code |= ((cell[:, axis] >> bit) & 1) << (3 * bit + axis)
    return torch.from_numpy(np.argsort(code, kind="stable")).to(means.device)


def _check(
    g: Gaussians, values: Tensor, covariances: Tensor | None, views: list[Camera], backend: str
) -> None:
    n = len(g)
    shapes = {
        "means": (g.means, (n, 3)),
        "scales": (g.scales, (n, 3)),
        "quats": (g.quats, (n, 4)),
        "opacities": (g.opacities, (n,)),
        "channels": (values, (n, values.shape[-1] if values.dim() else 0)),
    }
    if covariances is not None:
        shapes["covariances"] = covariances, (n, 3, 3)
    for name, (value, shape) in shapes.items():
        if tuple(value.shape) != shape:
            raise ValueError(f"{name} must be {list(shape)}, got {list(value.shape)}")
    if not views:
        raise ValueError("at least one camera is needed")
    sizes = {(c.width, c.height) for c in views}
    if len(sizes) > 1 or min(min(s) for s in sizes) < 1:
        raise ValueError(f"all cameras of one call must have one size of at least 1 px: {sizes}")
    if values.shape[-1] < 1:
        raise ValueError("at least one channel is needed")
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")


def _render_cpu(
    g: Gaussians, views: list[Camera], values: Tensor, covariances: Tensor | None, near: float
) -> Rendered:
    scales, quats = (g.scales, g.quats) if covariances is None else axes(covariances)
    drawn = [
        render_cpu.rasterize(g.means, scales, quats, g.opacities, values, view, near=near)
        for view in views
    ]
    if len(drawn) == 1:
        return Rendered(drawn[0][0][None], drawn[0][1][None])
    images, alphas = zip(*drawn, strict=True)
    return Rendered(torch.stack(images), torch.stack(alphas))


def _render_cuda(
    g: Gaussians, views: list[Camera], values: Tensor, covariances: Tensor | None, near: float
) -> Rendered:
    if len(g) == 0:
        shape = (len(views), views[0].height, views[0].width)
        return Rendered(values.new_zeros(*shape, values.shape[1]), values.new_zeros(shape))
    from gsplat import rasterization  # compiled for CUDA: imported only where it is used

    parts = [t.float() for t in (g.means, g.quats, g.scales, g.opacities[:, None], values)]
    fills = [0.0, 1.0, 1.0, 0.0, 0.0]
    if covariances is not None:
        parts.append(covariances.float().flatten(1))
        fills.append(1.0)
    finite = torch.stack([t.isfinite().all(-1) for t in parts]).all(0)  # [N]
    means, quats, scales, opacities, values, *matrix = (
        torch.where(finite[:, None], t, torch.full_like(t, fill))
        for t, fill in zip(parts, fills, strict=True)
    )
    options: dict[str, Any] = {"covars": matrix[0].unflatten(1, (3, 3))} if matrix else {}
    matrices, intrinsics = (np.zeros((len(views), k, k), np.float32) for k in (4, 3))
    for t, view in enumerate(views):
        matrices[t, :3, :3], matrices[t, :3, 3], matrices[t, 3, 3] = (
            view.rotation, view.translation, 1,
        )  # fmt: skip
        intrinsics[t] = (
            (view.focal[0], 0, view.center[0]), (0, view.focal[1], view.center[1]), (0, 0, 1),
        )  # fmt: skip
    image, alpha, _ = rasterization(
        means, quats, scales, opacities[:, 0], values,
        torch.from_numpy(matrices).to(means.device),
        torch.from_numpy(intrinsics).to(means.device),
        views[0].width, views[0].height,
        near_plane=near, eps2d=BLUR, rasterize_mode="classic", channel_chunk=GROUP, **options,
    )  # fmt: skip
    return Rendered(image, alpha[..., 0])
