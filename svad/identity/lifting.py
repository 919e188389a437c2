"""Lifting: features of the picture to the attributes of Gaussians."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.identity.planes import CODE
from svad.identity.sizes import LiftingSizes, PyramidSizes, VitSizes

LARGEST = 0.05  # largest standard deviation of a Gaussian, in the head's units
RGB = 3  # channels, or by mistake columns, that go through a sigmoid


@dataclass(frozen=True)
class Lifted:
    """Attributes of M Gaussians of each of B pictures."""

    colors: Tensor  # [B, M, 32]
    opacities: Tensor  # [B, M, 1] in 0..1
    scales: Tensor  # [B, M, 3] in 0..0.05
    rotations: Tensor  # [B, M, 4], real part first, to be used without normalising
    distances: Tensor | None = None  # [B, M, 1] in 0..1 from the plane; None for vertices


class LocalHead(nn.Module):
    """One Gaussian for every point of the image plane (GAGAvatar, dual lifting)."""

    def __init__(self, pyramid: PyramidSizes, sizes: LiftingSizes) -> None:
        super().__init__()
        inner = sizes.inner
        self.split = (sizes.channels, 1, 3, 4, 1)
        self.gaussian_conv = nn.Sequential(
            nn.Conv2d(pyramid.features + CODE, inner, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(inner, sum(self.split), 1),
        )

    def forward(
        self,
        features: Tensor,  # [B, C, H, W]
        code: Tensor,  # [B, 27] of the view direction
    ) -> Lifted:  # M = H W, row by row
        code = code[:, :, None, None].expand(-1, -1, *features.shape[-2:])
        x = self.gaussian_conv(torch.cat([features, code], 1))
        color, opacity, scale, rotation, distance = x.split(self.split, 1)
        # meant for the first three channels, it meets the first three columns; trained so
        color = torch.cat([color[..., :RGB].sigmoid(), color[..., RGB:]], -1)
        parts = (
            color,
            opacity.sigmoid(),
            LARGEST * scale.sigmoid(),
            F.normalize(rotation, dim=1),
            distance.sigmoid(),
        )
        return Lifted(*(part.flatten(2).transpose(1, 2) for part in parts))


class ExpressionHead(nn.Module):
    """One Gaussian for every vertex of FLAME; its position is the vertex itself."""

    def __init__(self, vit: VitSizes, sizes: LiftingSizes) -> None:
        super().__init__()
        widths = [sizes.base + vit.width] + 4 * [sizes.hidden]
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.feature_layers = nn.Sequential(*layers[:-1])

        def branch(outputs: int) -> nn.Sequential:
            first = nn.Linear(sizes.hidden + CODE, sizes.inner)
            return nn.Sequential(first, nn.ReLU(), nn.Linear(sizes.inner, outputs))

        self.color_layers = branch(sizes.channels)
        self.opacity_layers = branch(1)
        self.scale_layers = branch(3)
        self.rotation_layers = branch(4)

    def forward(
        self,
        vertices: Tensor,  # [B, M, base + width] learnt vector and the picture's global one
        code: Tensor,  # [B, 27] of the view direction
    ) -> Lifted:  # of all M together: the rotations depend on how many there are
        x = self.feature_layers(vertices)
        x = torch.cat([x, code[:, None].expand(-1, x.shape[1], -1)], -1)
        color = self.color_layers(x)
        return Lifted(
            torch.cat([color[..., :RGB].sigmoid(), color[..., RGB:]], -1),
            self.opacity_layers(x).sigmoid(),
            LARGEST * self.scale_layers(x).sigmoid(),
            # normalised along the vertices, which leaves them far shorter than one; trained so
            F.normalize(self.rotation_layers(x), dim=1),
        )
