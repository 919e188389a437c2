"""Rendering of Gaussians: one interface to gsplat, our rasteriser on Warp and ours on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.splat import render_cpu
from svad.splat.covariance import axes
from svad.splat.gaussians import Gaussians
from svad.splat.rasterisers import BACKENDS, backend_for
from svad.splat.render_cpu import NEAR


@dataclass(frozen=True)
class Rendered:
    """Pictures over black: lay them on a background with image + (1 - alpha) * background."""

    image: Tensor  # [T, H, W, C] float32, premultiplied
    alpha: Tensor  # [T, H, W] float32, 0..1


def render(
    gaussians: Gaussians,
    cameras: Camera | Sequence[Camera],
    channels: Tensor | None = None,  # [N, C] or [T, N, C], drawn in place of the colours
    *,
    covariances: Tensor | None = None,  # [N, 3, 3] or [T, N, 3, 3], not scales and quaternions
    near: float = NEAR,  # metres; nearer splats are not drawn
    backend: str = "auto",
) -> Rendered:
    """Draw the Gaussians as each of T cameras of one size sees them.

    Where a tensor of the Gaussians, or one in place of them, has T in front, camera t sees its
    part t: the frames of a moving avatar, or poses of several, in one call.

    Differentiable with respect to means, scales, quaternions (of any length), opacities and
    channels. Splats with a value that is not finite are left out. Follows gsplat 1.5.3 in its
    classic mode: a splat is dropped where its alpha is under 1/255, capped at 0.999, and a pixel
    ends before the splat that would take its transmittance to 1e-4 or less.

    `covariances` save gsplat their computing; the others decompose them, which costs time at every
    call and carries no gradient: see `covariance.axes`.

    `backend`: "auto" draws where the means lie, see `rasterisers.backend_for`. "gsplat" is for
    CUDA; "warp" is for CUDA, too, and slow on the CPU. "cpu" is the numba rasteriser; it is faster
    when splats that are near in space are near in memory, see `spatial_order`. The pictures come
    back to where the means lie.

    Raises ValueError for shapes or cameras that do not fit together.
    Source: Kerbl et al. 2023, 3D Gaussian Splatting, sections 4 and 6.
    """
    views = [cameras] if isinstance(cameras, Camera) else list(cameras)
    values = gaussians.colors if channels is None else channels
    _check(gaussians, values, covariances, views, backend)
    if backend == "auto":
        backend = backend_for(gaussians.means.device)
    if backend != "gsplat" and covariances is not None:
        scales, quats = axes(covariances)
        gaussians = replace(gaussians, scales=scales, quats=quats)
        covariances = None
    parts = _batched(gaussians, values, covariances)
    draw = {"cpu": _render_cpu, "gsplat": _render_gsplat, "warp": _render_warp}[backend]
    image, alpha = draw(parts, views, near)
    place = gaussians.means.device
    return Rendered(image.to(place), alpha.to(place))


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
    step = max(float((points - low).max()), 1e-12) / cells
    x, y, z = _every_third_bit(((points - low) / step).astype(np.int64).T)
    code = x | y << 1 | z << 2
    return torch.sort(torch.from_numpy(code), stable=True).indices.to(means.device)


def _every_third_bit(values: np.ndarray) -> np.ndarray:  # [...] int64, 0 to 2^21 - 1
    """Bit k of each goes to bit 3 k, by a table of eleven bits."""
    small = np.arange(2**11)
    table = np.zeros(2**11, np.int64)
    for bit in range(11):
        table |= ((small >> bit) & 1) << 3 * bit
    if values.max(initial=0) < 2**11:
        return table[values]
    return table[values & 2**11 - 1] | table[values >> 11] << 33


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
        if tuple(value.shape) not in (shape, (len(views), *shape)):
            raise ValueError(
                f"{name} must be {list(shape)}, or that for each of {len(views)} cameras, "
                f"got {list(value.shape)}"
            )
    if not views:
        raise ValueError("at least one camera is needed")
    sizes = {(c.width, c.height) for c in views}
    if len(sizes) > 1 or min(min(s) for s in sizes) < 1:
        raise ValueError(f"all cameras of one call must have one size of at least 1 px: {sizes}")
    if values.shape[-1] < 1:
        raise ValueError("at least one channel is needed")
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")


def _batched(g: Gaussians, values: Tensor, covariances: Tensor | None) -> list[Tensor]:
    """Everything with T or 1 in front, all but the colours with the same of the two.

    Means, scales, quaternions, opacities, colours and, if there are any, covariances.
    """
    dimensions = [(g.means, 2), (g.scales, 2), (g.quats, 2), (g.opacities, 1), (values, 2)]
    if covariances is not None:
        dimensions.append((covariances, 3))
    parts = [part if part.dim() > own else part[None] for part, own in dimensions]
    colors = parts.pop(4)
    sets = max(len(part) for part in parts)
    parts = [part.expand(sets, *part.shape[1:]) for part in parts]
    return [*parts[:4], colors, *parts[4:]]


def _render_cpu(
    parts: Sequence[Tensor], views: Sequence[Camera], near: float
) -> tuple[Tensor, Tensor]:
    """One picture after the other."""
    drawn = [
        render_cpu.rasterize(*(p[t % len(p)] for p in parts), camera=view, near=near)
        for t, view in enumerate(views)
    ]
    if len(drawn) == 1:
        return drawn[0][0][None], drawn[0][1][None]
    images, alphas = zip(*drawn, strict=True)
    return torch.stack(images), torch.stack(alphas)


def _render_warp(
    parts: Sequence[Tensor], views: Sequence[Camera], near: float
) -> tuple[Tensor, Tensor]:
    from svad.splat import render_warp

    means, scales, quats, opacities, colors = parts
    return render_warp.rasterize(means, scales, quats, opacities, colors, views, near)


def _render_gsplat(
    parts: Sequence[Tensor], views: Sequence[Camera], near: float
) -> tuple[Tensor, Tensor]:
    from svad.splat import render_gsplat

    means, scales, quats, opacities, colors, *matrices = parts
    return render_gsplat.rasterize(means, scales, quats, opacities, colors, views, near, *matrices)
