"""Brings tracked poses nearer to the pictures by drawing the first guess of the avatar in them.

Landmarks tell how far a person is turned to about five degrees, and are wrong in the same way from
picture to picture: what is trained on them bends. The first guess, which knows the front and
guesses the sides, fits best within two or three degrees of the right turn, from all sides. What it
guesses wrong then has to be learned together with the poses: at a small size, where a picture
costs little, and every frame can be seen again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from scipy.ndimage import median_filter
from torch import Tensor

from svad.body.skin import select_gaussians
from svad.core.progress import part
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.media.images import resize
from svad.splat.gaussians import Gaussians
from svad.splat.render import spatial_order
from svad.types import Avatar, Clip, Pose, Report, Subject

HEIGHT, SPLATS = 216, 25_000  # px of photos that are compared, and Gaussians of the avatar
STEPS, RATE = 12, 0.4  # of each photo
# Of a clip, where many pictures tell what a small one leaves open.
SMALL, FEW = 108, 9_000
EVERY, TURNS, TURN_RATE = 2, 24, 1.0  # of so many frames one, in so many steps
WINDOW = 5  # of those, whose corrections are alike
ENOUGH = 12  # frames; fewer leave an avatar too free to tell poses
EACH = 90  # steps for each frame


class Refine(Protocol):
    """Brings poses nearer to frames, the avatar frozen."""

    def __call__(
        self, avatar: Avatar, clip: Clip, report: Report, *, steps: int, rate: float
    ) -> Pose:
        """The clip's poses after some steps on each frame, `rate` times as long as usual."""
        ...


class Together(Protocol):
    """Finds poses together with an avatar that learns."""

    def __call__(
        self, avatar: Avatar, subject: Subject, clip: Clip, report: Report, *, steps: int
    ) -> Pose:
        """The clip's poses after a training of some steps."""
        ...


def seen_poses(
    clip: Clip,  # T frames, with a first guess of the avatar
    refine: Refine,
    report: Report,
) -> Pose:  # T frames
    """The poses in which the first guess looks most like the pictures, each for itself."""
    if clip.start is None:
        return clip.poses
    avatar, small = thinned(clip.start, SPLATS), made_small(clip, HEIGHT)
    return refine(avatar, small, report, steps=STEPS, rate=RATE)


def turning_poses(
    clip: Clip,  # T frames in the order of time, with a first guess of the avatar
    subject: Subject,
    refine: Refine,
    together: Together,
    report: Report,
) -> Pose:  # T frames
    """The poses in which one avatar looks like all pictures of a clip.

    First the guess is drawn in every other picture; of what is found only turn and place are kept,
    made like those of the neighbours: where the search went astray, it follows the others. Then
    poses and avatar are learned together. Frames of little weight follow.
    """
    if clip.start is None:
        return clip.poses
    guess, small, count = thinned(clip.start, FEW), made_small(clip, SMALL), len(clip.poses)
    rows = list(range(0, count, EVERY))
    told = part(report, 0, 150, 1000)
    found = refine(guess, small[rows], told, steps=TURNS, rate=TURN_RATE)
    near = replace(small, poses=alike(clip.poses, found, rows))
    return together(guess, subject, near, part(report, 150, 1000, 1000), steps=EACH * count)


def alike(
    before: Pose,  # T frames
    after: Pose,  # K frames
    rows: Sequence[int],  # K, which of the T those are, rising
) -> Pose:  # T frames
    """`before`, its roots turned and moved by the median of neighbours, between them linearly."""
    old, new = rodrigues(before.rotations[:, 0]), rodrigues(after.rotations[:, 0])
    at = list(rows)
    turn = _medians(matrix_to_axis_angle(new @ old[at].transpose(-1, -2)), at, len(before))
    shift = _medians(after.translation - before.translation[at], at, len(before))
    rotations = before.rotations.clone()
    rotations[:, 0] = matrix_to_axis_angle(rodrigues(turn) @ old)
    return Pose(rotations, before.translation + shift, before.expression)


def _medians(values: Tensor, rows: Sequence[int], count: int) -> Tensor:  # [K, 3] -> [T, 3]
    found = median_filter(values.numpy(), size=(WINDOW, 1), mode="nearest")
    columns = [np.interp(np.arange(count), rows, column) for column in found.T]
    return torch.from_numpy(np.stack(columns, 1)).to(values)


def thinned(avatar: Avatar, count: int) -> Avatar:
    """Every so many Gaussians, as much larger, so that the surface stays closed."""
    step = max(1, round(len(avatar.gaussians) / count))
    few = select_gaussians(avatar, spatial_order(avatar.gaussians.means)[::step])
    g = few.gaussians
    grown = Gaussians(g.means, g.scales * step**0.5, g.quats, g.opacities, g.colors)
    return replace(few, gaussians=grown)


def made_small(clip: Clip, height: int) -> Clip:
    """The clip's pictures at a height, never enlarged."""
    factor = min(1.0, height / clip.rgb.shape[1])
    cameras = tuple(camera.resized(factor) for camera in clip.cameras)
    size = (cameras[0].width, cameras[0].height)
    return replace(
        clip,
        rgb=np.stack([resize(one, *size) for one in clip.rgb]),
        matte=np.stack([resize(one, *size) for one in clip.matte]),
        cameras=cameras,
    )
