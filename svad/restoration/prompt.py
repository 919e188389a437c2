"""Time-aware prompt: what the UNet's cross-attention reads, a function of the timestep alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.restoration.schedule import time_waves
from svad.restoration.sizes import Sizes

# The one key of the prompt's attention is repeated for all tokens: its softmax is uniform
# whatever the queries, so these two matrices of the published file cannot matter.
UNUSED = ("atten.to_q.weight", "atten.to_k.weight")


class Attention(nn.Module):
    """The part of the attention that matters: `to_out(to_v(e))`, the same for every token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_v = nn.Linear(width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, e: Tensor) -> Tensor:  # [R, width] -> [R, width]
        return self.to_out[0](self.to_v(e))


class Prompt(nn.Module):
    """Learned tokens, steered by the timestep; module names are the published keys."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.waves = sizes.block_out_channels[0]
        hidden, width = sizes.prompt_hidden, sizes.prompt_width
        self.learnable_param = nn.Parameter(torch.empty(sizes.prompt_tokens, width))
        self.time_embed = _two(self.waves, hidden, hidden, nn.SiLU())
        self.transform_in = _two(width, hidden, hidden, nn.Tanh())
        self.atten = Attention(hidden)
        self.transform_out = _two(hidden, hidden, width, nn.Tanh())

    def forward(self, timesteps: Tensor) -> Tensor:  # [R] -> [R, tokens, width]
        """The tokens at each of R timesteps."""
        waves = time_waves(timesteps, self.waves).to(self.learnable_param)
        time = F.normalize(self.time_embed(waves), dim=-1)
        learned = F.normalize(self.transform_in(self.learnable_param), dim=-1)
        y = self.transform_out(learned + self.atten(time)[:, None])
        # along the tokens, not along a token's features: so it was trained
        return F.normalize(y, dim=1)


def _two(inputs: int, hidden: int, outputs: int, act: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), act, nn.Linear(hidden, outputs))
