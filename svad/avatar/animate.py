"""Plays a motion on an avatar: one studio picture per pose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from svad.body.poser import Poser
from svad.body.skeleton import COLLARS, HEAD_JOINTS, Joint
from svad.body.skin import pose_gaussians, select_gaussians
from svad.core.ahead import ahead
from svad.geometry.camera import Camera
from svad.motion.motion import Motion
from svad.splat.cutout import cutout
from svad.splat.gaussians import Gaussians
from svad.splat.scene import Studio, draw, floor_height, frame_camera, studio
from svad.types import Avatar, Pose, Report

SAMPLE = 3000  # Gaussians looked at to frame a motion
FLOOR_SAMPLE = 30_000  # Gaussians looked at to find the floor
LOOKS = 24  # poses looked at to frame a motion
BUST_JOINTS = (Joint.NECK, *COLLARS, *HEAD_JOINTS)


def animate(
    avatar: Avatar,
    motion: Motion,  # T frames
    camera: Camera | Sequence[Camera],  # one for all, or T of one size
    report: Report | None = None,
    *,
    transparent: bool = False,  # RGBA with straight colours instead of the studio
    backdrop: np.ndarray | None = None,  # [H, W, 3] float32 sRGB in 0..1, instead of the studio
    floor: float | None = None,  # metres; default = under the feet of these poses
) -> Iterator[np.ndarray]:  # [H, W, 3] uint8 each, [H, W, 4] if transparent
    """Frames, one per pose.

    Any motion will do, authored or recorded, if its expressions are the avatar's; two frames are
    drawn at once. A shadow lies on the floor of the studio only.
    Raises ValueError when cameras and poses do not count the same.
    """
    poses = motion.poses
    cameras = [camera] * len(poses) if isinstance(camera, Camera) else list(camera)
    if len(cameras) != len(poses):
        raise ValueError(f"expected a camera for each of {len(poses)} poses, got {len(cameras)}")
    if not len(poses):
        return
    if backdrop is not None:
        stage = Studio(backdrop, None)
    elif not transparent:
        floor = motion_floor(avatar, motion) if floor is None else floor
        stage = studio(cameras[0].width, cameras[0].height, floor)

    poser = Poser.of(avatar)

    def picture(item: tuple[Pose, Camera]) -> np.ndarray:
        with torch.no_grad():
            gaussians = poser(item[0])
        return cutout(gaussians, item[1]) if transparent else draw(gaussians, item[1], stage)

    frames = ahead(picture, zip(poses, cameras, strict=True))
    for done, frame in enumerate(frames, 1):
        if report is not None:
            report(
                done,
                len(poses),
                "drawing frames",
                frame if done % 12 == 1 and not transparent else None,
            )
        yield frame


def motion_camera(
    avatar: Avatar,
    motion: Motion,
    height: int,  # px
    *,
    yaw: float = 0.0,  # radians, 0 = from the front
) -> Camera:
    """A camera at rest that sees the whole motion with some air, portrait or square.

    Of a motion with the focus "bust" it sees head and shoulders, else all of the person.
    """
    points = np.concatenate(list(motion_points(avatar, motion)))
    middle = np.median(points, 0)
    if motion.focus == "bust":
        return frame_camera(points, height, middle, yaw=yaw, pitch=0.02, margin=0.1, widest=0.8)
    return frame_camera(points, height, middle, yaw=yaw)


def motion_points(
    avatar: Avatar, motion: Motion, looks: int = LOOKS
) -> Iterator[np.ndarray]:  # [M, 3] each, metres
    """Some of the Gaussians that a camera should show, in some poses of a motion."""
    part = _bust(avatar) if motion.focus == "bust" else torch.arange(len(avatar.gaussians))
    chosen = _thin(avatar, part[:: max(1, len(part) // SAMPLE)])
    for pose in motion.poses[:: max(1, len(motion.poses) // looks)]:
        yield _posed(chosen, pose).means.numpy(force=True)


def motion_floor(avatar: Avatar, motion: Motion) -> float:
    """Height of the floor under a motion: the middle of the lowest points of some poses."""
    count = len(avatar.gaussians)
    chosen = _thin(avatar, torch.arange(0, count, max(1, count // FLOOR_SAMPLE)))
    moments = motion.poses[:: max(1, len(motion.poses) // 8)]
    points = [_posed(chosen, pose).means.numpy(force=True) for pose in moments]
    return float(np.median([floor_height(p) for p in points]))


def _posed(avatar: Avatar, pose: Pose) -> Gaussians:
    with torch.no_grad():
        return pose_gaussians(avatar, pose)


def _bust(avatar: Avatar) -> torch.Tensor:  # [M] int64
    """The Gaussians of head, neck and shoulders."""
    strongest = avatar.joint_weights.argmax(1, keepdim=True)
    joint = avatar.joint_ids.gather(1, strongest)[:, 0]
    return torch.nonzero(torch.isin(joint, joint.new_tensor(BUST_JOINTS)))[:, 0]


def _thin(avatar: Avatar, index: torch.Tensor) -> Avatar:
    """A few of the avatar's Gaussians, without expressions."""
    still = replace(
        avatar,
        expression_ids=avatar.expression_ids[:0],
        expression_dirs=avatar.expression_dirs[:0],
    )
    return select_gaussians(still, index)
