"""Backbone: DINOv2's vision transformer, under its published names."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.identity.sizes import LEVELS, VitSizes

EPSILON = 1e-6  # of the layer norms


class Attention(nn.Module):
    """Multi-head self-attention with one matrix for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:  # [B, L, C] -> the same
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Two layers with the exact GELU between."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:  # [B, L, C] -> the same
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """One learnt factor per channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:  # [..., C] -> the same
        return x * self.gamma


class Block(nn.Module):
    """Pre-norm transformer block with scaled branches."""

    def __init__(self, sizes: VitSizes) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(sizes.width, EPSILON)
        self.attn = Attention(sizes.width, sizes.heads)
        self.ls1 = LayerScale(sizes.width)
        self.norm2 = nn.LayerNorm(sizes.width, EPSILON)
        self.mlp = Mlp(sizes.width, sizes.ratio * sizes.width)
        self.ls2 = LayerScale(sizes.width)

    def forward(self, x: Tensor) -> Tensor:  # [B, L, C] -> the same
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbedding(nn.Module):
    """One vector per patch, row by row."""

    def __init__(self, sizes: VitSizes) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, sizes.width, sizes.patch, sizes.patch)

    def forward(self, pixels: Tensor) -> Tensor:  # [B, 3, H, W] -> [B, L, C]
        return self.proj(pixels).flatten(2).transpose(1, 2)


class Vit(nn.Module):
    """DINOv2 (Oquab et al. 2023), ViT without register tokens, at the size it was trained at."""

    def __init__(self, sizes: VitSizes) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + sizes.grid**2, sizes.width))
        self.patch_embed = PatchEmbedding(sizes)
        self.blocks = nn.ModuleList([Block(sizes) for _ in range(sizes.depth)])
        self.norm = nn.LayerNorm(sizes.width, EPSILON)

    def forward(
        self,
        pixels: Tensor,  # [B, 3, image, image] in ImageNet's scale
    ) -> list[Tensor]:  # four times [B, grid^2, width]
        """The patch tokens of the last four blocks, oldest first, each through the final norm.

        The class token is left out.
        """
        x = self.patch_embed(pixels)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        tokens = []
        for block in self.blocks:
            x = block(x)
            tokens.append(x)
        return [self.norm(x)[:, 1:] for x in tokens[-LEVELS:]]
