"""Feature pyramid: tokens of four depths to one plane of features."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.identity.sizes import LEVELS, PyramidSizes, VitSizes
from svad.identity.vit import Vit

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet, RGB


class ResidualUnit(nn.Module):
    """ReLU and convolution, twice, beside the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> the same
        return self.conv2(F.relu(self.conv1(F.relu(x)))) + x


class Fusion(nn.Module):
    """Adds a finer map to the path and enlarges the sum."""

    def __init__(self, width: int, skip: bool) -> None:
        super().__init__()
        if skip:  # names as published
            self.resConfUnit1 = ResidualUnit(width)
        self.resConfUnit2 = ResidualUnit(width)
        self.out_conv = nn.Conv2d(width, width, 1)

    def forward(
        self,
        path: Tensor,  # [B, C, h, w]
        skip: Tensor | None,  # [B, C, h, w]
        size: tuple[int, int],  # height, width of the result
    ) -> Tensor:  # [B, C, *size]
        if skip is not None:
            path = path + self.resConfUnit1(skip)
        path = self.resConfUnit2(path)
        path = F.interpolate(path, size, mode="bilinear", align_corners=True)
        return self.out_conv(path)


class Pyramid(nn.Module):
    """Backbone and pyramid (after DPT, Ranftl et al. 2021, and GAGAvatar), as published."""

    def __init__(self, vit: VitSizes, sizes: PyramidSizes) -> None:
        super().__init__()
        self.grid = vit.grid
        widths, features = sizes.projections, sizes.features
        self.dino_model = Vit(vit)
        self.projects = nn.ModuleList([nn.Conv2d(vit.width, width, 1) for width in widths])
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(widths[0], widths[0], 4, 4),
                nn.ConvTranspose2d(widths[1], widths[1], 2, 2),
                nn.Identity(),
                nn.Conv2d(widths[3], widths[3], 3, 2, 1),
            ]
        )
        self.layer_rn = nn.ModuleList(
            [nn.Conv2d(3 + width, features, 3, padding=1, bias=False) for width in widths]
        )
        self.refinenet = nn.ModuleList([Fusion(features, skip=i > 0) for i in range(LEVELS)])
        self.output_conv = nn.Conv2d(features, features, 3, padding=1)

    def forward(
        self,
        image: Tensor,  # [B, 3, image, image] in 0..1
    ) -> tuple[Tensor, Tensor]:  # features [B, C, plane, plane], global vector [B, width]
        pixels = normalised(image)
        tokens = self.dino_model(pixels)
        maps = [self._map(i, t, pixels) for i, t in enumerate(tokens)]
        path = None
        for fusion, i in zip(self.refinenet, reversed(range(LEVELS)), strict=True):
            size = maps[i - 1].shape[-2:] if i > 0 else [2 * n for n in maps[0].shape[-2:]]
            skip = None if path is None else maps[i]
            path = fusion(maps[i] if path is None else path, skip, tuple(size))
        # the published network takes the first patch for the class token; it was trained so
        return self.output_conv(path), tokens[-1][:, 0]

    def _map(self, level: int, tokens: Tensor, pixels: Tensor) -> Tensor:
        """Tokens [B, grid^2, width] of one depth, with the picture, to [B, features, h, w]."""
        x = tokens.transpose(1, 2).unflatten(-1, (self.grid, self.grid))
        x = self.resize_layers[level](self.projects[level](x))
        small = F.interpolate(pixels, x.shape[-2:], mode="bilinear", antialias=True)
        return self.layer_rn[level](torch.cat([small, x], 1))


def normalised(
    image: Tensor,  # [B, 3, H, W] in 0..1
) -> Tensor:  # [B, 3, H, W]
    """Pictures in the scale of ImageNet, which the backbone was trained in."""
    mean, std = (image.new_tensor(v)[:, None, None] for v in (MEAN, STD))
    return (image - mean) / std
