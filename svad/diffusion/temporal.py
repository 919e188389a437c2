"""Temporal module of the video UNet: each pixel attends to itself in all frames of a window."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor, nn

from svad.diffusion.layers import Attention, FeedForward, in_chunks


class TemporalBlock(nn.Module):
    """Two self-attentions over the frames and a feed-forward, each with a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_blocks = nn.ModuleList([Attention(width, heads) for _ in range(2)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2)])
        self.ff = FeedForward(width)
        self.ff_norm = nn.LayerNorm(width)

    def forward(self, y: Tensor) -> Tensor:  # [N, T, C] -> the same
        code = position_code(y.shape[1], y.shape[2], y.device, y.dtype)
        for norm, attention in zip(self.norms, self.attention_blocks, strict=True):
            y = y + attention(norm(y) + code)
        return y + self.ff(self.ff_norm(y))


class TemporalTransformer(nn.Module):
    """Norm per frame, projection, temporal block, projection."""

    def __init__(self, width: int, heads: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, eps=1e-6)
        self.proj_in = nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([TemporalBlock(width, heads)])
        self.proj_out = nn.Linear(width, width)

    def forward(self, x: Tensor, frames: int) -> Tensor:  # [B * T, C, H, W] -> the same
        # the norm's statistics are those of single frames; diffusers' own temporal transformer
        # takes them over all frames together, which is another network
        y = self.norm(x).unflatten(0, (-1, frames))  # [B, T, C, H, W]
        batch, _, width, height, columns = y.shape
        y = y.permute(0, 3, 4, 1, 2).flatten(0, 2)  # [B * H * W, T, C]
        y = in_chunks(self._pixels, y, 8 * frames * width)
        y = y.view(batch, height, columns, frames, width).permute(0, 3, 4, 1, 2)
        return x + y.flatten(0, 1)

    def _pixels(self, y: Tensor) -> Tensor:  # [N, T, C] -> the same
        return self.proj_out(self.transformer_blocks[0](self.proj_in(y)))


class TemporalModule(nn.Module):
    """AnimateDiff's motion module (Guo et al. 2023, section 4.2), under its published names."""

    def __init__(self, width: int, heads: int, groups: int, max_frames: int) -> None:
        super().__init__()
        self.max_frames = max_frames
        self.temporal_transformer = TemporalTransformer(width, heads, groups)

    def forward(self, x: Tensor, frames: int) -> Tensor:  # [B * T, C, H, W] -> the same
        if frames > self.max_frames:
            raise ValueError(
                f"a window has at most {self.max_frames} frames, but {frames} came; "
                "use shorter windows"
            )
        return self.temporal_transformer(x, frames)


@lru_cache(maxsize=32)
def position_code(
    frames: int, width: int, device: torch.device, dtype: torch.dtype
) -> Tensor:  # [T, C]
    """Sines at even and cosines at odd channels (Vaswani et al. 2017, section 3.5)."""
    position = torch.arange(frames, dtype=torch.float32, device=device)[:, None]
    even = torch.arange(0, width, 2, dtype=torch.float32, device=device)
    angles = position * torch.exp(even * (-math.log(10000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1).to(dtype)
