"""Layers that the spatial and temporal parts of the video UNet share."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHUNK_ELEMENTS = 2**28  # the largest inner tensor of a chunked layer: 512 MB in half precision


class Attention(nn.Module):
    """Multi-head attention: q, k, v without bias, `to_out` with."""

    def __init__(self, width: int, heads: int, context: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context or width, width, bias=False)
        self.to_v = nn.Linear(context or width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def split(self, x: Tensor) -> Tensor:  # [N, L, C] -> [N, heads, L, C / heads]
        """One matrix per head."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def keys_values(
        self,
        x: Tensor,  # [N, L, C]
    ) -> tuple[Tensor, Tensor]:  # [N, heads, L, C / heads] each
        """Keys and values of tokens."""
        return self.split(self.to_k(x)), self.split(self.to_v(x))

    def forward(
        self,
        x: Tensor,  # [N, L, C]
        more: tuple[Tensor, Tensor] | None = None,  # keys, values [1, heads, M, C / heads]
    ) -> Tensor:  # [N, L, C]
        """Self-attention; `more` adds keys and values that all N sequences share."""
        q = self.split(self.to_q(x))
        k, v = self.keys_values(x)
        if more is not None:
            k = torch.cat([k, more[0].expand(len(x), -1, -1, -1)], 2)
            v = torch.cat([v, more[1].expand(len(x), -1, -1, -1)], 2)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.to_out[0](y.transpose(1, 2).flatten(2))


class GatedLinear(nn.Module):
    """GEGLU (Shazeer 2020, section 2): first half times the exact GELU of the second."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * inner)

    def forward(self, x: Tensor) -> Tensor:  # [..., C] -> [..., inner]
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """GEGLU to four times the width, then back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # index 1 is the dropout of the published network, which has no weights
        self.net = nn.ModuleList(
            [GatedLinear(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width)]
        )

    def forward(self, x: Tensor) -> Tensor:  # [..., C] -> [..., C]
        return self.net[2](self.net[0](x))


class TimeEmbedding(nn.Module):
    """Timestep to the vector that steers every residual block."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width, inner)
        self.linear_2 = nn.Linear(inner, inner)

    def forward(self, waves: Tensor) -> Tensor:  # [1, width] -> [1, inner]
        return self.linear_2(F.silu(self.linear_1(waves)))


class ResidualBlock(nn.Module):
    """Two normalised 3 x 3 convolutions with a shift by the timestep between them."""

    def __init__(self, width: int, out: int, time: int, groups: int) -> None:
        super().__init__()
        self.name = ""  # set by the UNet
        self.norm1 = nn.GroupNorm(groups, width, eps=1e-5)
        self.conv1 = nn.Conv2d(width, out, 3, padding=1)
        self.time_emb_proj = nn.Linear(time, out)
        self.norm2 = nn.GroupNorm(groups, out, eps=1e-5)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(width, out, 1) if width != out else None

    def forward(
        self,
        x: Tensor,  # [N, C, H, W]
        shift: Tensor,  # [1, out] = time_emb_proj(SiLU(time embedding))
    ) -> Tensor:  # [N, out, H, W]
        return in_chunks(lambda part: self._frames(part, shift), x, x[0].numel())

    def _frames(self, x: Tensor, shift: Tensor) -> Tensor:
        y = self.conv1(F.silu(self.norm1(x))) + shift[:, :, None, None]
        y = self.conv2(F.silu(self.norm2(y)))
        return y + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Downsample(nn.Module):
    """Half the size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C, ceil(H/2), ceil(W/2)]
        return self.conv(x)


class Upsample(nn.Module):
    """To the size of the next skip tensor: twice the size, or the right odd one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:  # [N, C, h, w] -> [N, C, *size]
        return in_chunks(
            lambda part: self.conv(F.interpolate(part, size=size, mode="nearest")),
            x, x.shape[1] * size[0] * size[1],
        )  # fmt: skip


def time_waves(step: int, width: int, device: torch.device) -> Tensor:  # [1, width] float32
    """Cosines, then sines, of the timestep at `width / 2` frequencies (DDPM, appendix B)."""
    half = width // 2
    grid = torch.arange(half, dtype=torch.float32, device=device)
    angles = step * torch.exp(-math.log(10000.0) * grid / half)
    return torch.cat([angles.cos(), angles.sin()])[None]


def in_chunks(
    function: Callable[[Tensor], Tensor],
    x: Tensor,  # [N, ...]
    row_elements: int,  # of the largest inner tensor, per row of x
) -> Tensor:
    """Applies a function that treats rows alone to few rows at a time, so memory is bounded."""
    chunks = math.ceil(len(x) * row_elements / CHUNK_ELEMENTS)
    if chunks <= 1:
        return function(x)
    rows = math.ceil(len(x) / chunks)  # of almost equal size
    return torch.cat([function(part) for part in x.split(rows)])
