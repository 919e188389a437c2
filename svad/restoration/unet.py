"""Stable Diffusion's UNet, on diffusers' modules, with the nine tensors of the control branch.

The forward pass is written out here: no published interface of diffusers takes control tensors at
these nine places, and what depends on the timestep alone is computed once for a whole run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.restoration.schedule import time_waves
from svad.restoration.sizes import LATENT_CHANNELS, LAYERS, Sizes

CONTROLLED = 1  # the residual block of a level, with its attention, behind which control is added


class _Attention(Protocol):
    """What is read of diffusers' `Attention`."""

    heads: int
    to_q: nn.Module
    to_k: nn.Module
    to_v: nn.Module
    to_out: nn.ModuleList


class _Block(Protocol):
    """What is read of diffusers' `BasicTransformerBlock`."""

    norm1: nn.Module
    norm2: nn.Module
    norm3: nn.Module
    attn1: _Attention
    attn2: _Attention
    ff: nn.Module


class _Transformer(Protocol):
    """What is read of diffusers' `Transformer2DModel`."""

    norm: nn.Module
    proj_in: nn.Module
    proj_out: nn.Module
    transformer_blocks: Sequence[_Block]


class _Residual(Protocol):
    """What is read of diffusers' `ResnetBlock2D`."""

    norm1: nn.Module
    norm2: nn.Module
    conv1: nn.Module
    conv2: nn.Module
    conv_shortcut: nn.Module | None


class _Level(Protocol):
    """What is read of one resolution of diffusers' UNet, on the way down and up."""

    resnets: Sequence[_Residual]
    attentions: Sequence[_Transformer]  # where it has any
    downsamplers: Sequence[nn.Module] | None  # on the way down
    upsamplers: Sequence[nn.Module] | None  # on the way up


@dataclass(frozen=True, kw_only=True)
class Moments:
    """What R timesteps fix in the UNet, by name of block."""

    shifts: Mapping[str, Tensor]  # [R, C], added inside a residual block
    prompt: Mapping[str, tuple[Tensor, Tensor]]  # keys and values [R, heads, tokens, c]

    def row(self, index: int) -> Moments:
        """One timestep alone."""
        one = slice(index, index + 1)
        return Moments(
            shifts={name: shift[one] for name, shift in self.shifts.items()},
            prompt={name: (k[one], v[one]) for name, (k, v) in self.prompt.items()},
        )


