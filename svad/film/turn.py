"""Brings tracked poses nearer to the pictures by drawing the first guess of the avatar in them.

Landmarks tell how far a person is turned to about five degrees, and are wrong in the same way from
picture to picture: what is trained on them bends. The first guess, which knows the front and
guesses the sides, fits best within two or three degrees of the right turn, from all sides.
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
from svad.types import Avatar, Clip, Pose, Report

HEIGHT = 216  # px, of the pictures that are compared
SPLATS = 25_000  # of the avatar
EVERY, TURNS, TURN_RATE = 2, 24, 1.0  # of so many frames one, in so many steps
WINDOW = 5  # of those, whose corrections are alike
STEPS, RATE = 12, 0.4  # then all frames


class Refine(Protocol):
    """Brings poses nearer to frames, the avatar frozen."""

    def __call__(
        self, avatar: Avatar, clip: Clip, report: Report, *, steps: int, rate: float
    ) -> Pose:
        """The clip's poses after some steps on each frame, `rate` times as long as usual."""
        ...


def seen_poses(
    clip: Clip,  # T frames in the order of time, with a first guess of the avatar
    refine: Refine,
    steady: bool,  # the frames follow each other closely
    report: Report,
) -> Pose:  # T frames
    """The poses in which the first guess looks most like the pictures.

    First every other picture; of what is found only turn and place are kept, made like those of the
    neighbours: where the search went astray, it follows the others. Then the whole pose of each.
    """
    if clip.start is None:
        return clip.poses
    avatar, small = thinned(clip.start, SPLATS), made_small(clip)
    poses = clip.poses
    if steady and len(poses) > 2 * WINDOW:
        rows = list(range(0, len(poses), EVERY))
        told = part(report, 0, 500, 1000)
        found = refine(avatar, small[rows], told, steps=TURNS, rate=TURN_RATE)
        poses = alike(poses, found, rows)
    told = part(report, 500, 1000, 1000)
    return refine(avatar, replace(small, poses=poses), told, steps=STEPS, rate=RATE)


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


def made_small(clip: Clip) -> Clip:
    """The clip's pictures at the height at which they are compared."""
    factor = min(1.0, HEIGHT / clip.rgb.shape[1])
    cameras = tuple(camera.resized(factor) for camera in clip.cameras)
    size = (cameras[0].width, cameras[0].height)
    return replace(
        clip,
        rgb=np.stack([resize(one, *size) for one in clip.rgb]),
        matte=np.stack([resize(one, *size) for one in clip.matte]),
        cameras=cameras,
    )
