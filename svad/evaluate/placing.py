"""Brings an avatar into a drawn person's poses: own skeleton, size and place by least squares."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from scipy.optimize import minimize

from svad.evaluate.truth import Look
from svad.evaluate.views import BODY, posed_joints
from svad.types import Avatar, Clip

HEIGHT = 135  # px of the silhouettes that are laid on each other
SIZES = 0.02  # first step of the search, in size
SHIFTS = 0.01  # metres, first step of the search in place
TRIES = 250  # pictures of all sides that the search looks at; it has settled after about 150


@dataclass(frozen=True)
class Placing:
    """How a whole avatar is larger than its joints say, and beside where they put it."""

    size: float = 1.0
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)  # metres: to the person's left, up, ahead


def on_own_skeleton(avatar: Avatar, look: Look, placing: Placing | None = None) -> Clip:
    """The truth's frames with poses of the avatar's body.

    Rotations are the truth's. One size for the whole person, least squares over the joints of all
    frames, and in each frame the mean joint on the true one: a photo tells neither how tall a
    person is nor how far away, so that a wrong size is no fault, but wrong proportions are. Then
    what the silhouettes say, if they were asked (`by_silhouettes`).
    """
    clip, placing = look.sides, placing or Placing()
    still = replace(clip.poses, translation=torch.zeros_like(clip.poses.translation))
    own = posed_joints(avatar.joints, avatar.parents, still)[:, :BODY]
    target = _middles(look)
    middle = own.mean(1)
    a, b = own - middle[:, None], _joints(look) - target[:, None]
    size = placing.size * (a * b).sum() / max((a * a).sum(), 1e-12)
    target = target + _turned(np.array(placing.shift), clip)
    # the eye stays where it is: seen from there, all that is `size` times nearer looks larger
    eyes = np.stack([-c.rotation.T.astype(np.float64) @ c.translation for c in clip.cameras])
    place = eyes + (target - eyes) / size - middle
    poses = replace(clip.poses, translation=torch.from_numpy(place).float())
    return replace(clip, poses=poses)


def by_silhouettes(
    look: Look,
    mattes: np.ndarray,  # [S, H, W] uint8, the avatar's in the first frames, as its joints put it
) -> Placing:
    """Size and shift of the whole person with the largest mean overlap of the A-pose's sides.

    A root joint lies somewhere within the hips that no photo shows, and clothes hide how long
    limbs are: without this a person a centimetre beside the truth would look worse than one with a
    hole in the back. Nelder and Mead (1965), on soft silhouettes.
    """
    sides = look.sides[list(range(len(mattes)))]
    scale = HEIGHT / mattes.shape[1]
    cameras = [camera.resized(scale) for camera in sides.cameras]
    own = [_small(matte, scale) for matte in mattes]
    real = np.stack([_small(matte, scale) for matte in sides.matte])
    centres = [c.project(p) for c, p in zip(cameras, _middles(look), strict=False)]

    def missed(x: np.ndarray) -> float:
        size, shifts = 1 + SIZES * x[0], _turned(SHIFTS * x[1:], sides)
        moved = []
        for matte, camera, centre, shift in zip(own, cameras, centres, shifts, strict=True):
            step = camera.rotation[:2].astype(np.float64) @ shift * camera.focal / centre[2]
            at = centre[:2].astype(np.float64) - 0.5  # OpenCV's pixel centres
            matrix = np.column_stack([size * np.eye(2), at - size * at + step])
            moved.append(cv2.warpAffine(matte, matrix, matte.shape[::-1]))
        drawn = np.stack(moved)
        both, either = np.minimum(drawn, real), np.maximum(drawn, real)
        return -float((both.sum((1, 2)) / np.maximum(either.sum((1, 2)), 1e-6)).mean())

    found = minimize(
        missed,
        np.zeros(4),
        method="Nelder-Mead",
        options={"maxfev": TRIES, "initial_simplex": np.vstack([np.zeros(4), np.eye(4)])},
    ).x
    x, y, z = SHIFTS * found[1:]
    return Placing(float(1 + SIZES * found[0]), (float(x), float(y), float(z)))


def _joints(look: Look) -> np.ndarray:  # [T, 22, 3]
    return posed_joints(look.joints, look.parents, look.sides.poses)[:, :BODY]


def _middles(look: Look) -> np.ndarray:  # [T, 3]
    return _joints(look).mean(1)


def _turned(shift: np.ndarray, clip: Clip) -> np.ndarray:  # [T, 3] metres, world
    """A way of the person's own (left, up, ahead) in each frame, whose yaw is the side seen."""
    x, y, z = shift
    sine, cosine = np.sin(-clip.yaw.astype(np.float64)), np.cos(clip.yaw.astype(np.float64))
    return np.stack([x * cosine + z * sine, np.full(len(sine), y), z * cosine - x * sine], 1)


def _small(matte: np.ndarray, scale: float) -> np.ndarray:  # [h, w] float32, 0..1
    height, width = (round(side * scale) for side in matte.shape)
    return cv2.resize(matte, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
