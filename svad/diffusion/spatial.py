"""Spatial transformer of the UNets, with reference attention to the photo's features.

The appearance UNet writes what the first norm of each block sees, the *bank*; the block of the
same name in the video UNet attends to its own frame and to the bank. Only the conditional row
reads the bank. The bank is the same for all frames, windows and steps, and the image token is a
single vector, so both are projected once per run (`Condition`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from svad.diffusion.layers import Attention, FeedForward, in_chunks


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a photo fixes for all calls of a UNet; keys are names of transformer blocks.

    Rows of a guided batch: unconditional first, conditional last.
    """

    vectors: Mapping[str, Tensor]  # [B, C], all that attention to the image token adds
    bank: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)  # [1, heads, L, D] each
    plain_rows: int = 1  # so many leading rows do not read the bank

    def row(self, index: int) -> Condition:
        """The condition of one row alone."""
        return Condition(
            vectors={name: v[index : index + 1] for name, v in self.vectors.items()},
            bank={} if index < self.plain_rows else self.bank,
            plain_rows=int(index < self.plain_rows),
        )


@dataclass(frozen=True, kw_only=True)
class Call:
    """What the blocks of a UNet need to know in one call."""

    frames: int
    shifts: Mapping[str, Tensor]  # residual block -> [1, Cout]
    condition: Condition
    record: dict[str, Tensor] | None = None  # takes the bank, [rows, L, C] per block
    last: str = ""  # the block after whose first norm nothing is needed any more


class TransformerBlock(nn.Module):
    """Self- and reference attention, image token, feed-forward, each with a residual."""

    def __init__(self, width: int, heads: int, token: int) -> None:
        super().__init__()
        self.name = ""  # set by the UNet
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, heads)
        # norm2, attn2.to_q and attn2.to_k are in the published files but cannot matter: the
        # softmax over a single token is one (see `token_vector`)
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = Attention(width, heads, context=token)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width)

    def token_vector(self, token: Tensor) -> Tensor:  # [B, 1, token] -> [B, C]
        """All that attention to one token adds to every pixel: `to_out(to_v(token))`."""
        return self.attn2.to_out[0](self.attn2.to_v(token))[:, 0]

    def forward(self, y: Tensor, call: Call) -> Tensor:  # [B * T, L, C] -> the same
        n = self.norm1(y)
        if call.record is not None:
            call.record[self.name] = n
            if self.name == call.last:
                return y
        y = y + self._attend(n, call)
        vector = call.condition.vectors[self.name]
        y = (y.unflatten(0, (len(vector), -1)) + vector[:, None, None]).flatten(0, 1)
        return y + in_chunks(lambda part: self.ff(self.norm3(part)), y, 8 * y[0].numel())

    def _attend(self, n: Tensor, call: Call) -> Tensor:
        more = call.condition.bank.get(self.name)
        plain = len(n) if more is None else call.condition.plain_rows * call.frames
        parts = [
            in_chunks(lambda part, m=m: self.attn1(part, m), rows, 4 * rows[0].numel())
            for rows, m in ((n[:plain], None), (n[plain:], more))
            if len(rows)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


class SpatialTransformer(nn.Module):
    """One transformer block on the pixels of single frames."""

    def __init__(self, width: int, heads: int, token: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, eps=1e-6)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width, heads, token)])
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, call: Call) -> Tensor:  # [B * T, C, H, W] -> the same
        y = self.proj_in(self.norm(x)).permute(0, 2, 3, 1)
        size = y.shape[1:3]
        y = self.transformer_blocks[0](y.flatten(1, 2), call).unflatten(1, size)
        return self.proj_out(y.permute(0, 3, 1, 2)) + x
