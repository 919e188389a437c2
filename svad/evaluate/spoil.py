"""Perfect frames spoilt as generated or filmed ones are; the same seed spoils them the same way."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import torch

from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.media.images import to_float, to_uint8
from svad.types import Clip, Pose

KINDS = ("perfect", "generated", "clip")
USUAL = 540  # px, height of the frames that lengths in px below are meant for
BLUR = (1.0, 2.0)  # px, sigma at a clip's sharpest and softest frame
TINT, SHIFT = 0.05, 0.015  # largest drift of a channel's gain, and of what is added to it
WOBBLE = 3.0  # px, farthest any place is moved
PATCHES = 6  # cells of the wobble along a side of the frame
OUTLINE = 2.0  # px, sigma of the soft matte
FACE_MOVE, FACE_BLEND = 0.06, 0.2  # of the head's radius; share of a face's own mean in it
LOST_EVERY = 20  # one frame in so many is lost
NOISE = 0.012  # standard deviation of the sensor's noise
EXPOSURE = 0.08  # largest drift of the exposure
COMPRESSION = 55  # JPEG quality: 4:2:0 colour and 8 x 8 blocks, as in a filmed clip
ANGLE = 2.0  # degrees, root mean square error of a joint's rotation
ANGLE_FRAMES = 2.0  # frames over which that error lasts
BODY_JOINTS = 22  # those whose rotations a tracker misjudges


def spoilt(
    clip: Clip,  # T frames over white
    heads: np.ndarray,  # [T, 3] x px, y px, radius px; radius 0 = no face is seen
    kind: str,
    seed: int,
) -> Clip:
    """The clip as `kind` (one of `KINDS`) of frames; weights stay. Raises ValueError otherwise."""
    if kind not in KINDS:
        raise ValueError(f"frames are {', '.join(KINDS)}, not {kind!r}")
    if kind == "perfect":
        return clip
    rng = np.random.default_rng(seed)
    return _generated(clip, heads, rng) if kind == "generated" else _filmed(clip, rng)


def _generated(clip: Clip, heads: np.ndarray, rng: np.random.Generator) -> Clip:
    count, height, width = clip.matte.shape
    unit = height / USUAL
    blur = np.interp(drift(count, 1, rng)[:, 0], (-1, 1), BLUR) * unit
    gain, shift = 1 + TINT * drift(count, 3, rng), SHIFT * drift(count, 3, rng)
    moves = wobble(count, height, width, WOBBLE * unit, rng)
    lost = lost_frames(count, rng)
    rgb, matte = clip.rgb.copy(), clip.matte.copy()
    for i in range(count):
        alpha = to_float(clip.matte[i])
        image = _other_face(to_float(clip.rgb[i]), alpha, heads[i], i / max(count, 1))
        image, alpha = _moved(image, moves[i], 1.0), _moved(alpha, moves[i], 0.0)
        person = image - (1 - alpha[..., None])
        person = person * gain[i] + shift[i] * alpha[..., None]
        image = cv2.GaussianBlur(person + 1 - alpha[..., None], (0, 0), blur[i])
        rgb[i] = to_uint8(image)
        matte[i] = to_uint8(cv2.GaussianBlur(alpha, (0, 0), OUTLINE * unit))
    for number, i in enumerate(lost):
        rgb[i] = _torn(rgb[i], rng) if number % 2 else _noise(rgb[i].shape, rng)
    return replace(clip, rgb=rgb, matte=matte)


def _filmed(clip: Clip, rng: np.random.Generator) -> Clip:
    exposure = 1 + EXPOSURE * drift(len(clip.rgb), 1, rng)
    rgb = clip.rgb.copy()
    for i, frame in enumerate(clip.rgb):
        back = 1 - to_float(clip.matte[i])[..., None]
        image = (to_float(frame) - back) * exposure[i] + back
        rgb[i] = _compressed(to_uint8(image + rng.normal(0, NOISE, image.shape)))
    return replace(clip, rgb=rgb, poses=misjudged(clip.poses, rng))


def drift(count: int, channels: int, rng: np.random.Generator) -> np.ndarray:  # [T, C] -1..1
    """Slow curves over a clip: one to two periods, each channel on its own."""
    time = np.arange(count)[:, None] / max(count, 1)
    turns, start = rng.uniform(1, 2, channels), rng.uniform(0, 1, channels)
    return np.sin(2 * np.pi * (turns * time + start))


def wobble(
    count: int, height: int, width: int, most: float, rng: np.random.Generator
) -> np.ndarray:  # [T, H, W, 2] px
    """Smooth displacements that change slowly and reach `most` px where they are largest."""
    cells = rng.normal(size=(2, PATCHES, PATCHES, 2)).astype(np.float32)
    fields = [cv2.resize(c, (width, height), interpolation=cv2.INTER_CUBIC) for c in cells]
    out = np.empty((count, height, width, 2), np.float32)
    for i in range(count):
        angle = 2 * np.pi * 2 * i / max(count, 1)
        field = np.cos(angle) * fields[0] + np.sin(angle) * fields[1]
        out[i] = field * (most / np.linalg.norm(field, axis=-1).max())
    return out


def lost_frames(count: int, rng: np.random.Generator) -> np.ndarray:  # [K]
    """Which frames are lost."""
    return rng.choice(count, round(count / LOST_EVERY), replace=False)


def misjudged(poses: Pose, rng: np.random.Generator) -> Pose:
    """Poses as a tracker finds them: every joint turned a little, about random axes."""
    noise = rng.normal(size=(len(poses), BODY_JOINTS, 3))
    kernel = cv2.getGaussianKernel(2 * round(3 * ANGLE_FRAMES) + 1, ANGLE_FRAMES)
    flat = cv2.filter2D(
        noise.reshape(len(poses), -1), -1, kernel, borderType=cv2.BORDER_REPLICATE
    ).reshape(noise.shape)
    flat *= np.radians(ANGLE) / np.sqrt((flat**2).sum(-1).mean())
    error = torch.from_numpy(flat).to(poses.rotations)
    rotations = poses.rotations.clone()
    turned = rodrigues(rotations[:, :BODY_JOINTS]) @ rodrigues(error)
    rotations[:, :BODY_JOINTS] = matrix_to_axis_angle(turned)
    return replace(poses, rotations=rotations)


def _moved(image: np.ndarray, move: np.ndarray, outside: float) -> np.ndarray:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    return cv2.remap(
        image, x + move[..., 0], y + move[..., 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(outside,) * 3,
    )  # fmt: skip


def _other_face(
    image: np.ndarray,  # [H, W, 3] 0..1
    alpha: np.ndarray,  # [H, W]
    head: np.ndarray,  # [3] x px, y px, radius px
    time: float,  # 0..1
) -> np.ndarray:  # [H, W, 3]
    """The face a little wider or longer and less itself, more so late in the clip."""
    if head[2] <= 0:
        return image
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32) + 0.5
    dx, dy = x - np.float32(head[0]), y - np.float32(head[1])
    near = np.exp(-2 * (dx**2 + dy**2) / np.float32(head[2]) ** 2)
    amount = np.float32(FACE_MOVE * (0.3 + 0.7 * time))
    move = amount * near[..., None] * np.stack([dx, -dy], -1)
    out = _moved(image, move.astype(np.float32), 1.0)
    share = near * alpha
    mean = (image * share[..., None]).sum((0, 1)) / max(float(share.sum()), 1e-6)
    blend = np.float32(FACE_BLEND) * share[..., None]
    return out * (1 - blend) + mean.astype(np.float32) * blend


def _compressed(rgb: np.ndarray) -> np.ndarray:  # [H, W, 3] uint8
    _, packed = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, COMPRESSION])
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1]


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:  # [H, W, 3] uint8
    return rng.integers(0, 256, shape, np.uint8)


def _torn(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:  # [H, W, 3] uint8
    """Bands of the picture shifted sideways."""
    out = rgb.copy()
    edges = np.linspace(0, len(rgb), 9).round().astype(int)
    for low, high in pairwise(edges):
        out[low:high] = np.roll(rgb[low:high], int(rng.integers(1, rgb.shape[1])), 1)
    return out
