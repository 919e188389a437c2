"""A decoder that lets feature maps of several strides look at each other (Mask2Former).

Module names are the keys of the published files. Each token asks four places in each of the three
coarser maps (deformable attention, Zhu et al., ICLR 2021); the finest map joins at the end.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS, POINTS, LEVELS = 8, 4, 3
GROUPS = 32  # of the group norms
BASE = 10000.0  # of the waves that tell places


class PixelDecoder(nn.Module):
    """Four maps in, three refined maps and one of per-pixel features out."""

    def __init__(self, widths: list[int], width: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.level_embed = nn.Parameter(torch.empty(LEVELS, width))
        coarse = widths[: -LEVELS - 1 : -1]
        self.input_projections = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(w, width, 1), nn.GroupNorm(GROUPS, width)) for w in coarse]
        )
        encoder = nn.ModuleList([Layer(width, hidden) for _ in range(layers)])
        self.encoder = nn.ModuleDict({"layers": encoder})
        self.mask_projection = nn.Conv2d(width, width, 1)
        self.adapter_1 = nn.Sequential(
            nn.Conv2d(widths[0], width, 1, bias=False), nn.GroupNorm(GROUPS, width)
        )
        self.layer_1 = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.GroupNorm(GROUPS, width),
            nn.ReLU(),
        )  # fmt: skip

    def forward(
        self,
        maps: list[Tensor],  # [B, C, h, w] each, at strides 4 to 32
    ) -> tuple[list[Tensor], Tensor]:  # [B, C, h, w] at strides 32, 16 and 8, and at 4
        """The refined maps and the features."""
        coarse = [p(x) for p, x in zip(self.input_projections, maps[::-1], strict=False)]
        sizes = [tuple(x.shape[-2:]) for x in coarse]
        where = [
            _waves(size, x) + level
            for size, x, level in zip(sizes, coarse, self.level_embed, strict=True)
        ]
        place = torch.cat([_centres(size, coarse[0]) for size in sizes])
        tokens = torch.cat([x.flatten(2).transpose(1, 2) for x in coarse], 1)
        where = torch.cat(where)
        for layer in cast("nn.ModuleList", self.encoder["layers"]):
            tokens = layer(tokens, where, place, sizes)
        parts = tokens.split([h * w for h, w in sizes], 1)
        refined = [
            x.transpose(1, 2).unflatten(2, size) for x, size in zip(parts, sizes, strict=True)
        ]
        fine = self.adapter_1(maps[0])
        fine = fine + functional.interpolate(refined[-1], fine.shape[-2:], mode="bilinear")
        return refined, self.mask_projection(self.layer_1(fine))


class Layer(nn.Module):
    """Deformable attention and two layers, each with a norm behind."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = DeformableAttention(width)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(
        self,
        tokens: Tensor,  # [B, N, C]
        where: Tensor,  # [N, C] waves of the places, with the level's vector
        place: Tensor,  # [N, 2] x, y of each token, shares of the picture
        sizes: list[tuple[int, int]],  # h, w of the levels
    ) -> Tensor:  # [B, N, C]
        attended = self.self_attn(tokens + where, tokens, place, sizes)
        tokens = self.self_attn_layer_norm(tokens + attended)
        return self.final_layer_norm(tokens + self.fc2(functional.relu(self.fc1(tokens))))


class DeformableAttention(nn.Module):
    """A weighted mean of what lies at places that each token chooses."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sampling_offsets = nn.Linear(width, HEADS * LEVELS * POINTS * 2)
        self.attention_weights = nn.Linear(width, HEADS * LEVELS * POINTS)
        self.value_proj, self.output_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(
        self,
        asking: Tensor,  # [B, N, C]
        tokens: Tensor,  # [B, N, C]
        place: Tensor,  # [N, 2] x, y of each token, shares of the picture
        sizes: list[tuple[int, int]],  # h, w of the levels
    ) -> Tensor:  # [B, N, C]
        values = self.value_proj(tokens).unflatten(-1, (HEADS, -1)).permute(0, 2, 3, 1)
        offsets = self.sampling_offsets(asking).unflatten(-1, (HEADS, LEVELS, POINTS, 2))
        weights = self.attention_weights(asking).unflatten(-1, (HEADS, LEVELS * POINTS))
        weights = weights.softmax(-1).unflatten(-1, (LEVELS, POINTS)).permute(0, 2, 3, 1, 4)
        total = values.new_zeros(())
        parts = values.split([h * w for h, w in sizes], -1)
        for level, ((h, w), part) in enumerate(zip(sizes, parts, strict=True)):
            grid = place[None, :, None, None] + offsets[:, :, :, level] / place.new_tensor([w, h])
            grid = (2 * grid - 1).transpose(1, 2).flatten(0, 1)  # [B * heads, N, points, 2]
            picture = part.flatten(0, 1).unflatten(-1, (h, w))
            seen = functional.grid_sample(picture, grid, align_corners=False)
            share = weights[:, :, level].flatten(0, 1)[:, None]  # [B * heads, 1, N, points]
            total = total + (seen * share).sum(-1)
        joined = total.unflatten(0, (-1, HEADS)).flatten(1, 2).transpose(1, 2)
        return self.output_proj(joined)


def _centres(size: tuple[int, int], like: Tensor) -> Tensor:  # [h * w, 2] x, y
    h, w = size
    y, x = ((torch.arange(n, device=like.device, dtype=torch.float32) + 0.5) / n for n in (h, w))
    y, x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1).to(like)


def _waves(size: tuple[int, int], like: Tensor) -> Tensor:  # [h * w, C]
    """Sine waves of row and column, each filling half of the channels."""
    half = like.shape[1] // 2
    index = torch.arange(half, device=like.device) // 2
    period = BASE ** (2 * index / half)
    axes = []
    for n in size:
        turn = torch.arange(1, n + 1, device=like.device, dtype=torch.float32)
        angle = (turn / (n + 1e-6) * 2 * math.pi)[:, None] / period
        axes.append(torch.stack([angle[:, ::2].sin(), angle[:, 1::2].cos()], -1).flatten(1))
    rows, columns = axes
    joined = torch.cat(
        [
            rows[:, None].expand(-1, size[1], -1),
            columns[None].expand(size[0], -1, -1),
        ],
        -1,
    )
    return joined.flatten(0, 1).to(like)
