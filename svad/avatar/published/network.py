"""The networks of a published avatar: two triplanes and four nets (SVAD section 3.3, ExAvatar).

Module names are those of the published code, so its tensors fit as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from svad.avatar.published.buffers import Buffers

CHANNELS, CELLS = 32, 128  # of a plane
WIDTH, GROUPS, HIDDEN = 128, 4, 3  # of the nets
FEATURES = 3 * CHANNELS  # of the three planes, one after another
POSE = 21 * 6  # body joints as two rows of a matrix each; the rest hardly varies in training
BODY_RADIUS, HEAD_RADIUS = 1.0, 0.15  # metres, half the side of a triplane's box
PLANES = ((0, 1), (0, 2), (1, 2))  # axes along a plane's width and height


class AvatarNetwork(nn.Module):
    """Offsets, sizes and colours of the Gaussians; planes start at zero, as published."""

    def __init__(self) -> None:
        super().__init__()
        self.triplane = nn.Parameter(torch.zeros(3, CHANNELS, CELLS, CELLS))
        self.triplane_face = nn.Parameter(torch.zeros(3, CHANNELS, CELLS, CELLS))
        self.geo_net = _hidden(FEATURES)
        self.mean_offset_net = nn.Sequential(nn.Linear(WIDTH, 3))
        self.scale_net = nn.Sequential(nn.Linear(WIDTH, 1))
        self.geo_offset_net = _hidden(FEATURES + POSE)
        self.mean_offset_offset_net = nn.Sequential(nn.Linear(WIDTH, 3))
        self.scale_offset_net = nn.Sequential(nn.Linear(WIDTH, 1))
        self.rgb_net = _hidden(FEATURES).append(nn.Linear(WIDTH, 3))
        self.rgb_offset_net = _hidden(FEATURES + POSE + 3).append(nn.Linear(WIDTH, 3))

    def features(self, buffers: Buffers) -> Tensor:  # [N, 96]
        """What the triplanes hold at the position code; Gaussians of the head read the head's."""
        code, face = buffers.position_code, buffers.face
        at_face = code[face]
        body = sampled(self.triplane, (code - code.mean(0)) / BODY_RADIUS)
        head = sampled(self.triplane_face, (at_face - at_face.mean(0)) / HEAD_RADIUS)
        return body.index_put((face,), head)

    def base(
        self,
        features: Tensor,  # [N, 96]
    ) -> tuple[Tensor, Tensor, Tensor]:
        # [N, 3] metres, [N] log of metres, [N, 3] colour before its limits
        """Offset, log-size and colour that do not depend on the pose."""
        geometry = self.geo_net(features)
        size = self.scale_net(geometry).squeeze(-1)
        return self.mean_offset_net(geometry), size, self.rgb_net(features)

    def pose_geometry(
        self,
        features: Tensor,  # [N, 96]
        pose: Tensor,  # [126]
    ) -> tuple[Tensor, Tensor]:  # [N, 3] metres, [N] log of a factor
        """How a pose changes offset and log-size."""
        geometry = self.geo_offset_net(_beside(features, pose))
        size = self.scale_offset_net(geometry).squeeze(-1)
        return self.mean_offset_offset_net(geometry), size

    def pose_colour(
        self,
        features: Tensor,  # [N, 96]
        pose: Tensor,  # [126]
        normals: Tensor,  # [N, 3] unit
    ) -> Tensor:  # [N, 3], added before the colour's limits
        """How a pose, and where the surface looks in it, change the colour."""
        return self.rgb_offset_net(torch.cat([_beside(features, pose), normals], 1))


def sampled(
    planes: Tensor,  # [3, C, H, W]
    points: Tensor,  # [N, 3] within -1..1; zeros outside
) -> Tensor:  # [N, 3 C]
    """Bilinear samples of the three planes, cell edges at -1 and 1."""
    grid = torch.stack([points[:, axes] for axes in PLANES])  # [3, N, 2]
    found = F.grid_sample(
        planes, grid[:, :, None], mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return found.squeeze(-1).movedim(2, 0).flatten(1)


def colours(
    raw: Tensor,  # [N, 3]
) -> Tensor:  # [N, 3] in 0..1
    """The published limits of a colour."""
    return (raw.tanh() + 1) / 2


def _hidden(inputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, *[WIDTH] * (HIDDEN - 1)):
        layers += [nn.Linear(width, WIDTH), nn.GroupNorm(GROUPS, WIDTH), nn.ReLU()]
    return nn.Sequential(*layers)


def _beside(features: Tensor, pose: Tensor) -> Tensor:
    return torch.cat([features, pose.expand(len(features), -1)], 1)
