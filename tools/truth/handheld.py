"""The camera that films: held by hand or standing, with an exposure that drifts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from svad.geometry.camera import Camera, orbit_camera
from svad.geometry.rotation import rodrigues
from tools.truth.acting import slow

LEVEL = 0.72  # of the stature: a phone before the chest
TALL, WIDE = 0.84, 0.92  # of the picture, that the person fills at most
AROUND = 0.1  # metres, skin and clothes around the joints
CROWN = 0.2  # metres above the head's joint
ROUNDS = 6
# (Hz, metres, degrees): a slow drift of the arm, and the tremor of the hand
HAND = (((0.08, 0.4), 0.03, 0.9), ((2.0, 7.0), 0.0015, 0.06))
BRIGHTNESS, TINT = 0.07, 0.03  # drift of the exposure, and of a channel beside it
DRIFT = (0.05, 0.25)  # Hz


def framing(
    joints: np.ndarray,  # [T, J, 3] metres, where a person's joints are; the last J is the head
    focal: float,  # in heights of the picture
    width: int,  # px
    height: int,  # px
    floor: float,  # metres
) -> Camera:
    """A camera at chest height, before the person, that sees all of the motion."""
    top = np.array([0.0, CROWN, 0.0])
    points = np.concatenate([joints.reshape(-1, 3), joints[:, -1] + top])
    middle = (points.min(0) + points.max(0)) / 2
    stature = points[:, 1].max() - floor
    distance = focal * stature / TALL
    for _ in range(ROUNDS):
        pitch = np.arcsin((LEVEL * stature + floor - middle[1]) / distance)
        camera = orbit_camera(middle, distance, 0.0, pitch, focal * height, width, height)
        seen = camera.project(points)
        margin = AROUND * camera.focal[0] / seen[:, 2:]
        low, high = (seen[:, :2] - margin).min(0), (seen[:, :2] + margin).max(0)
        off = (low + high) / 2 - np.asarray(camera.center)
        right, down = camera.rotation[:2].astype(np.float64)
        middle = middle + (off[0] * right + off[1] * down) * distance / camera.focal[0]
        distance *= max((high - low) / (width * WIDE, height * TALL))
    return camera


def handheld(
    camera: Camera,
    time: np.ndarray,  # [T] seconds
    rng: np.random.Generator,
) -> tuple[Camera, ...]:
    """The camera held by hand at T moments."""
    moves, turns = np.zeros((2, len(time), 3))
    for hertz, metres, degrees in HAND:
        moves += metres * np.stack([slow(time, rng, hertz) for _ in range(3)], 1)
        turns += np.radians(degrees) * np.stack([slow(time, rng, hertz) for _ in range(3)], 1)
    shakes = rodrigues(torch.from_numpy(turns)).numpy()
    return tuple(
        replace(
            camera,
            rotation=(shake @ camera.rotation).astype(np.float32),
            translation=(shake @ camera.translation + move).astype(np.float32),
        )
        for shake, move in zip(shakes, moves, strict=True)
    )


def two_places(
    camera: Camera,
    rng: np.random.Generator,
) -> tuple[Camera, Camera]:
    """The camera, and another for the second of two photos: elsewhere, and farther away."""
    away = np.append(rng.uniform(-0.08, 0.08, 2), rng.uniform(0.05, 0.12) * camera.translation[2])
    move = (camera.translation + away).astype(np.float32)
    return camera, replace(camera, translation=move)


def two_gains(
    rng: np.random.Generator,
) -> np.ndarray:  # [2, 3] float32
    """The gains of two photos: one darker, one brighter, each with its own white balance."""
    bright = np.array([1 - BRIGHTNESS, 1 + BRIGHTNESS])[rng.permutation(2), None]
    return (bright + TINT * rng.uniform(-1, 1, (2, 3))).astype(np.float32)


def gains(
    time: np.ndarray,  # [T] seconds
    rng: np.random.Generator,
) -> np.ndarray:  # [T, 3] float32
    """What each channel is multiplied by: exposure and white balance that drift, 0.9 to 1.1."""
    channels = np.stack([slow(time, rng, DRIFT) for _ in range(3)], 1)
    return (1 + BRIGHTNESS * slow(time, rng, DRIFT)[:, None] + TINT * channels).astype(np.float32)
