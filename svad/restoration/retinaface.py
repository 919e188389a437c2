"""The network that finds faces: RetinaFace on a ResNet-50 with three feature levels.

Deng et al. 2020 (RetinaFace), section 3; the layout of the published file.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.weights.strict import State, fill

FILE = "detection_Resnet50_Final.pth"
MEAN_BGR = (104.0, 117.0, 123.0)  # taken off the picture's values
WIDTH = 256  # channels of the feature levels
ANCHORS = 2  # per cell
PREFIX = "module."  # that the published keys may carry
COUNTER = "num_batches_tracked"  # of batch norms; only training uses it


class Heads(NamedTuple):
    """Raw results for A anchors, finest level first."""

    boxes: Tensor  # [B, A, 4]
    logits: Tensor  # [B, A, 2], index 1 is face
    landmarks: Tensor  # [B, A, 10]


class Bottleneck(nn.Module):
    """Residual block of ResNet-50, the stride on the middle convolution."""

    def __init__(self, channels: int, inner: int, stride: int) -> None:
        super().__init__()
        out = 4 * inner
        self.conv1 = nn.Conv2d(channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample = None
        if stride > 1 or channels != out:
            shortcut = nn.Conv2d(channels, out, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> [B, 4 inner, h / stride, w / stride]
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Body(nn.Module):
    """ResNet-50 without its classifier."""

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for level, blocks in enumerate((3, 4, 6, 3)):
            inner, stride = 64 * 2**level, 1 if level == 0 else 2
            parts = []
            for i in range(blocks):
                parts.append(Bottleneck(channels, inner, stride if i == 0 else 1))
                channels = 4 * inner
            self.add_module(f"layer{level + 1}", nn.Sequential(*parts))

    def forward(self, x: Tensor) -> list[Tensor]:  # [B, 3, H, W] -> three [B, C, h, w]
        """Features at strides 8, 16 and 32."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, padding=1)
        x = self.layer2(self.layer1(x))
        y = self.layer3(x)
        return [x, y, self.layer4(y)]


class Pyramid(nn.Module):
    """Brings the levels to one width and adds the coarse ones to the finer ones (FPN)."""

    def __init__(self) -> None:
        super().__init__()
        self.output1, self.output2, self.output3 = (
            _conv_bn(channels, WIDTH, 1) for channels in (512, 1024, 2048)
        )
        self.merge1, self.merge2 = _conv_bn(WIDTH, WIDTH), _conv_bn(WIDTH, WIDTH)

    def forward(
        self,
        levels: list[Tensor],  # [B, C, h, w] each, finest first
    ) -> list[Tensor]:  # [B, 256, h, w] each
        fine, middle, coarse = (
            F.relu(conv(x))
            for conv, x in zip((self.output1, self.output2, self.output3), levels, strict=True)
        )
        middle = F.relu(self.merge2(middle + F.interpolate(coarse, middle.shape[2:])))
        fine = F.relu(self.merge1(fine + F.interpolate(middle, fine.shape[2:])))
        return [fine, middle, coarse]


class Context(nn.Module):
    """Widens what a cell sees to 3 x 3, 5 x 5 and 7 x 7 (SSH)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3X3 = _conv_bn(WIDTH, WIDTH // 2)
        self.conv5X5_1 = _conv_bn(WIDTH, WIDTH // 4)
        self.conv5X5_2 = _conv_bn(WIDTH // 4, WIDTH // 4)
        self.conv7X7_2 = _conv_bn(WIDTH // 4, WIDTH // 4)
        self.conv7x7_3 = _conv_bn(WIDTH // 4, WIDTH // 4)  # the published key has a lower-case x

    def forward(self, x: Tensor) -> Tensor:  # [B, 256, h, w] -> the same
        five = F.relu(self.conv5X5_1(x))
        seven = F.relu(self.conv7X7_2(five))
        parts = [self.conv3X3(x), self.conv5X5_2(five), self.conv7x7_3(seven)]
        return F.relu(torch.cat(parts, 1))


class Head(nn.Module):
    """One 1 x 1 convolution: `size` numbers for each anchor of a level."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.conv1x1 = nn.Conv2d(WIDTH, ANCHORS * size, 1)

    def forward(self, x: Tensor) -> Tensor:  # [B, 256, h, w] -> [B, 2 h w, size]
        return self.conv1x1(x).permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, self.size))


class RetinaFace(nn.Module):
    """Pictures to raw boxes, face logits and landmarks of all anchors."""

    BboxHead: nn.ModuleList
    ClassHead: nn.ModuleList
    LandmarkHead: nn.ModuleList

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fpn = Body(), Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = Context(), Context(), Context()
        for name, size in (("BboxHead", 4), ("ClassHead", 2), ("LandmarkHead", 10)):
            self.add_module(name, nn.ModuleList(Head(size) for _ in range(3)))

    def features(self, x: Tensor) -> list[Tensor]:  # [B, 3, H, W] -> three [B, 256, h, w]
        """The three levels the heads look at."""
        levels = self.fpn(self.body(x))
        contexts = (self.ssh1, self.ssh2, self.ssh3)
        return [context(level) for context, level in zip(contexts, levels, strict=True)]

    def forward(
        self,
        x: Tensor,  # [B, 3, H, W] BGR 0..255 less `MEAN_BGR`
    ) -> Heads:
        levels = self.features(x)
        found = [
            torch.cat([head(level) for head, level in zip(heads, levels, strict=True)], 1)
            for heads in (self.BboxHead, self.ClassHead, self.LandmarkHead)
        ]
        return Heads(*found)


def load_retinaface(state: State, dtype: torch.dtype = torch.float32) -> RetinaFace:
    """The network with the tensors of its file, whose keys may begin with `module.`.

    Raises `WeightsMismatch` if they do not fit.
    """
    with torch.device("meta"):
        network = RetinaFace()
    plain = {key.removeprefix(PREFIX): value for key, value in state.items()}
    fill(network, with_counters(network, plain), FILE, dtype)
    return network.eval()


def with_counters(network: nn.Module, state: State) -> dict[str, Tensor]:
    """The tensors with a batch counter for each batch norm, which files may or may not hold."""
    counters = (key for key in network.state_dict() if key.endswith(COUNTER))
    return {**{key: torch.zeros((), dtype=torch.int64) for key in counters}, **state}


def _conv_bn(channels: int, out: int, kernel: int = 3) -> nn.Sequential:
    conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out))