class FaceUNet(nn.Module):
    """Noise prediction for latents of faces."""

    def __init__(self, sizes: Sizes) -> None:
        # imported here, since it takes seconds; diffusers exports it lazily, out of sight of types
        from diffusers import UNet2DConditionModel  # pyright: ignore[reportPrivateImportUsage]

        super().__init__()
        self.sizes = sizes
        widths, attended = sizes.block_out_channels, sizes.attention_levels
        plain = len(widths) - attended
        heads = [width // sizes.head_channels for width in widths]
        self.net = UNet2DConditionModel(
            in_channels=LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            block_out_channels=widths,
            layers_per_block=LAYERS,
            cross_attention_dim=sizes.prompt_width,
            # the number of heads, in fact, and of any length
            attention_head_dim=heads,  # pyright: ignore[reportArgumentType]
            use_linear_projection=True,
            norm_num_groups=sizes.norm_num_groups,
            down_block_types=("CrossAttnDownBlock2D",) * attended + ("DownBlock2D",) * plain,
            up_block_types=("UpBlock2D",) * plain + ("CrossAttnUpBlock2D",) * attended,
        )

    def moments(
        self,
        timesteps: Tensor,  # [R]
        prompt: Tensor,  # [R, tokens, width]
    ) -> Moments:
        """What R timesteps fix in each block; one call for a whole run."""
        weight = self.net.conv_in.weight
        waves = time_waves(timesteps, self.sizes.block_out_channels[0])
        embedding = F.silu(self.net.time_embedding(waves.to(weight.dtype)))
        prompt = prompt.to(weight.dtype)
        shifts, tokens = {}, {}
        for name, module in self.net.named_modules():
            if name.rpartition(".")[0].endswith("resnets"):
                shifts[name] = module.time_emb_proj(embedding)
            elif name.rpartition(".")[0].endswith("attentions"):
                attention = module.transformer_blocks[0].attn2
                k, v = attention.to_k(prompt), attention.to_v(prompt)
                tokens[name] = (_heads(k, attention.heads), _heads(v, attention.heads))
        return Moments(shifts=shifts, prompt=tokens)

    def forward(
        self,
        x: Tensor,  # [B, 4, h, w]; h and w divide by 8
        moments: Moments,  # of 1 or B timesteps
        control: Sequence[Tensor] = (),  # [B, C, h', w']: nine of the control branch, or none
    ) -> Tensor:  # [B, 4, h, w]
        net, levels = self.net, len(self.net.down_blocks)
        down, middle, up = control[:levels], control[levels : levels + 1], control[levels + 1 :]
        x = net.conv_in(x)
        skips = [x]
        for i, level in enumerate(cast("Sequence[_Level]", net.down_blocks)):
            for j in range(LAYERS):
                x = _place(level, f"down_blocks.{i}", j, x, moments)
                if down and j == CONTROLLED:
                    x = x + down[i]  # before it becomes a skip: control travels both ways
                skips.append(x)
            for sampler in level.downsamplers or ():
                x = sampler(x)
                skips.append(x)
        deepest = cast("_Level", net.mid_block)
        x = _place(deepest, "mid_block", 0, x, moments)
        x = _residual(deepest.resnets[1], x, moments.shifts["mid_block.resnets.1"])
        if middle:
            x = x + middle[0]
        for i, level in enumerate(cast("Sequence[_Level]", net.up_blocks)):
            for j in range(LAYERS + 1):
                x = torch.cat([x, skips.pop()], 1)
                x = _place(level, f"up_blocks.{i}", j, x, moments)
                if up and j == CONTROLLED:
                    x = x + up[i]
            for sampler in level.upsamplers or ():
                x = sampler(x)
        # built with group norms, so the last one is there
        return net.conv_out(F.silu(net.conv_norm_out(x)))  # pyright: ignore[reportOptionalCall]


def _place(level: _Level, name: str, index: int, x: Tensor, moments: Moments) -> Tensor:
    """A residual block and, where the level has attention, the transformer behind it."""
    x = _residual(level.resnets[index], x, moments.shifts[f"{name}.resnets.{index}"])
    if hasattr(level, "attentions"):
        keys_values = moments.prompt[f"{name}.attentions.{index}"]
        x = _transformer(level.attentions[index], x, keys_values)
    return x


def _residual(block: _Residual, x: Tensor, shift: Tensor) -> Tensor:
    """Two normalised convolutions with the timestep's shift [1 or B, C] between them."""
    y = block.conv1(F.silu(block.norm1(x))) + shift[:, :, None, None]
    y = block.conv2(F.silu(block.norm2(y)))
    return y + (x if block.conv_shortcut is None else block.conv_shortcut(x))


def _transformer(
    module: _Transformer,
    x: Tensor,  # [B, C, h, w]
    prompt: tuple[Tensor, Tensor],  # keys and values [1 or B, heads, tokens, c]
) -> Tensor:  # [B, C, h, w]
    """Attention between pixels, attention to the prompt, feed-forward."""
    block, size = module.transformer_blocks[0], x.shape[-2:]
    y = module.proj_in(module.norm(x).permute(0, 2, 3, 1).flatten(1, 2))
    n = block.norm1(y)
    own = block.attn1
    y = y + _attend(own, n, *(_heads(f(n), own.heads) for f in (own.to_k, own.to_v)))
    # prompts that all faces share: the faces' pixels are then one long row of queries
    n = block.norm2(y).reshape(len(prompt[0]), -1, y.shape[-1])
    y = y + _attend(block.attn2, n, *prompt).reshape(y.shape)
    y = y + block.ff(block.norm3(y))
    return x + module.proj_out(y).unflatten(1, size).permute(0, 3, 1, 2)


def _attend(attention: _Attention, n: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Fused attention; its kernels keep the logits in float32, which SD 2.1 needs."""
    y = F.scaled_dot_product_attention(_heads(attention.to_q(n), attention.heads), k, v)
    return attention.to_out[0](y.transpose(1, 2).flatten(2))


def _heads(x: Tensor, heads: int) -> Tensor:  # [N, L, C] -> [N, heads, L, C / heads]
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)
