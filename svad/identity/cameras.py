"""Cameras of the head: 3 x 4 matrices to and from those of the rasteriser.

A camera of the head is R | t for row vectors, x = p R + t, with x to the left, y up and z forward
(PyTorch3D's convention). The head stands at the origin, in FLAME's metres times five, and every
camera has a focal length of 12 half pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.identity.planes import FOCAL

NEAR = 0.2  # nearer Gaussians are not drawn
DISTANCE = 9.3  # of a turntable camera from the origin
ELEVATION = 5.0  # degrees, of a turntable camera above the horizon


def raster_camera(
    camera: Tensor | np.ndarray,  # [3, 4]
    width: int,
    height: int,
    focal: float = FOCAL,  # half pictures along each axis
) -> Camera:
    """The same camera with x to the right and y down, for column vectors.

    Source: D = diag(-1, -1, 1), rotation D R^T, translation D t; pixel centres at + 0.5.
    """
    matrix = np.asarray(torch.as_tensor(camera).detach().cpu(), np.float32)
    turn = np.diag([-1.0, -1.0, 1.0]).astype(np.float32)
    return Camera(
        rotation=turn @ matrix[:, :3].T,
        translation=turn @ matrix[:, 3],
        focal=(focal * width / 2, focal * height / 2),
        center=(width / 2, height / 2),
        width=width,
        height=height,
    )


def turntable(
    azimuths: Sequence[float],  # degrees; 0 = from the front, growing towards +x
    distance: float = DISTANCE,
    elevation: float = ELEVATION,  # degrees above the horizon
) -> Tensor:  # [T, 3, 4]
    """Cameras around the head that look at the origin, y up."""
    a = torch.deg2rad(torch.as_tensor(azimuths, dtype=torch.float64))
    e = math.radians(elevation)
    height = torch.full_like(a, math.sin(e))
    center = distance * torch.stack([math.cos(e) * a.sin(), height, math.cos(e) * a.cos()], -1)
    z = torch.nn.functional.normalize(-center, dim=-1)
    up = torch.tensor([0.0, 1.0, 0.0], dtype=a.dtype).expand_as(z)
    x = torch.nn.functional.normalize(torch.linalg.cross(up, z), dim=-1)
    y = torch.linalg.cross(z, x)
    rotation = torch.stack([x, y, z], -1)
    translation = -(rotation.mT @ center[..., None])
    return torch.cat([rotation, translation], -1).float()
