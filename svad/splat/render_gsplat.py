"""gsplat on CUDA, asked so that it draws what our own rasterisers draw."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.splat.render_cpu import NEAR

BLUR = 0.3  # px^2, added to the diagonal of every 2D covariance
GROUP = 32  # channels drawn in one go
FILLS = (0.0, 1.0, 1.0, 0.0, 0.0, 1.0)  # in place of values that are not finite


def rasterize(
    means: Tensor,  # [B, N, 3]
    scales: Tensor,  # [B, N, 3]
    quats: Tensor,  # [B, N, 4]
    opacities: Tensor,  # [B, N]
    colors: Tensor,  # [D, N, C]
    cameras: Sequence[Camera],
    near: float = NEAR,
    covariances: Tensor | None = None,  # [B, N, 3, 3] in place of scales and quaternions
) -> tuple[Tensor, Tensor]:  # image [T, H, W, C] over black, alpha [T, H, W]
    """Draw T views of one size, of one set of splats (B = 1) or of one each (B = T), in one go.

    Colours are shared (D = 1) or not (D = T) whatever B is. Differentiable with respect to all
    tensors, which lie on CUDA. Splats with a value that is not finite, or nearer than `near`
    metres, are not drawn.
    """
    if means.shape[1] == 0:
        shape = (len(cameras), cameras[0].height, cameras[0].width)
        nothing = colors.sum()  # keeps the picture in the graph
        empty = colors.new_zeros(shape, dtype=torch.float32) + nothing
        return empty[..., None].expand(*shape, colors.shape[-1]), empty
    from gsplat import rasterization  # compiled for CUDA: imported only where it is used

    parts = [t.float() for t in (means, quats, scales, opacities[..., None], colors)]
    if covariances is not None:
        parts.append(covariances.float().flatten(2))
    finite = functools.reduce(torch.logical_and, [t.isfinite().all(-1, True) for t in parts])
    parts = [
        torch.where(finite, t, torch.full_like(t, fill))
        for t, fill in zip(parts, FILLS, strict=False)
    ]
    views, intrinsics = _matrices(cameras, means.device)
    batch = len(finite) > 1  # of [B or D, N, 1]
    if batch:  # a camera to each set: [T, 1 camera, ..]
        views, intrinsics = views[:, None], intrinsics[:, None]
    else:
        parts = [t[0] for t in parts]
    means, quats, scales, opacities, colors, *matrix = parts
    options: dict[str, Any] = {"covars": matrix[0].unflatten(-1, (3, 3))} if matrix else {}
    if batch:
        options["packed"] = False
    image, alpha, _ = rasterization(
        means, quats, scales, opacities[..., 0], colors, views, intrinsics,
        cameras[0].width, cameras[0].height,
        near_plane=near, eps2d=BLUR, rasterize_mode="classic", channel_chunk=GROUP, **options,
    )  # fmt: skip
    if batch:
        image, alpha = image[:, 0], alpha[:, 0]
    return image, alpha[..., 0]


def _matrices(cameras: Sequence[Camera], device: torch.device) -> tuple[Tensor, Tensor]:
    """World to camera [T, 4, 4] and intrinsics [T, 3, 3]."""
    views, intrinsics = (np.zeros((len(cameras), k, k), np.float32) for k in (4, 3))
    for t, view in enumerate(cameras):
        views[t, :3, :3], views[t, :3, 3], views[t, 3, 3] = view.rotation, view.translation, 1
        intrinsics[t] = (
            (view.focal[0], 0, view.center[0]), (0, view.focal[1], view.center[1]), (0, 0, 1),
        )  # fmt: skip
    return torch.from_numpy(views).to(device), torch.from_numpy(intrinsics).to(device)
