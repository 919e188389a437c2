"""Rendered frames around the person, from the relief, each with its pose, camera and matte."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from svad.body.skin import pose_gaussians
from svad.core.ahead import ahead
from svad.geometry.camera import Camera, orbit_camera
from svad.media.images import resize, to_uint8
from svad.motion.standing import a_pose
from svad.splat.render import render
from svad.types import PHOTO_WEIGHT, Avatar, Clip, Pose, Subject

SYNTHETIC_WEIGHT = 0.1  # a drawn frame tells nothing the photo does not, so it counts little


def clip_views(
    subject: Subject,
    avatar: Avatar,
    views: int,
    tell: Callable[[int, np.ndarray], None],  # (frames done, picture)
) -> Clip:
    """The photo as frame 0, then `views` even yaw steps of the A-pose at the photo's size."""
    h, w = subject.matte.shape
    pose = a_pose(avatar.joints.numpy(), avatar.parents, len(avatar.expression_names))
    posed = pose_gaussians(avatar, pose[0])
    low, high = posed.means.amin(0).numpy(), posed.means.amax(0).numpy()
    centre = (low + high) / 2
    extent = float(max(high[1] - low[1], (high[0] - low[0]) * h / w))
    focal = 2.0 * h
    distance = focal * extent * 1.08 / h
    rgb, matte = [subject.photo.rgb], [subject.matte]
    cameras, yaws = [avatar.camera], [0.0]

    def draw(camera: Camera) -> tuple[np.ndarray, np.ndarray]:  # [H, W, 3], [H, W] uint8
        with torch.no_grad():
            drawn = render(posed, camera)
        alpha = drawn.alpha[0].numpy()
        return to_uint8(drawn.image[0].numpy() + (1 - alpha[..., None])), to_uint8(alpha)

    yaws += [2 * np.pi * i / views for i in range(views)]
    cameras += [orbit_camera(centre, distance, yaw, 0.0, focal, w, h) for yaw in yaws[1:]]
    for i, (picture, cover) in enumerate(ahead(draw, cameras[1:])):
        rgb.append(picture)
        matte.append(cover)
        tell(i + 1, resize(picture, max(1, round(w * 320 / h)), 320))
    return Clip(
        rgb=np.stack(rgb),
        matte=np.stack(matte),
        poses=Pose.cat([avatar.pose, *[pose] * views]),
        cameras=tuple(cameras),
        weight=np.array([PHOTO_WEIGHT] + [SYNTHETIC_WEIGHT] * views, np.float32),
        yaw=np.array(yaws, np.float32),
        start=avatar,
    )
