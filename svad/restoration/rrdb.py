"""The super-resolution network of the background: RRDBNet, a picture to twice its size.

Wang et al. 2018 (ESRGAN), section 3.1, with the pixel-unshuffle of Real-ESRGAN (2021), section 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.weights.strict import State, fill

FILE = "RealESRGAN_x2plus.pth"
FACTOR = 2  # size of the result over size of the picture
RESIDUAL = 0.2  # share of a block's result that is added to its input


@dataclass(frozen=True, kw_only=True)
class RrdbSizes:
    """Sizes of the network; the defaults are those of the published file."""

    features: int = 64
    blocks: int = 23
    growth: int = 32  # channels a convolution of a dense block adds


class DenseBlock(nn.Module):
    """Five convolutions, each on everything before it."""

    conv5: nn.Conv2d

    def __init__(self, sizes: RrdbSizes) -> None:
        super().__init__()
        for i in range(1, 6):
            out = sizes.growth if i < 5 else sizes.features
            self.add_module(f"conv{i}", _conv(sizes.features + (i - 1) * sizes.growth, out))

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> the same
        found = [x]
        for i in range(1, 5):
            y = self.get_submodule(f"conv{i}")(torch.cat(found, 1))
            found.append(_active(y))
        return x + RESIDUAL * self.conv5(torch.cat(found, 1))


class ResidualDenseBlocks(nn.Module):
    """Three dense blocks with a residual around them (RRDB)."""

    def __init__(self, sizes: RrdbSizes) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (DenseBlock(sizes) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> the same
        return x + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    """A picture of even width and height to twice its size; all inner work at half its size."""

    def __init__(self, sizes: RrdbSizes) -> None:
        super().__init__()
        wide = sizes.features
        self.conv_first = _conv(3 * FACTOR**2, wide)
        self.body = nn.Sequential(*(ResidualDenseBlocks(sizes) for _ in range(sizes.blocks)))
        self.conv_body = _conv(wide, wide)
        self.conv_up1, self.conv_up2 = _conv(wide, wide), _conv(wide, wide)
        self.conv_hr, self.conv_last = _conv(wide, wide), _conv(wide, 3)

    def forward(
        self,
        x: Tensor,  # [B, 3, H, W] RGB in 0..1, H and W even
    ) -> Tensor:  # [B, 3, 2 H, 2 W], not clamped
        y = self.conv_first(F.pixel_unshuffle(x, FACTOR))
        y = y + self.conv_body(self.body(y))
        for conv in (self.conv_up1, self.conv_up2):
            y = _active(conv(F.interpolate(y, scale_factor=2, mode="nearest")))
        return self.conv_last(_active(self.conv_hr(y)))


def load_rrdb(
    state: State,  # the published file below `params_ema`
    sizes: RrdbSizes | None = None,
    dtype: torch.dtype = torch.float32,
) -> RRDBNet:
    """The network with the tensors of its file; raises `WeightsMismatch` if they do not fit."""
    with torch.device("meta"):
        network = RRDBNet(sizes or RrdbSizes())
    fill(network, state, FILE, dtype)
    return network.eval()


def _conv(channels: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, padding=1)


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2, inplace=True)
