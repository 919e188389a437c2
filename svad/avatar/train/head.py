"""How the photo held its head, as the frames tell: what its fit got wrong is alike in all of them.

The first guess is bound by the pose that was fitted to one photo, in which a head that is tilted by
five degrees too much looks like any other. In frames whose poses are known it is tilted wrongly in
each, and there it shows. A training would mend this by moving eyes and mouths: drawn people had
crooked faces in the frames' views, and straight ones in the photo's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from svad.avatar.model.thin import thinned
from svad.avatar.train.pictures import require_frames
from svad.avatar.train.poses import L1, SSIM
from svad.avatar.train.views import View, make_view, over
from svad.body.lbs import rigid_chain
from svad.body.skeleton import Joint
from svad.body.skin_fast import pose_cloud
from svad.compute.adam import Adam
from svad.core.progress import silent
from svad.geometry.rotation import rodrigues
from svad.learn.ssim import photometric
from svad.motion.stance import bound_anew
from svad.splat.render import render
from svad.types import Avatar, Clip, Pose, Report

BENT = (Joint.NECK, Joint.HEAD)
SIDEWAYS = np.radians(60.0)  # yaw up to which a frame shows what the photo shows
MOST, LEAST = 14, 4  # frames that are looked at; fewer do not tell a head from their own errors
HEIGHT = 270  # px of them
GAUSSIANS = 40_000  # that are drawn, as fine as those pixels
BEND_RATE, TURN_RATE, SHIFT_RATE = 8e-3, 4e-3, 12e-3  # rad, rad and metres a step, Adam's
FALLING = ((0.5, 1.0), (0.8, 0.3), (1.0, 0.1))  # rates from part to part of the steps
STAY = 4e-3  # of the squared bends in radians: neck and head could bend against each other
EVERY = 5  # steps between two words about the progress


def head_as_frames(
    avatar: Avatar,  # a first guess
    clip: Clip,
    steps: int,  # pictures that are drawn; 0 = nothing is looked for
    report: Report = silent,
) -> Avatar:
    """The first guess with the head at rest as the frames' poses hold it.

    In its photo, whose pose loses what the rest pose gains, it looks as before. Raises `ClipError`
    where there is no frame to learn from.
    """
    rows = front_frames(clip)
    if not steps or len(rows) < LEAST:
        return avatar
    rest = _rest(head_bends(avatar, clip[rows], steps, report))
    return bound_anew(avatar, rest.to(avatar.joints))


def front_frames(clip: Clip) -> list[int]:
    """Evenly spread frames from the side that the photo shows."""
    good = [row for row in require_frames(clip) if abs(float(clip.yaw[row])) < SIDEWAYS]
    places = np.linspace(0, len(good) - 1, min(MOST, len(good))).round().astype(int)
    return [good[place] for place in places]


def head_bends(
    avatar: Avatar,
    clip: Clip,  # T frames, all of which are looked at
    steps: int,
    report: Report = silent,
) -> Tensor:  # [2, 3] axis-angles of neck and head
    """How both must be bent at rest for the avatar to look most like the frames.

    Bends are the same in all frames; each has a turn and a shift of its own, since its pose is
    not quite right.
    """
    few = thinned(avatar, GAUSSIANS).to("cpu")
    views = [
        make_view(*frame, min(HEIGHT, clip.rgb.shape[1]))
        for frame in zip(clip.rgb, clip.matte, clip.cameras, strict=True)
    ]
    shapes = (len(BENT), 3), (len(views), 3), (len(views), 3)
    leaves = [torch.zeros(shape).requires_grad_() for shape in shapes]
    rates = BEND_RATE, TURN_RATE, SHIFT_RATE
    adam, random = Adam(leaves, rates), np.random.default_rng(0)
    bag: list[int] = []
    for step in range(steps):
        if step % EVERY == 0:
            report(0, 1, "finding how the photo held its head", None)
        bag = bag or [int(frame) for frame in random.permutation(len(views))]
        frame = bag.pop()
        loss = _missed(few, clip.poses[frame], views[frame], _own(leaves, frame))
        loss = loss + STAY * leaves[0].square().sum()
        factor = next(factor for end, factor in FALLING if step < end * steps)
        adam.rates = [rate * factor for rate in rates]
        adam.step(torch.autograd.grad(loss, leaves))
    return leaves[0].detach()


def _own(leaves: Sequence[Tensor], frame: int) -> tuple[Tensor, Tensor, Tensor]:
    """All bends [2, 3], and turn [3] and shift [3] of a frame."""
    bends, turns, shifts = leaves
    return bends, turns[frame], shifts[frame]


def _rest(bends: Tensor) -> Tensor:  # [2, 3] -> [55, 3]
    return torch.zeros(len(Joint), 3).index_copy(0, torch.tensor(BENT), bends)


def _missed(
    avatar: Avatar,
    pose: Pose,  # a frame's
    view: View,
    change: tuple[Tensor, Tensor, Tensor],
) -> Tensor:  # []
    """What the avatar, its rest pose bent, misses a frame by; before white.

    Both poses one after another, as `bound_anew` has them.
    """
    g, bound = avatar.gaussians, (avatar.joint_ids, avatar.joint_weights)
    bends, turn, shift = change
    rest, parents = _rest(bends), avatar.parents
    joints = rigid_chain(rodrigues(rest), avatar.joints, parents)[1]
    means, quats = pose_cloud(
        g.means, g.quats, *bound, avatar.joints, parents, rest, torch.zeros(3)
    )
    turns = torch.cat([pose.rotations[:1] + turn, pose.rotations[1:]])
    means, quats = pose_cloud(
        means, quats, *bound, joints, parents, turns, pose.translation + shift
    )
    drawn = render(replace(g, means=means, quats=quats), view.camera)
    image = drawn.image + (1 - drawn.alpha)[..., None]
    return photometric(image, over([view], torch.ones(1, 3)), L1, SSIM)
