"""Pose guider: pictures of the skeleton to features at the size of the latents."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from svad.diffusion.sizes import Sizes


class PoseGuider(nn.Module):
    """Eight 3 x 3 convolutions with SiLU between; three of them halve the size.

    Its result is added to what leaves the video UNet's first convolution.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        widths = sizes.pose_channels
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList()
        for width, out in pairwise(widths):
            self.blocks.append(nn.Conv2d(width, width, 3, padding=1))
            self.blocks.append(nn.Conv2d(width, out, 3, stride=2, padding=1))
        self.conv_out = nn.Conv2d(widths[-1], sizes.block_out_channels[0], 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:  # [T, 3, H, W] in 0..1 -> [T, C0, H/8, W/8]
        x = F.silu(self.conv_in(picture))
        for block in self.blocks:
            x = F.silu(block(x))
        return self.conv_out(x)
