"""The spatial block as the published program computes it: slow, to compare the lean one with."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from svad.diffusion.layers import Attention
from svad.diffusion.spatial import Call, TransformerBlock
from svad.diffusion.unet import UNet


class PlainBlock(TransformerBlock):
    """Long attention in both rows, the unconditional one computed anew, a full token attention."""

    bank: Tensor | None  # [1, L, C]
    tokens: Tensor  # [B, 1, token width]

    def forward(self, y: Tensor, call: Call) -> Tensor:
        n = self.norm1(y)
        if self.bank is None:
            found = attention(self.attn1, n, n)
        else:
            found = attention(self.attn1, n, torch.cat([n, self.bank.expand(len(n), -1, -1)], 1))
            free = (len(self.tokens) - 1) * call.frames
            if free:
                found = torch.cat([attention(self.attn1, n[:free], n[:free]), found[free:]])
        y = y + found
        y = y + attention(self.attn2, self.norm2(y), self.tokens.repeat_interleave(call.frames, 0))
        return y + self.ff(self.norm3(y))


def attention(module: Attention, x: Tensor, context: Tensor) -> Tensor:
    """[N, L, C] on context [N, M, C']."""
    y = F.scaled_dot_product_attention(module.split(module.to_q(x)), *module.keys_values(context))
    return module.to_out[0](y.transpose(1, 2).flatten(2))


def make_plain(unet: UNet, tokens: Tensor, bank: dict[str, Tensor] | None) -> UNet:
    """Turns a UNet into one that ignores what the lean condition holds; returns it."""
    for name, block in unet.blocks().items():
        block.__class__ = PlainBlock
        plain = cast("PlainBlock", block)
        plain.tokens, plain.bank = tokens, None if bank is None else bank[name]
    return unet
