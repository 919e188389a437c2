"""Poses found together with an avatar, which learns what a frozen first guess has wrong."""

from __future__ import annotations

from dataclasses import replace

from svad.avatar.train.poses import refine_poses
from svad.avatar.train.trainer import Trainer
from svad.body.skeleton import Joint
from svad.config.avatar import TrainConfig
from svad.core.progress import part
from svad.types import Avatar, Clip, Pose, Report, Subject

ROTATION_RATE, SHIFT_RATE = 12e-3, 6e-3  # rad and metres a step: thrice the training's
# What is too small to be seen in small frames keeps the bend that was tracked: let go, heads turn
# by eight degrees instead of four.
STILL = (
    *(Joint.LEFT_FOOT, Joint.RIGHT_FOOT, Joint.NECK, Joint.HEAD),
    *(Joint.LEFT_WRIST, Joint.RIGHT_WRIST),
)
PHOTO = 0.1  # part of the steps that draw the photo, which holds the front where it is
STEPS, RATE = 20, 0.5  # of each frame that was not learned from, the avatar frozen


def poses_together(
    avatar: Avatar,  # a first guess, as coarse as the frames
    subject: Subject,
    clip: Clip,  # T small frames
    report: Report,
    *,
    steps: int,
) -> Pose:  # T frames
    """The clip's poses after a short training on its frames, whose avatar is not kept.

    The final training starts afresh from these poses: what was learned at wrong ones would stay.
    Frames that tell nothing or do not fit only get the pose in which that avatar looks most like
    them. Raises `ClipError` where no frame can be learned from.
    """
    config = TrainConfig(
        steps=steps,
        height=clip.rgb.shape[1],
        small_until=0.0,
        gaussians=len(avatar.gaussians),
        first_gaussians=len(avatar.gaussians),
        photo=PHOTO,
        photo_last=PHOTO,
        holdout=0,
        lpips=0.0,
        tint=False,
        rotation_rate=ROTATION_RATE,
        shift_rate=SHIFT_RATE,
    )
    trainer = Trainer(avatar, subject, replace(clip, start=None), config)
    trainer.poses.hold(STILL)
    found = trainer.run(part(report, 0, 900, 1000))
    poses = found.poses[list(range(len(clip.rgb)))]
    learned = set(trainer.pictures.frames) - trainer.pictures.lost
    others = [row for row in range(len(clip.rgb)) if row not in learned]
    if others:
        told = part(report, 900, 1000, 1000)
        few = replace(clip, poses=poses)[others]
        better = refine_poses(found.avatar, few, told, steps=STEPS, rate=RATE)
        poses.rotations[others], poses.translation[others] = better.rotations, better.translation
    return poses
