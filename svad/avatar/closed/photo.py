"""The photo's word on an avatar, in closed form: its outline and its colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch

from svad.avatar.closed.refine import REACH, facing, fit_colours, fit_silhouette, well_inside
from svad.body.skeleton import ELBOWS, WRISTS, Joint
from svad.body.skin import pose_gaussians, unpose_points
from svad.geometry.sampling import bilinear, smoothstep
from svad.media.images import to_float
from svad.splat.gaussians import Gaussians
from svad.types import Avatar, Subject

# Cosines to the ray: takes none of the photo's colour, takes all. What lies steeper on an arm than
# `relief.flanks.STEEP` has a dot before it.
STEEP, SQUARE = 0.2, 0.4
STEEP_ARM, SQUARE_ARM = 0.45, 0.55
ARM = 0.3  # share of forearm and hand from which on a Gaussian is an arm's
HEAD = 0.3  # share of the head from which on this does not count


def fit_photo(
    avatar: Avatar,
    subject: Subject,
    silhouette_rounds: int,
    colour_rounds: int,
    tell: Callable[[str, int], None],  # gets what is done, and how many rounds of all are
) -> Avatar:
    """The avatar with the photo's outline and colours in the photo's pose."""
    matte = to_float(subject.matte)
    pose = avatar.pose[0]
    posed = pose_gaussians(avatar, pose)
    fitted = fit_silhouette(
        posed, avatar.camera, matte, silhouette_rounds, lambda k: tell("fitting the outline", k)
    )
    taken = coloured_by_photo(avatar, posed, matte)
    fitted = fit_colours(
        fitted, avatar.camera, to_float(subject.photo.rgb), well_inside(matte), colour_rounds,
        lambda k: tell("matching the colours", silhouette_rounds + k), taken,
    )  # fmt: skip
    moved = (fitted.means - posed.means).abs().amax(1) > 0
    index = torch.nonzero(moved)[:, 0]
    rest = unpose_points(
        fitted.means[index], avatar.joint_ids[index], avatar.joint_weights[index],
        avatar.joints, avatar.parents, pose,
    )  # fmt: skip
    g = avatar.gaussians
    means = g.means.index_copy(0, index, rest.float())
    colors = fitted.colors.detach()
    gaussians = replace(g, means=means, opacities=fitted.opacities, colors=colors)
    return replace(avatar, gaussians=gaussians)


def coloured_by_photo(
    avatar: Avatar,
    posed: Gaussians,  # its Gaussians as the photo shows them
    matte: np.ndarray,  # [H, W] float32 in 0..1
) -> torch.Tensor:  # [N] 0..1
    """How far each Gaussian's colour is the photo's affair.

    Flanks are seen as lines: there the photo has dots of its own to colour (`relief.flanks`), and
    a flank that took the colour of a pixel would show it, an arm's before a trunk, centimetres
    wide from the side. Heads have no such dots, and finer Gaussians; nor has the outline.
    """
    inside = cv2.distanceTransform((matte > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    rim = bilinear(inside, avatar.camera.project(posed.means.numpy())[:, :2]) < REACH
    head = _share(avatar, (Joint.HEAD,)) > HEAD
    arm = _share(avatar, (*ELBOWS, *WRISTS)) > ARM
    low, high = torch.where(arm, STEEP_ARM, STEEP), torch.where(arm, SQUARE_ARM, SQUARE)
    square = smoothstep((facing(posed, avatar.camera) - low) / (high - low))
    return torch.where(head | torch.from_numpy(rim), 1.0, square)


def _share(
    avatar: Avatar,
    joints: tuple[int, ...],
) -> torch.Tensor:  # [N] 0..1
    """How much of each Gaussian belongs to some joints."""
    mine = torch.isin(avatar.joint_ids, torch.tensor(joints))
    return (mine * avatar.joint_weights).sum(1)
