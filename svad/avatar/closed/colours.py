"""Appearance of what the photo does not show, fitted to generated frames in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor

from svad.avatar.closed.colour_balance import SAME, Tint, photo_shares, tints_of
from svad.avatar.closed.crop import cropped
from svad.avatar.closed.refine import well_inside
from svad.body.skin import pose_gaussians
from svad.media.images import to_float, to_uint8
from svad.splat.render import render
from svad.types import Avatar, Clip, SkinnedMesh

LEAST = 0.15  # weight below which a frame tells the avatar nothing new
PHOTO = 5.0  # so many times does the photo's word outweigh that of all frames together
RIM = 0.003  # of the frame's height: so near the outline a frame's colours are mixed with others
RATE = 1.2  # part of the mean error that is taken in a round; over 1, as neighbours share pixels
NEAREST = 3  # Gaussians a point of the mesh takes its change of colour from


def confident_frames(clip: Clip, count: int) -> list[int]:
    """Up to `count` frames worth learning from, evenly spread; never the photo itself."""
    good = [i for i in range(1, len(clip.weight)) if clip.weight[i] >= LEAST]
    if len(good) <= count:
        return good
    return [good[k] for k in np.linspace(0, len(good) - 1, count).round().astype(int)]


def fit_frames(
    avatar: Avatar,
    clip: Clip,
    frames: list[int],  # of the clip
    rounds: int,
    tell: Callable[[int], None],  # gets how many frames have been looked at; first for the tints
    tinted: bool = True,  # the frames do not have the photo's colour balance yet
) -> Avatar:
    """The avatar with colours that the frames agree on; what the photo shows hardly changes.

    c += rate (sum_f(w_f sum(s e)) + p (c0 - c)) / (sum_f(w_f sum(s)) + p): as
    `refine.fit_colours`, with s a Gaussian's share of a pixel, e the frame minus the picture and
    w_f the weight of the frame. p is the word of the photo, in which the first colours c0 are
    right: the Gaussian's share of the photo times `PHOTO` times the weight of all frames.
    Each frame is first given the photo's colour balance (`svad.avatar.closed.colour_balance`).
    """
    clip = cropped(clip, frames)
    count = len(frames)
    colors = photos = avatar.gaussians.colors
    shown = photo_shares(avatar, clip)
    pinned = PHOTO * float(clip.weight.sum()) * shown
    tints = tints_of(avatar, clip, shown, tell) if tinted else [SAME] * count
    for k in range(rounds):
        error, share = torch.zeros_like(colors), torch.zeros(len(colors), 1)
        now = replace_colors(avatar, colors)
        for j in range(count):
            tell((k + 1) * count + j)
            weight = float(clip.weight[j])
            e, s = _errors(now, clip, j, tints[j])
            error += weight * e
            share += weight * s
        error += pinned * (photos - colors)
        colors = (colors + RATE * error / (share + pinned + 0.05)).clamp(0, 1)
    change = colors - photos
    moved = replace_colors(avatar, colors)
    return replace(moved, mesh=_recoloured(avatar.mesh, avatar.gaussians.means, change))


def replace_colors(
    avatar: Avatar,
    colors: Tensor,  # [N, 3] 0..1
) -> Avatar:
    """The avatar with other colours."""
    return replace(avatar, gaussians=replace(avatar.gaussians, colors=colors))


def _errors(
    avatar: Avatar, clip: Clip, index: int, tint: Tint
) -> tuple[Tensor, Tensor]:  # [N, 3], [N, 1]
    """Sums over one frame's sure pixels: share times error, and share."""
    target = torch.from_numpy(tint.apply(to_float(clip.rgb[index])))
    sure = torch.from_numpy(_inside(clip.matte[index]))[..., None].float()
    posed = pose_gaussians(avatar, clip.poses[index])
    channels = torch.cat([posed.colors, torch.zeros(len(posed), 1)], 1).requires_grad_()
    drawn = render(posed, clip.cameras[index], channels)
    # where the avatar is not, its Gaussians' edges would take the blame for a wrong outline
    sure = sure * (drawn.alpha[0].detach() > 0.9)[..., None]
    error = (target - drawn.image[0].detach()[..., :3]) * sure
    (grad,) = torch.autograd.grad(drawn.image[0], channels, torch.cat([error, sure], -1))
    return grad[:, :3], grad[:, 3:]


def _inside(
    matte: np.ndarray,  # [H, W] uint8
) -> np.ndarray:  # [H, W] bool
    """Where a frame's colours are the person's alone: generated outlines are soft."""
    radius = round(RIM * len(matte))
    sure = well_inside(to_float(matte)).astype(np.uint8)
    return cv2.erode(sure, np.ones((2 * radius + 1,) * 2, np.uint8)) > 0


def _recoloured(
    mesh: SkinnedMesh,
    means: Tensor,  # [N, 3] rest
    change: Tensor,  # [N, 3] of the colours
) -> SkinnedMesh:
    """The mesh with the change of the Gaussians nearest to each of its points."""
    near = cKDTree(means.numpy()).query(mesh.vertices, k=min(NEAREST, len(means)))[1]
    delta = change.numpy()[near.reshape(len(mesh.vertices), -1)].mean(1)
    return replace(mesh, colors=to_uint8(to_float(mesh.colors) + delta))
