"""The colour balance of generated frames, measured where the photo tells the true colours.

Frames of a video model drift in brightness and tint over a clip. Where a frame shows what the
photo shows too, the difference is known; frames from behind take that of their neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from svad.avatar.closed.refine import well_inside
from svad.body.skin import pose_gaussians
from svad.media.images import to_float, to_uint8
from svad.splat.render import render
from svad.types import Avatar, Clip

KNOWN = 0.05  # px of the photo a Gaussian needs for half its colour to count as known
SURE = 0.8  # known part of a pixel below which it tells nothing
ENOUGH = 0.15  # share of the person in a frame that must be known
GAIN, SHIFT = (0.85, 1.18), 0.1  # limits of a channel's factor and of the sum added to it
# correlation of both, in every channel, below which the avatar lies beside the frame and its spread
# tells no factor: of a drawn woman with white hair over a red coat, seen from the side, it told 1.3
AGREE = 0.85
LASTS = 0.06  # of the clip's frames, over which a drift is still the same
CONTRAST = 0.05  # standard deviations below this do not tell a factor
SOFT = 0.006  # of the frame's height: detail finer than this may lie elsewhere in the frame


@dataclass(frozen=True)
class Tint:
    """What makes a frame's colours those of the photo: gain times colour plus shift."""

    gain: np.ndarray  # [3]
    shift: np.ndarray  # [3]

    def apply(
        self,
        rgb: np.ndarray,  # [H, W, 3] float32 in 0..1
    ) -> np.ndarray:  # [H, W, 3] float32 in 0..1
        """The frame as the photo's camera would have coloured it."""
        return np.clip(rgb * self.gain + self.shift, 0, 1).astype(np.float32)


SAME = Tint(np.ones(3, np.float32), np.zeros(3, np.float32))


def tints_of(
    avatar: Avatar,  # with the photo's colours where the photo shows it
    clip: Clip,
    shown: Tensor,  # [N, 1] px of the photo that each Gaussian colours
    tell: Callable[[int], None],  # gets how many frames have been looked at
) -> list[Tint]:
    """One per frame; a frame with little in common with the photo lies between its neighbours.

    Far from those that are known a drift is not, and a frame gets the mean of all.
    """
    known = known_part(shown)
    found: dict[int, np.ndarray] = {}
    frames = range(len(clip.rgb))
    for index in frames:
        tell(index)
        balance = _balance(avatar, clip, index, known)
        if balance is not None:
            found[index] = balance
    if not found:
        return [Tint(np.ones(3), np.zeros(3)) for _ in frames]
    at, values = list(found), np.stack(list(found.values()))  # [K], [K, 6]
    between = np.stack([np.interp(frames, at, column) for column in values.T], 1)
    away = np.abs(np.arange(len(frames))[:, None] - at).min(1)
    near = np.exp(-away / (LASTS * len(frames)))[:, None]
    return [Tint(row[:3], row[3:]) for row in values.mean(0) + near * (between - values.mean(0))]


def tinted(avatar: Avatar, clip: Clip) -> Clip:
    """The clip with every frame in the photo's colours."""
    tints = tints_of(avatar, clip, photo_shares(avatar, clip), lambda done: None)
    pairs = zip(clip.rgb, tints, strict=True)
    return replace(clip, rgb=np.stack([to_uint8(tint.apply(to_float(rgb))) for rgb, tint in pairs]))


def photo_shares(avatar: Avatar, clip: Clip) -> Tensor:  # [N, 1]
    """Px of the photo that each Gaussian colours, as if the photo had the frames' size."""
    posed = pose_gaussians(avatar, avatar.pose[0])
    channel = torch.zeros(len(posed), 1, device=posed.means.device).requires_grad_()
    image = render(posed, avatar.camera, channel).image
    (grad,) = torch.autograd.grad(image, channel, torch.ones_like(image))
    size = clip.cameras[0].focal[1] / avatar.camera.focal[1]
    return grad * size**2


def known_part(
    shares: Tensor,  # [N, 1] px, of `photo_shares`
) -> Tensor:  # [N, 1] 0..1
    """How far the photo tells a Gaussian's colour."""
    return shares / (shares + KNOWN)


def _balance(
    avatar: Avatar, clip: Clip, index: int, known: Tensor
) -> np.ndarray | None:  # [6] gain, shift
    """From the means and spreads of both sides, which bear a frame that is a little displaced."""
    posed = pose_gaussians(avatar, clip.poses[index])
    with torch.no_grad():
        drawn = render(posed, clip.cameras[index], torch.cat([posed.colors, known], 1))
    image, alpha = drawn.image[0].numpy(), drawn.alpha[0].numpy()
    person = well_inside(to_float(clip.matte[index])) & (alpha > 0.9)
    weights = np.clip((image[..., 3] - SURE) / (1 - SURE), 0, 1) * person
    total = float(weights.sum())
    if total < max(ENOUGH * person.sum(), 1.0):
        return None
    wanted, frame = (
        _softened(picture, person)[weights > 0]
        for picture in (image[..., :3], to_float(clip.rgb[index]))
    )  # [P, 3] each
    share = weights[weights > 0][:, None] / total
    centre, middle = (share * wanted).sum(0), (share * frame).sum(0)
    both = (share * (wanted - centre) * (frame - middle)).sum(0)
    spread, width = (
        np.sqrt((share * (values - mean) ** 2).sum(0))
        for values, mean in ((wanted, centre), (frame, middle))
    )
    least = CONTRAST**2  # what has no contrast cannot disagree
    if (both + least < AGREE * np.sqrt((spread**2 + least) * (width**2 + least))).any():
        return None
    gain = np.clip((spread + CONTRAST) / (width + CONTRAST), *GAIN)
    return np.concatenate([gain, np.clip(centre - gain * middle, -SHIFT, SHIFT)])


def _softened(
    picture: np.ndarray,  # [H, W, 3]
    person: np.ndarray,  # [H, W] bool
) -> np.ndarray:  # [H, W, 3]
    """Means over the person around each pixel; what is beside the person stays out."""
    inside = person.astype(np.float32)[..., None]
    sums = np.concatenate([picture * inside, inside], -1)
    means = cv2.GaussianBlur(sums, (0, 0), SOFT * len(picture))
    return means[..., :3] / np.maximum(means[..., 3:], 1e-6)
