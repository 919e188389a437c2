"""ResNets without their classifier, with the names of the published files."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

EXPANSION = 4  # of a bottleneck


class Basic(nn.Module):
    """Two 3 x 3 convolutions and the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> the same
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + x)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 with the stride, 1 x 1 to four times the width; and the input."""

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        out = EXPANSION * width
        self.conv1, self.bn1 = conv(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, out, 1), nn.BatchNorm2d(out)
        self.downsample = None
        if stride > 1 or inputs != out:
            self.downsample = nn.Sequential(conv(inputs, out, 1, stride), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> [B, 4 width, h / stride, w / stride]
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return functional.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Bottlenecks in stages, averaged over the picture (He et al., CVPR 2016)."""

    def __init__(self, blocks: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, width, 7, 2), nn.BatchNorm2d(width)
        inputs = width
        for i, count in enumerate(blocks):
            out = width * 2**i
            stage = [Bottleneck(inputs, out, stride=1 if i == 0 else 2)]
            stage += [Bottleneck(EXPANSION * out, out) for _ in range(count - 1)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*stage))
            inputs = EXPANSION * out
        self.stages, self.features = len(blocks), inputs

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W] -> [B, features]
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, 2, padding=1)
        for i in range(1, self.stages + 1):
            stage: Callable[[Tensor], Tensor] = getattr(self, f"layer{i}")
            x = stage(x)
        return x.mean((2, 3))


def conv(inputs: int, width: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the picture's size but for its stride."""
    return nn.Conv2d(inputs, width, kernel, stride, padding=kernel // 2, bias=False)
