"""A Swin transformer as a backbone of four feature maps (Liu et al., ICCV 2021).

Module names are the keys of the published files. Windows are always 7 x 7; maps are padded on the
right and below to whole windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW, SHIFT = 7, 3
PATCH = 4  # px
FORBIDDEN = -100.0  # added to the score of tokens that only the shift has brought together


class Swin(nn.Module):
    """Feature maps at strides 4, 8, 16 and 32, each with a norm of its own."""

    def __init__(self, width: int, depths: tuple[int, ...], heads: tuple[int, ...]) -> None:
        super().__init__()
        patches = nn.ModuleDict({"projection": nn.Conv2d(3, width, PATCH, PATCH)})
        norm = nn.LayerNorm(width)
        self.embeddings = nn.ModuleDict({"patch_embeddings": patches, "norm": norm})
        self.widths = [width * 2**i for i in range(len(depths))]
        stages = nn.ModuleList(
            [
                Stage(w, depth, head, shrink=i + 1 < len(depths))
                for i, (w, depth, head) in enumerate(zip(self.widths, depths, heads, strict=True))
            ]
        )
        self.encoder = nn.ModuleDict({"layers": stages})
        norms = {f"stage{i}": nn.LayerNorm(w) for i, w in enumerate(self.widths, 1)}
        self.hidden_states_norms = nn.ModuleDict(norms)

    def forward(self, image: Tensor) -> list[Tensor]:  # [B, 3, H, W] -> [B, C, h, w] each
        rows, columns = image.shape[-2:]
        image = functional.pad(image, (0, -columns % PATCH, 0, -rows % PATCH))
        projection = self.embeddings.get_submodule("patch_embeddings.projection")
        x, maps = self.embeddings["norm"](projection(image).permute(0, 2, 3, 1)), []
        stages = cast("Iterable[Stage]", self.encoder["layers"])
        for stage, norm in zip(stages, self.hidden_states_norms.values(), strict=True):
            for i, block in enumerate(stage.blocks):
                x = block(x, SHIFT * (i % 2))
            maps.append(norm(x).permute(0, 3, 1, 2))
            if stage.downsample is not None:
                x = stage.downsample(x)
        return maps


class Stage(nn.Module):
    """Blocks at one resolution, and the step to the next."""

    def __init__(self, width: int, depth: int, heads: int, *, shrink: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.downsample = Merging(width) if shrink else None


class Merging(nn.Module):
    """Four neighbours become one token of twice the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width)

    def forward(self, x: Tensor) -> Tensor:  # [B, h, w, C] -> [B, ceil(h/2), ceil(w/2), 2 C]
        x = functional.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        corners = [x[:, a::2, b::2] for b in (0, 1) for a in (0, 1)]
        return self.reduction(self.norm(torch.cat(corners, -1)))


class Block(nn.Module):
    """Attention inside windows, shifted in every second block, and an MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.layernorm_before, self.layernorm_after = nn.LayerNorm(width), nn.LayerNorm(width)
        attention, output = WindowAttention(width, heads), Dense(width, width)
        self.attention = nn.ModuleDict({"self": attention, "output": output})
        self.intermediate = Dense(width, 4 * width)
        self.output = Dense(4 * width, width)

    def forward(self, x: Tensor, shift: int) -> Tensor:  # [B, h, w, C]
        x = x + self._attend(self.layernorm_before(x), shift)
        y = functional.gelu(self.intermediate(self.layernorm_after(x)))
        return x + self.output(y)

    def _attend(self, x: Tensor, shift: int) -> Tensor:
        rows, columns = x.shape[1:3]
        x = functional.pad(x, (0, 0, 0, -columns % WINDOW, 0, -rows % WINDOW))
        mask = None
        if shift:
            mask = _shift_mask(x.shape[1], x.shape[2], shift, x)
            x = x.roll((-shift, -shift), (1, 2))
        down, across = x.shape[1] // WINDOW, x.shape[2] // WINDOW
        x = self.attention["output"](self.attention["self"](windows(x), mask))
        x = x.unflatten(0, (-1, down, across)).unflatten(3, (WINDOW, WINDOW))
        x = x.transpose(2, 3).flatten(1, 2).flatten(2, 3)
        if shift:
            x = x.roll((shift, shift), (1, 2))
        return x[:, :rows, :columns]


class Dense(nn.Module):
    """A linear layer one level deeper, as the published keys have it."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, width)

    def forward(self, x: Tensor) -> Tensor:  # [..., inputs] -> [..., width]
        return self.dense(x)


class WindowAttention(nn.Module):
    """Attention among the tokens of a window, with a bias by their relative place."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * WINDOW - 1) ** 2, heads))
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,  # [n, 49, C]
        mask: Tensor | None,  # [windows of a picture, 49, 49]
    ) -> Tensor:  # [n, 49, C]
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        table = self.relative_position_bias_table[_relative_places(x.device)]
        bias = table.permute(2, 0, 1)[None]
        if mask is not None:
            bias = (bias + mask[:, None]).repeat(len(x) // len(mask), 1, 1, 1)
        y = functional.scaled_dot_product_attention(q, k, v, bias.to(q))
        return y.transpose(1, 2).flatten(2)


def windows(x: Tensor) -> Tensor:  # [B, h, w, C] -> [B * windows, 49, C]
    """Cuts a map into windows, row by row."""
    x = x.unflatten(2, (-1, WINDOW)).unflatten(1, (-1, WINDOW)).transpose(2, 3)
    return x.flatten(0, 2).flatten(1, 2)


def _relative_places(device: torch.device) -> Tensor:  # [49, 49] rows of the bias table
    place = torch.arange(WINDOW, device=device)
    place = torch.stack(torch.meshgrid(place, place, indexing="ij"), -1).flatten(0, 1)
    apart = place[:, None] - place[None] + WINDOW - 1
    return apart[..., 0] * (2 * WINDOW - 1) + apart[..., 1]


def _shift_mask(rows: int, columns: int, shift: int, like: Tensor) -> Tensor:
    """[windows, 49, 49]: keeps tokens apart that a shift has rolled in from the other side."""

    def region(length: int) -> Tensor:
        place = torch.arange(length, device=like.device)
        return (place >= length - WINDOW).long() + (place >= length - shift).long()

    number = 3 * region(rows)[:, None] + region(columns)[None]
    cut = windows(number[None, ..., None])[..., 0]
    return (cut[:, :, None] != cut[:, None]) * torch.tensor(FORBIDDEN).to(like)
