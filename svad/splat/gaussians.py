"""A cloud of 3D Gaussians."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from svad.compute.moved import moved
from svad.geometry.rotation import quaternion_multiply


@dataclass(frozen=True)
class Gaussians:
    """N Gaussians with full covariances R diag(scales)^2 R^T.

    Values are the ones used for drawing (no logarithms, no logits). Posed for T frames, every
    tensor has T in front; what is drawn is one frame.
    """

    means: Tensor  # [..., N, 3] metres
    scales: Tensor  # [..., N, 3] standard deviations along the local axes, metres
    quats: Tensor  # [..., N, 4] unit quaternions, real part first
    opacities: Tensor  # [..., N] in 0..1
    colors: Tensor  # [..., N, C]; RGB in 0..1 where C = 3

    def __len__(self) -> int:
        return self.means.shape[-2]

    def select(
        self,
        index: Tensor,  # [N] bool or [M] int64
    ) -> Gaussians:
        """The Gaussians at `index` (a mask or positions), in that order."""
        return Gaussians(
            self.means[..., index, :],
            self.scales[..., index, :],
            self.quats[..., index, :],
            self.opacities[..., index],
            self.colors[..., index, :],
        )

    def to(self, device: torch.device | str) -> Gaussians:
        """The same Gaussians on another device."""
        return moved(self, device)


def isotropic(
    means: Tensor,  # [N, 3]
    scales: Tensor,  # [N]
    colors: Tensor,  # [N, C]
    opacity: float = 1.0,
) -> Gaussians:
    """Round Gaussians of the given standard deviations."""
    n = means.shape[0]
    quats = torch.zeros(n, 4, dtype=means.dtype, device=means.device)
    quats[:, 0] = 1
    return Gaussians(
        means,
        scales[:, None].expand(n, 3).contiguous(),
        quats,
        means.new_full((n,), opacity),
        colors,
    )


def half_turn(
    gaussians: Gaussians,  # N
    axis: int,  # 0 x, 1 y, 2 z
) -> Gaussians:  # N
    """The Gaussians turned by 180 degrees about an axis of the world; twice gives them back."""
    signs = gaussians.means.new_full((3,), -1.0)
    signs[axis] = 1
    turn = gaussians.quats.new_zeros(4)
    turn[axis + 1] = 1
    quats = quaternion_multiply(turn.expand_as(gaussians.quats), gaussians.quats)
    return replace(gaussians, means=gaussians.means * signs, quats=quats)
