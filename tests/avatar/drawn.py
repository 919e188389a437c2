"""A small person who differs from the first guess, drawn from all sides: what a training gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from svad.body.skin import pose_gaussians
from svad.config.avatar import TrainConfig
from svad.geometry.camera import Camera, photo_camera
from svad.media.images import to_uint8
from svad.splat.render import render
from svad.types import Avatar, Clip, Photo, Pose, Subject
from tests.helpers import tiny_avatar, tiny_subject

COUNT, SIZE = 1500, 80  # Gaussians; px, side of a frame
# A training that is over in a second: everything at once, and nothing left out.
SMALL = TrainConfig(
    steps=80,
    height=SIZE,
    coefficients=2,
    holdout=0,
    photo=0.5,
    first_gaussians=10_000,
    small_until=0.2,
)


def first_guess() -> Avatar:
    """What the training starts from."""
    return tiny_avatar(COUNT, width=60, height=80)


def true_person() -> Avatar:
    """The same person as they are: a green shirt, lighter trousers, a belly."""
    avatar = first_guess()
    g = avatar.gaussians
    colors, means = g.colors[:, [2, 1, 0]] * 0.9 + 0.08, g.means.clone()
    trunk = (means[:, 1] > -0.1) & (means[:, 1] < 0.4) & (means[:, 0].abs() < 0.16)
    means[trunk, 2] += 0.03 * means[trunk, 2].sign()
    return replace(avatar, gaussians=replace(g, means=means, colors=colors))


def facing(pose: Pose, yaws: Sequence[float]) -> Pose:
    """One pose, seen from every side; radians."""
    out = Pose.cat([pose] * len(yaws))
    rotations = out.rotations.clone()
    rotations[:, 0, 1] = -torch.tensor(list(yaws), dtype=rotations.dtype)
    return replace(out, rotations=rotations)


def drawn(avatar: Avatar, poses: Pose, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Pictures over grey [T, H, W, 3] and mattes [T, H, W], uint8."""
    rgb, matte = [], []
    with torch.no_grad():
        for frame in range(len(poses)):
            shown = render(pose_gaussians(avatar, poses[frame]), camera)
            alpha = shown.alpha[0].numpy()
            rgb.append(to_uint8(shown.image[0].numpy() + 0.6 * (1 - alpha[..., None])))
            matte.append(to_uint8(alpha))
    return np.stack(rgb), np.stack(matte)


def clip_of(avatar: Avatar, yaws: Sequence[float], start: Avatar | None = None) -> Clip:
    """Frames of an avatar; yaws in radians."""
    camera, poses = photo_camera(SIZE, SIZE), facing(avatar.pose, yaws)
    rgb, matte = drawn(avatar, poses, camera)
    count = len(rgb)
    return Clip(
        rgb=rgb, matte=matte, poses=poses, cameras=(camera,) * count,
        weight=np.full(count, 0.9, np.float32), yaw=np.asarray(yaws, np.float32), start=start,
    )  # fmt: skip


def all_around(count: int, offset: float = 0.0) -> list[float]:
    """Yaws of a turn, radians."""
    return [offset + 2 * np.pi * k / count for k in range(count)]


def person(yaws: Sequence[float] | None = None) -> tuple[Avatar, Subject, Clip]:
    """First guess, the photo of the true person, and frames of them, by default seven."""
    start, true = first_guess(), true_person()
    rgb, matte = drawn(true, true.pose, true.camera)
    subject = replace(tiny_subject(60, 80), photo=Photo(rgb[0], None), matte=matte[0])
    return start, subject, clip_of(true, all_around(7) if yaws is None else yaws, start)


def psnr(avatar: Avatar, clip: Clip) -> float:
    """Of an avatar in a clip's poses, over the clip's own grey; dB."""
    rgb, _ = drawn(avatar, clip.poses, clip.cameras[0])
    error = (rgb.astype(np.float64) - clip.rgb) / 255
    return float(-10 * np.log10((error**2).mean()))


def unseen() -> Clip:
    """Frames of the true person between those of `person`."""
    return clip_of(true_person(), all_around(7, np.pi / 7))
