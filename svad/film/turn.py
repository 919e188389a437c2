"""Brings tracked poses nearer to the pictures by drawing the first guess of the avatar in them.

Landmarks tell how far a person is turned to about five degrees, and are wrong in the same way from
picture to picture: what is trained on them bends. The first guess, which knows the front and
guesses the sides, fits best within two or three degrees of the right turn, from all sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import median_filter

from svad.body.skin import select_gaussians
from svad.core.progress import part
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.media.images import resize
from svad.splat.gaussians import Gaussians
from svad.splat.render import spatial_order
from svad.types import Avatar, Clip, Pose, Report

HEIGHT = 216  # px, of the pictures that are compared
SPLATS = 25_000  # of the avatar
STEPS = (30, 20)  # of each frame, in two rounds
WINDOW = 5  # frames, whose corrections are alike

Refine = Callable[[Avatar, Clip, Report, int], Pose]
"""`refine(avatar, clip, report, steps)`: the clip's poses nearer to its frames, avatar frozen."""


def seen_poses(
    clip: Clip,  # T frames in the order of time, with a first guess of the avatar
    refine: Refine,
    steady: bool,  # the frames follow each other closely
    report: Report,
) -> Pose:  # T frames
    """The poses in which the first guess looks most like the pictures.

    Between two rounds the corrections of neighbours are made alike: a picture in which the search
    went astray follows the others.
    """
    if clip.start is None:
        return clip.poses
    avatar, small = thinned(clip.start, SPLATS), made_small(clip)
    poses, total = clip.poses, sum(STEPS)
    for number, steps in enumerate(STEPS):
        done = sum(STEPS[:number])
        told = part(report, round(1000 * done / total), round(1000 * (done + steps) / total), 1000)
        found = refine(avatar, replace(small, poses=poses), told, steps)
        poses = alike(poses, found) if steady and number < len(STEPS) - 1 else found
    return poses


def alike(
    before: Pose,  # T frames
    after: Pose,  # T frames
) -> Pose:  # T frames
    """`after`, with the median of neighbours' changes of root and place in place of each one's."""
    old, new = rodrigues(before.rotations[:, 0]), rodrigues(after.rotations[:, 0])
    turn = _medians(matrix_to_axis_angle(new @ old.transpose(-1, -2)))
    shift = _medians(after.translation - before.translation)
    rotations = after.rotations.clone()
    rotations[:, 0] = matrix_to_axis_angle(rodrigues(turn) @ old)
    return Pose(rotations, before.translation + shift, after.expression)


def _medians(values: torch.Tensor) -> torch.Tensor:  # [T, 3]
    found = median_filter(values.numpy(), size=(WINDOW, 1), mode="nearest")
    return torch.from_numpy(np.ascontiguousarray(found))


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
