"""The avatar as the photo's camera sees it."""

from __future__ import annotations

import numpy as np
import torch

from svad.body.skin import pose_gaussians
from svad.media.images import to_uint8
from svad.splat.render import render
from svad.types import Avatar


def front_picture(avatar: Avatar) -> np.ndarray:  # [H, W, 3] uint8
    """Over white."""
    with torch.no_grad():
        drawn = render(pose_gaussians(avatar, avatar.pose[0]), avatar.camera)
    image, alpha = drawn.image[0].numpy(force=True), drawn.alpha[0].numpy(force=True)
    return to_uint8(image + 1 - alpha[..., None])
