"""A drawn person of capsules, with which everything can be measured in seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.evaluate.methods import Methods
from svad.evaluate.synthetic import pictures
from svad.evaluate.truth import Truth
from svad.geometry.camera import Camera, photo_camera
from svad.motion.rig import turn_y
from svad.splat.render import render
from svad.types import Avatar, Clip, Pose
from tests.helpers import PARENTS, tiny_avatar, tiny_joints, tiny_pose, tiny_subject

SIZE, COUNT = 96, 6


def drawn_clip(avatar: Avatar, poses: Pose, camera: Camera, yaw: np.ndarray) -> Clip:
    """The avatar itself as the truth."""
    from svad.body.poser import Poser

    count, poser = len(poses), Poser.of(avatar)
    blank = np.zeros((count, camera.height, camera.width), np.uint8)
    for i in range(count):
        blank[i] = render(poser(poses[i]), camera).alpha[0].numpy() * 255
    clip = Clip(
        rgb=np.repeat(blank[..., None], 3, -1),
        matte=blank,
        poses=poses,
        cameras=(camera,) * count,
        weight=np.full(count, 0.9, np.float32),
        yaw=yaw.astype(np.float32),
        start=None,
    )
    return replace(clip, rgb=pictures(avatar, clip))


def turned(pose: Pose, yaws: np.ndarray) -> Pose:
    """One pose from every side."""
    from svad.geometry.rotation import matrix_to_axis_angle

    out = Pose.cat([pose] * len(yaws))
    turns = matrix_to_axis_angle(torch.from_numpy(turn_y(np.degrees(yaws)))).float()
    rotations = out.rotations.clone()
    rotations[:, 0] = turns
    return replace(out, rotations=rotations)


@pytest.fixture(scope="session")
def truth() -> Truth:
    avatar = tiny_avatar()
    yaws = -np.arange(COUNT) * 2 * np.pi / COUNT
    yaws = (yaws + np.pi) % (2 * np.pi) - np.pi
    camera = photo_camera(SIZE, SIZE)
    novel = tiny_pose()
    novel.rotations[:, 4, 0] = 0.6
    return Truth(
        name="capsules",
        photo=drawn_clip(avatar, avatar.pose, avatar.camera, np.zeros(1)),
        turning=drawn_clip(avatar, turned(avatar.pose, -yaws), camera, yaws),
        novel=drawn_clip(avatar, turned(novel, yaws[:3]), camera, yaws[:3]),
        joints=torch.from_numpy(tiny_joints()),
        parents=PARENTS,
    )


@pytest.fixture
def fake_methods() -> Methods:
    """The photo is understood without fault; the closed form is grey, the trained avatar right."""

    def grey(subject, clip, report) -> Avatar:
        report(1, 1, "grey")
        colours = torch.full_like(clip.start.gaussians.colors, 0.5)
        return replace(clip.start, gaussians=replace(clip.start.gaussians, colors=colours))

    return Methods(
        understand=lambda photo, report: (tiny_subject(), tiny_avatar()),
        closed=grey,
        train=lambda avatar, subject, clip, report: clip.start,
        refine=lambda avatar, clip, report: clip.poses,
    )
