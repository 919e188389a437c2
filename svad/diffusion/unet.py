"""The UNet of Stable Diffusion 1.5 on frames, with temporal modules or without.

One class serves the appearance UNet (no temporal modules, no output head) and the video UNet
(both); module names are the keys of the published files. Frames are folded into the batch, frame
index fastest: [B, C, T, H, W] travels as [B * T, C, H, W].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.diffusion.layers import (
    Downsample,
    ResidualBlock,
    TimeEmbedding,
    Upsample,
    time_waves,
)
from svad.diffusion.sizes import LATENT_CHANNELS, Sizes
from svad.diffusion.spatial import Call, Condition, SpatialTransformer, TransformerBlock
from svad.diffusion.temporal import TemporalModule


class Level(nn.Module):
    """Residual blocks of one resolution, each followed by its attentions."""

    # a level has those its place calls for
    attentions: nn.ModuleList
    motion_modules: nn.ModuleList
    downsamplers: nn.ModuleList
    upsamplers: nn.ModuleList

    def __init__(
        self,
        inputs: list[int],  # channels that enter each residual block
        width: int,  # channels that leave them
        sizes: Sizes,
        *,
        attentions: int,  # how many spatial transformers
        motion: int,  # how many temporal modules
    ) -> None:
        super().__init__()
        groups = sizes.norm_num_groups
        self.resnets = nn.ModuleList(
            [ResidualBlock(c, width, sizes.time_width, groups) for c in inputs]
        )
        if attentions:
            token = sizes.cross_attention_dim
            self.attentions = nn.ModuleList(
                [SpatialTransformer(width, sizes.heads, token, groups) for _ in range(attentions)]
            )
        if motion:
            self.motion_modules = nn.ModuleList(
                [
                    TemporalModule(width, sizes.motion_heads, groups, sizes.motion_max_len)
                    for _ in range(motion)
                ]
            )

    def resnet(
        self,
        index: int,
        x: Tensor,  # [B * T, Cin, H, W]
        call: Call,
    ) -> Tensor:  # [B * T, C, H, W]
        block = cast("ResidualBlock", self.resnets[index])
        return block(x, call.shifts[block.name])

    def attend(
        self,
        index: int,
        x: Tensor,  # [B * T, C, H, W]
        call: Call,
    ) -> Tensor:  # [B * T, C, H, W]
        """The spatial transformer and the temporal module of one place, where there are any."""
        if hasattr(self, "attentions"):
            x = self.attentions[index](x, call)
        if hasattr(self, "motion_modules"):
            x = self.motion_modules[index](x, call.frames)
        return x

    def step(
        self,
        index: int,
        x: Tensor,  # [B * T, Cin, H, W]
        call: Call,
    ) -> Tensor:  # [B * T, C, H, W]
        return self.attend(index, self.resnet(index, x, call), call)


class UNet(nn.Module):
    """Noise (v) prediction for a window of frames, or the bank of a photo."""

    def __init__(self, sizes: Sizes, *, motion: bool, head: bool) -> None:
        super().__init__()
        self.sizes = sizes
        widths, blocks = sizes.block_out_channels, sizes.layers_per_block
        deepest = len(widths) - 1
        self.conv_in = nn.Conv2d(LATENT_CHANNELS, widths[0], 3, padding=1)
        self.time_embedding = TimeEmbedding(widths[0], sizes.time_width)
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        width, skips = widths[0], [widths[0]]
        for i, out in enumerate(widths):
            level = Level(
                [width] + [out] * (blocks - 1), out, sizes,
                attentions=blocks * (i < deepest), motion=blocks * motion,
            )  # fmt: skip
            skips += [out] * blocks
            if i < deepest:
                level.downsamplers = nn.ModuleList([Downsample(out)])
                skips.append(out)
            self.down_blocks.append(level)
            width = out
        self.mid_block = Level([width] * 2, width, sizes, attentions=1, motion=int(motion))
        for i, out in enumerate(reversed(widths)):
            inputs = [c + skips.pop() for c in [width] + [out] * blocks]
            level = Level(
                inputs, out, sizes,
                attentions=(blocks + 1) * (i > 0), motion=(blocks + 1) * motion,
            )  # fmt: skip
            if i < deepest:
                level.upsamplers = nn.ModuleList([Upsample(out)])
            self.up_blocks.append(level)
            width = out
        if head:
            self.conv_norm_out = nn.GroupNorm(sizes.norm_num_groups, widths[0], eps=1e-5)
            self.conv_out = nn.Conv2d(widths[0], LATENT_CHANNELS, 3, padding=1)
        for name, module in self.named_modules():
            if isinstance(module, ResidualBlock | TransformerBlock):
                module.name = name

    def blocks(self) -> dict[str, TransformerBlock]:
        """The transformer blocks by name, in the order in which a call passes them."""
        order = [*self.down_blocks, self.mid_block, *self.up_blocks]
        return {
            block.name: block
            for level in order
            for transformer in getattr(level, "attentions", ())
            for block in transformer.transformer_blocks
        }

    def time_shifts(self, step: int) -> dict[str, Tensor]:
        """What each residual block adds at a timestep: [1, Cout] per block; one call a step."""
        weight = self.time_embedding.linear_1.weight
        waves = time_waves(step, self.sizes.block_out_channels[0], weight.device)
        embedding = F.silu(self.time_embedding(waves.to(weight.dtype)))
        return {
            m.name: m.time_emb_proj(embedding)
            for m in self.modules()
            if isinstance(m, ResidualBlock)
        }

    def condition(
        self,
        tokens: Tensor,  # [B, 1, token width]; zeros = unconditional
        bank: Mapping[str, Tensor] | None = None,  # [1, L, C] per block, for the last row
    ) -> Condition:
        """Projects image tokens and bank once for all calls of a run."""
        blocks = self.blocks()
        vectors = {name: block.token_vector(tokens) for name, block in blocks.items()}
        if bank is None:
            return Condition(vectors=vectors, plain_rows=len(tokens))
        if set(bank) != set(blocks):
            raise ValueError(f"the bank lacks {set(blocks) - set(bank)} or has too many blocks")
        keys = {name: blocks[name].attn1.keys_values(n) for name, n in bank.items()}
        keys = {name: (k.contiguous(), v.contiguous()) for name, (k, v) in keys.items()}
        return Condition(vectors=vectors, bank=keys, plain_rows=len(tokens) - 1)

    def write_bank(
        self,
        latent: Tensor,  # [B, 4, h, w], of the photo
        tokens: Tensor,  # [B, 1, token width]
    ) -> dict[str, Tensor]:
        """What the first norm of each transformer block sees at timestep 0: [B, h * w, C] each.

        Stops where the last of them is known.
        """
        record: dict[str, Tensor] = {}
        call = Call(
            frames=1, shifts=self.time_shifts(0), condition=self.condition(tokens),
            record=record, last=list(self.blocks())[-1],
        )  # fmt: skip
        self._body(self.conv_in(latent), call)
        return record

    def forward(
        self,
        sample: Tensor,  # [1 or B, 4, T, h, w]
        shifts: Mapping[str, Tensor],  # [1, Cout] per residual block, of `time_shifts`
        condition: Condition,  # of B rows
        pose: Tensor | None = None,  # [1 or B, C0, T, h, w] of the pose guider
    ) -> Tensor:  # [B, 4, T, h, w]; without head [B, C0, T, h, w]
        """One call on a window of T frames, the same latents in all rows if there is one."""
        rows, frames = len(next(iter(condition.vectors.values()))), sample.shape[2]
        x = self.conv_in(fold(sample))
        if pose is not None:
            # the pose features may have one row for all
            x = (x.unflatten(0, (-1, frames)) + pose.transpose(1, 2)).flatten(0, 1)
        if len(x) != rows * frames:
            x = x.repeat(rows, 1, 1, 1)
        x = self._body(x, Call(frames=frames, shifts=shifts, condition=condition))
        if hasattr(self, "conv_out"):
            x = self.conv_out(F.silu(self.conv_norm_out(x)))
        return x.unflatten(0, (rows, frames)).transpose(1, 2)

    def _body(self, x: Tensor, call: Call) -> Tensor:
        skips = [x]
        for level in cast("Iterable[Level]", self.down_blocks):
            for i in range(len(level.resnets)):
                x = level.step(i, x, call)
                skips.append(x)
            if hasattr(level, "downsamplers"):
                x = level.downsamplers[0](x)
                skips.append(x)
        x = self.mid_block.step(0, x, call)
        x = self.mid_block.resnet(1, x, call)
        for level in cast("Iterable[Level]", self.up_blocks):
            for i in range(len(level.resnets)):
                x = level.step(i, torch.cat([x, skips.pop()], 1), call)
            if hasattr(level, "upsamplers"):
                x = level.upsamplers[0](x, skips[-1].shape[-2:])
        return x


def fold(x: Tensor) -> Tensor:  # [B, C, T, H, W] -> [B * T, C, H, W]
    """Frames into the batch, frame index fastest."""
    return x.transpose(1, 2).flatten(0, 1)
