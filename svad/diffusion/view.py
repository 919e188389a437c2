"""Resectioned cameras of frames that follow figures aligned in the picture (SVAD section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from svad.pose.drive import Driving
from svad.pose.keypoints import Figure

LIMBS = np.arange(1, 14)  # OpenPose order: neck, arms, legs
FEWEST = 8  # points of all frames together from which a scale can be told


def followed(
    driving: Driving,  # the person's own body in the movement
    figures: Sequence[Figure],  # T, what the frames were asked for, in shares of the same picture
) -> Driving:
    """The driving with the camera in which its body lies on the figures.

    Alignment puts the neck where the photo has it and gives each part its own scale: a few percent
    of the person's height away from the fitted body. Most of that is one scale and one shift of
    the whole picture, which a camera can have; least squares over the limbs of all frames.
    """
    camera = driving.camera
    size = np.array([camera.width, camera.height], np.float64)
    pairs = []
    for own, asked in zip(driving.figures(), figures, strict=True):
        seen = (own.body_seen & asked.body_seen)[LIMBS]
        pairs.append(np.stack([own.body[LIMBS][seen], asked.body[LIMBS][seen]], 1) * size)
    points = np.concatenate(pairs)  # [P, 2, 2]: own, asked
    if len(points) < FEWEST:
        return driving
    middle, wanted = points.mean(0)
    own, asked = points[:, 0] - middle, points[:, 1] - wanted
    scale = float((own * asked).sum() / np.maximum((own**2).sum(), 1e-9))
    if scale <= 0:
        return driving
    shift = wanted - scale * middle
    moved = driving.points.copy()
    moved[..., :2] = scale * moved[..., :2] + shift
    focal, center = scale * np.array(camera.focal), scale * np.array(camera.center) + shift
    view = replace(camera, focal=tuple(map(float, focal)), center=tuple(map(float, center)))
    return replace(driving, camera=view, points=moved)
