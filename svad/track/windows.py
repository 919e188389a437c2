"""A long clip is followed some frames at a time: the solver's memory and work stay bounded.

Each window has a mean pose and marks of its own, as a person may sit down or come nearer; over the
frames that two windows share one passes into the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from svad.geometry.camera import Camera
from svad.geometry.rotation import axis_angle_to_quaternion, quaternion_to_axis_angle
from svad.geometry.sampling import smoothstep
from svad.track.held import TURNING, Freedom
from svad.track.points import BodyPoints
from svad.track.problem import Tracked
from svad.track.seen import Seen
from svad.track.solve import track

LONGEST = 450  # frames at once: half a minute at 15 frames/s
SHARED = 45  # frames of two windows


def track_long(
    body: BodyPoints,
    seen: Seen,  # T frames, left and right in order
    camera: Camera,  # one for all
    yaw: np.ndarray,  # [T] radians
    rest: np.ndarray,  # [22, 3] axis-angles
    freedom: Freedom = TURNING,
    tell: Callable[[float], None] | None = None,  # gets the share that is done; may raise
    *,
    longest: int = LONGEST,  # frames
    common: int = SHARED,  # frames, at most half as many
) -> Tracked:
    """`track` for any number of frames."""
    parts = windows(len(seen), longest, common)
    unwrapped = np.unwrap(yaw.astype(np.float64))
    found: Tracked | None = None
    for done, (first, last) in enumerate(parts):

        def share(one: float, done: int = done) -> None:
            if tell is not None:
                tell((done + one) / len(parts))

        here = frames_of(seen, first, last)
        next_ = track(body, here, camera, unwrapped[first:last], rest, freedom, share)
        found = next_ if found is None else joined(found, next_, first)
    assert found is not None
    return found


def windows(count: int, longest: int, common: int) -> list[tuple[int, int]]:
    """First and one past the last frame of each window: about equally long, `common` shared."""
    if count <= longest:
        return [(0, count)]
    pieces = -(-(count - common) // (longest - common))
    starts = np.round(np.linspace(0, count - common, pieces + 1)).astype(int)
    return [(int(a), int(b) + common) for a, b in itertools.pairwise(starts)]


def frames_of(seen: Seen, first: int, last: int) -> Seen:
    """Some frames; the standing height stays that of all."""
    part = slice(first, last)
    return replace(
        seen,
        keypoints=seen.keypoints[part],
        depth=seen.depth[part],
        matte=seen.matte[part],
        time=seen.time[part],
        height=seen.unit,
    )


def joined(before: Tracked, after: Tracked, first: int) -> Tracked:
    """Two windows as one, `after` from frame `first` of `before` on."""
    both = len(before.miss) - first
    share = smoothstep((np.arange(both) + 1) / (both + 1))[:, None].astype(np.float32)
    turn, other = (
        axis_angle_to_quaternion(torch.from_numpy(r))
        for r in (before.rotations[first:], after.rotations[:both])
    )
    other = torch.where((turn * other).sum(-1, keepdim=True) < 0, -other, other)
    mixed = torch.lerp(turn, other, torch.from_numpy(share)[..., None])
    place = before.translation[first:] * (1 - share) + after.translation[:both] * share
    turned = before.yaw[-1] - after.yaw[both - 1]
    whole = (2 * np.pi * np.round(turned / (2 * np.pi))).astype(np.float32)
    yaw = before.yaw[first:] * (1 - share[:, 0]) + (after.yaw[:both] + whole) * share[:, 0]
    return Tracked(
        np.concatenate(
            [before.rotations[:first], quaternion_to_axis_angle(mixed), after.rotations[both:]]
        ),
        np.concatenate([before.translation[:first], place, after.translation[both:]]),
        np.concatenate([before.yaw[:first], yaw, after.yaw[both:] + whole]),
        np.concatenate([before.miss[:first], np.minimum(before.miss[first:], after.miss[:both]),
                        after.miss[both:]]),
    )  # fmt: skip
