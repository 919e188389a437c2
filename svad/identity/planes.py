"""The plane of points that the picture is lifted from, and the code of its direction."""

from __future__ import annotations

import torch
from torch import Tensor

FREQUENCIES = (1.0, 2.0, 4.0, 8.0)  # of the direction code
CODE = 3 * (2 * len(FREQUENCIES) + 1)  # its values
FOCAL = 12.0  # of every camera of the head, in units of half the picture


def image_plane(
    camera: Tensor,  # [3, 4] R | t of the photo, for row vectors: x = p R + t
    size: int,  # points along one side
    focal: float = FOCAL,
) -> tuple[Tensor, Tensor]:  # points [size^2, 3] row by row, direction [3]
    """The plane through the world's origin, parallel to the picture.

    The grid runs from +1 to -1 with both ends, since the camera's x points left and its y up.
    """
    rotation, translation = camera[:, :3], camera[:, 3]
    steps = torch.linspace(1, -1, size, dtype=camera.dtype, device=camera.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    grid = torch.stack([x / focal, y / focal, torch.ones_like(x)], -1).reshape(-1, 3)
    origin = -rotation @ translation
    direction = rotation[:, 2]
    distance = (origin @ direction).abs()
    return origin + distance * (grid @ rotation.T), direction


def direction_code(directions: Tensor) -> Tensor:  # [..., 3] -> [..., 27]
    """Sines, then cosines, of each component at four frequencies, then the direction itself."""
    frequencies = directions.new_tensor(FREQUENCIES)
    angles = (directions[..., None] * frequencies).flatten(-2)
    return torch.cat([angles.sin(), angles.cos(), directions], -1)
