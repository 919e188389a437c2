"""Fits the avatar to the photo and the clip, in closed form: finished, animatable Gaussians."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from svad.avatar.closed.colours import confident_frames, fit_frames
from svad.avatar.closed.refine import fit_colours, fit_silhouette, well_inside
from svad.body.skin import pose_gaussians, unpose_points
from svad.config import AvatarConfig
from svad.core.progress import StepCounter
from svad.media.images import to_float, to_uint8
from svad.splat.render import render
from svad.types import Avatar, Clip, Report, Subject


class AvatarStage:
    """Refines the first guess of the avatar until it looks like the photo from the front."""

    def __init__(self, config: AvatarConfig) -> None:
        self.config = config

    def run(self, subject: Subject, clip: Clip, report: Report) -> Avatar:
        """Silhouette, then colours, in the photo's pose; then the other sides from the frames.

        Raises ValueError for a clip without a first guess (`clip.start`).
        """
        if clip.start is None:
            raise ValueError("this clip has no first guess of the avatar")
        start, c = clip.start, self.config
        frames = confident_frames(clip, c.frames)
        looks = (1 + c.frame_rounds) * len(frames)
        steps = StepCounter(report, total=c.silhouette_rounds + c.colour_rounds + looks + 1)
        matte = to_float(subject.matte)
        posed = pose_gaussians(start, start.pose[0])
        fitted = fit_silhouette(
            posed, start.camera, matte, c.silhouette_rounds,
            lambda k: steps.tell("fitting the outline", ahead=k),
        )  # fmt: skip
        steps.done += c.silhouette_rounds
        fitted = fit_colours(
            fitted, start.camera, to_float(subject.photo.rgb), well_inside(matte), c.colour_rounds,
            lambda k: steps.tell("matching the colours", ahead=k),
        )  # fmt: skip
        moved = (fitted.means - posed.means).abs().amax(1) > 0
        index = torch.nonzero(moved)[:, 0]
        rest = unpose_points(
            fitted.means[index], start.joint_ids[index], start.joint_weights[index],
            start.joints, start.parents, start.pose[0],
        )  # fmt: skip
        means = start.gaussians.means.index_copy(0, index, rest.float())
        gaussians = replace(
            start.gaussians,
            means=means,
            opacities=fitted.opacities,
            colors=fitted.colors.detach(),
        )
        avatar = replace(start, gaussians=gaussians)
        if frames:
            steps.done += c.colour_rounds
            avatar = fit_frames(
                avatar, clip, frames, c.frame_rounds,
                lambda k: steps.tell("colours of the other sides", ahead=k),
            )  # fmt: skip
        steps.done = steps.total
        steps.tell("finished", front_picture(avatar))
        return avatar


def front_picture(avatar: Avatar) -> np.ndarray:  # [H, W, 3] uint8
    """The avatar as the photo's camera sees it, over white."""
    with torch.no_grad():
        drawn = render(pose_gaussians(avatar, avatar.pose[0]), avatar.camera)
    return to_uint8(drawn.image[0].numpy() + 1 - drawn.alpha[0].numpy()[..., None])
