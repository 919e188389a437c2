"""Body poses in all pictures of a clip at once: landmarks, depths, and steady motion.

The shape is known, the camera too. Unknown are, for every frame, 22 rotations and a place. They
are held by a pose that is the clip's own mean, by steadiness in time, and by what joints can do
(SMPLify, Bogo et al. 2016, over time).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from svad.geometry.camera import Camera
from svad.track.held import TURNING, Freedom
from svad.track.points import BodyPoints
from svad.track.problem import Problem, Tracked
from svad.track.seen import Seen

DAMPING, TRIES = 1e-3, 5  # of the steps, at the start; dampings that are tried
HALVED = 0.75  # of what is left to do, after each step
ENOUGH = 1e-3  # of the cost, that a step lowers it by


def track(
    body: BodyPoints,
    seen: Seen,  # T frames, left and right in order
    camera: Camera,  # one for all
    yaw: np.ndarray,  # [T] radians, first estimate of the side that is seen
    rest: np.ndarray,  # [22, 3] axis-angles of the likeliest pose, such as the photo's
    freedom: Freedom = TURNING,
    tell: Callable[[float], None] | None = None,  # gets the share that is done; may raise
) -> Tracked:
    """The poses of all frames, by Gauss and Newton's steps, damped (Levenberg 1944)."""
    problem = Problem(body, seen, camera, rest, freedom)
    values = problem.start(yaw)
    cost, damping = problem.cost(values), DAMPING
    for step in range(freedom.rounds):
        if tell is not None:
            tell(1 - HALVED**step)
        normal = problem.normal(values)
        before = cost
        for _ in range(TRIES):
            moved = values.moved(*normal.step(damping))
            tried = problem.cost(moved)
            if tried < cost:
                values, cost, damping = moved, tried, max(damping / 5, 1e-7)
                break
            damping *= 8
        del normal  # large, and the next one is as large
        if before - cost < ENOUGH * before:
            break
    return problem.result(values)
