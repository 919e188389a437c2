"""The network that tells the parts of a face apart: ParseNet with 19 classes.

Residual encoder and decoder around residual blocks at an eighth of the size and less; the layout of
the published file (its training follows CelebAMask-HQ, Lee et al. 2020).
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.restoration.retinaface import with_counters
from svad.weights.strict import State, fill

FILE = "parsing_parsenet.pth"
CLASSES = 19
DOWN = (64, 128, 256, 256, 256)  # channels of the encoder's levels
BODY_BLOCKS = 10


class Convolution(nn.Module):
    """3 x 3 after reflection padding, optionally at another size and normalised."""

    def __init__(
        self, channels: int, out: int, *, norm: bool, stride: int = 1, up: bool = False
    ) -> None:
        super().__init__()
        self.up = up
        self.conv2d = nn.Conv2d(channels, out, 3, stride, bias=not norm)
        self.norm = Norm(out) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> [B, out, h', w']
        if self.up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        return self.norm(self.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect")))


class Norm(nn.Module):
    """Batch norm one level deeper, as the published keys have it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> the same
        return self.norm(x)


class ResidualBlock(nn.Module):
    """Two convolutions; nothing follows the sum. `scale`: "none", "down" or "up"."""

    def __init__(self, channels: int, out: int, scale: str = "none") -> None:
        super().__init__()
        stride, up = (2 if scale == "down" else 1), scale == "up"
        self.shortcut_func = nn.Identity()
        if scale != "none" or channels != out:
            self.shortcut_func = Convolution(channels, out, norm=False, stride=stride, up=up)
        self.conv1 = Convolution(channels, out, norm=True, up=up)
        self.conv2 = Convolution(out, out, norm=True, stride=stride)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> [B, out, h', w']
        y = F.leaky_relu(self.conv1(x), 0.2)
        return self.shortcut_func(x) + self.conv2(y)


class ParseNet(nn.Module):
    """A face to the logits of its classes."""

    def __init__(self) -> None:
        super().__init__()
        wide = DOWN[-1]
        pairs = list(itertools.pairwise(DOWN))
        down = [ResidualBlock(a, b, "down") for a, b in pairs]
        self.encoder = nn.Sequential(Convolution(3, DOWN[0], norm=False), *down)
        self.body = nn.Sequential(*(ResidualBlock(wide, wide) for _ in range(BODY_BLOCKS)))
        self.decoder = nn.Sequential(*(ResidualBlock(b, a, "up") for a, b in reversed(pairs)))
        self.out_mask_conv = Convolution(DOWN[0], CLASSES, norm=False)
        self.out_img_conv = Convolution(DOWN[0], 3, norm=False)  # in the file; nobody needs it

    def features(self, x: Tensor) -> Tensor:  # [B, 3, H, W] -> [B, 64, H, W]
        """What both heads look at."""
        y = self.encoder(x)
        return self.decoder(y + self.body(y))

    def forward(
        self,
        x: Tensor,  # [B, 3, H, W] RGB in -1..1, H and W multiples of 16
    ) -> Tensor:  # [B, 19, H, W]
        return self.out_mask_conv(self.features(x))


def load_parsenet(state: State, dtype: torch.dtype = torch.float32) -> ParseNet:
    """The network with the tensors of its file; raises `WeightsMismatch` if they do not fit."""
    with torch.device("meta"):
        network = ParseNet()
    fill(network, with_counters(network, state), FILE, dtype)
    return network.eval()
