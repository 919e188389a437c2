"""What a filmed person does: turns once around by small steps, walks, waves, squats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from svad.body.skeleton import Joint
from svad.motion import rig
from svad.motion.authored import authored
from svad.motion.authored.turn import STEPS_PER_TURN
from svad.motion.gestures import INWARD, TAU, ease
from svad.motion.motion import Authored
from svad.motion.rig import Skeleton, Track, turn_y
from svad.types import Pose

FPS = 30
SUB = 3  # poses for each frame: while the shutter opens, in its middle, while it closes
HOLD, STOP = (0.6, 0.5), 0.5  # seconds of standing before and after the turn, and within it
# shares of the turn at which both feet stand: at a side, at the back, at the other side
STOPS = (1.47 / 6, 2.97 / 6, 4.47 / 6)
RAMP = 0.3  # seconds to start turning, and to stop
UNEVEN = 0.35  # how much faster and slower than its mean the turn gets
SLOW = (0.15, 0.6)  # Hz of what is never quite still
OFF = 8.0  # degrees, how far from straight ahead a person stands at most
HEADING = 40.0  # degrees off the camera's axis: a walk goes past the camera
MOTIONS = ("turn", "walk", "wave", "squat")
SECONDS = {"turn": 8.0, "walk": 3.375, "wave": 4.5, "squat": 3.5}  # three double steps of the walk


@dataclass(frozen=True)
class Act:
    """A motion at `FPS` frames a second, each frame with the moments around it."""

    poses: Pose  # T * SUB, the soles' floor is that of the rest pose
    fps: float  # 0 = photos

    def frame(self, place: int) -> Pose:
        """All moments of a frame: SUB poses."""
        return self.poses[place * SUB : (place + 1) * SUB]

    @property
    def middles(self) -> Pose:
        """The pose of each frame: T."""
        return self.poses[SUB // 2 :: SUB]


def act(
    motion: str,  # one of `MOTIONS`
    joints: np.ndarray,  # [55, 3] rest, metres
    parents: Sequence[int],  # 55, root -1
    expressions: int,
    seed: int,
    seconds: float | None = None,  # of the turn; the others have their own
) -> Act:
    """The motion of a person; the same seed gives the same. Raises KeyError for another motion."""
    rng = np.random.default_rng([seed, MOTIONS.index(motion)])
    skeleton = Skeleton(np.asarray(joints, np.float64), tuple(parents))
    length = SECONDS[motion] if motion != "turn" or seconds is None else seconds
    time = (np.arange(round(length * FPS) * SUB) - SUB // 2) / (FPS * SUB)  # 0 at a frame's middle
    if motion == "turn":
        track = _turn(skeleton, time, length, rng)
        _face(track, rng.uniform(-OFF, OFF))
    else:
        track = _authored(authored()[motion], skeleton, time, length)
        heading = (1 if seed % 2 else -1) * HEADING if motion == "walk" else rng.uniform(-20, 20)
        _face(track, heading)
    poses = track.poses(())
    # the face of a drawn person is baked: nothing of an expression would be seen
    return Act(replace(poses, expression=torch.zeros(len(poses), expressions)), float(FPS))


def front_and_back(
    joints: np.ndarray,  # [55, 3] rest, metres
    parents: Sequence[int],  # 55, root -1
    expressions: int,
    seed: int,
) -> Act:
    """Two moments of standing, the second a minute later with the back to the camera."""
    rng = np.random.default_rng([seed, len(MOTIONS)])
    skeleton = Skeleton(np.asarray(joints, np.float64), tuple(parents))
    phase, time = np.repeat([0.0, STOPS[1]], SUB), np.repeat([0.0, 60.0], SUB)
    track = authored()["turn"].author(skeleton, phase)
    _loosen(track, time, STEPS_PER_TURN // 2 * phase, np.zeros_like(time), rng)
    _face(track, np.repeat(rng.uniform(-OFF, OFF, 2), SUB))
    poses = track.poses(())
    return Act(replace(poses, expression=torch.zeros(len(poses), expressions)), 0.0)


def _turn(skeleton: Skeleton, time: np.ndarray, length: float, rng: np.random.Generator) -> Track:
    """Stands, turns once around by small steps at an uneven pace, stops on the way, stands."""
    stop, back = STOPS[rng.integers(len(STOPS))], bool(rng.integers(2))
    phase = _paced(time, length, stop, rng)
    speed = np.gradient(phase, time) * (length - sum(HOLD) - STOP)  # 1 = the mean
    if back:  # to the person's right: the steps of the other way, last one first
        phase, speed = 1 - phase, -speed
    track = authored()["turn"].author(skeleton, phase)
    _loosen(track, time, STEPS_PER_TURN // 2 * phase, speed, rng)
    return track


def _loosen(
    track: Track, time: np.ndarray, beat: np.ndarray, speed: np.ndarray, rng: np.random.Generator
) -> None:
    """A relaxed A-pose that is never quite still; `beat` counts steps, `speed` is of the turn."""
    for side, sign in rig.SIDES.items():
        swing = sign * speed * (7 * np.sin(TAU * (beat - 0.1)) - 3)  # the arms trail the turn
        rig.set_arm(
            track, side,
            lower=50 - 3 * np.abs(speed) + 2.5 * slow(time, rng),
            swing=swing + 2 * slow(time, rng),
            twist=INWARD / 2,
            elbow=16 + 0.5 * swing + 3 * slow(time, rng),
        )  # fmt: skip
    rig.bend_spine(
        track, pitch=1.2 * slow(time, rng), roll=1.5 * slow(time, rng), yaw=2 * slow(time, rng)
    )
    rig.bend_neck(
        track, pitch=4 * slow(time, rng), roll=2 * slow(time, rng), yaw=6 * slow(time, rng)
    )


def _paced(
    time: np.ndarray, length: float, stop: float, rng: np.random.Generator
) -> np.ndarray:  # [T] 0..1
    """How much of the turn is done."""
    turning = length - sum(HOLD) - STOP
    begin = HOLD[0]
    rest = begin + stop * turning
    pace = 1 + UNEVEN * slow(time, rng)
    first = _stretch(time, begin, rest) * pace
    second = _stretch(time, rest + STOP, length - HOLD[1]) * pace
    done = [np.cumsum(part) / max(part.sum(), 1e-9) for part in (first, second)]
    return stop * done[0] + (1 - stop) * done[1]


def _stretch(time: np.ndarray, begin: float, end: float) -> np.ndarray:  # [T] 0..1
    """1 between two moments, with soft ends."""
    ramp = min(RAMP, (end - begin) / 2)
    return ease((time - begin) / ramp) * ease((end - time) / ramp)


def _authored(motion: Authored, skeleton: Skeleton, time: np.ndarray, length: float) -> Track:
    """An authored motion; a walk leaves its treadmill."""
    count = round(motion.seconds * FPS * SUB)  # of its whole loop: the walk smooths over it
    track = motion.author(skeleton, np.arange(count) / count)
    index = np.rint(time * FPS * SUB).astype(int) % count
    track = replace(track, rotations=track.rotations[index], pelvis=track.pelvis[index])
    if motion.name == "walk":
        ankles = rig.forward(track)[1][:, [Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE]]
        track.pelvis[:, 2] += _walked(ankles, time) - 0.5 * _walked(ankles, time)[-1]
    return track


def _walked(ankles: np.ndarray, time: np.ndarray) -> np.ndarray:  # [T] metres
    """The way that a treadmill went: a standing foot goes back at its one steady speed."""
    speed = np.gradient(ankles[..., 2], time, axis=0)  # [T, 2]
    low = np.take_along_axis(speed, ankles[..., 1].argmin(1)[:, None], 1)[:, 0]
    return -np.median(low) * (time - time[0])


def _face(track: Track, degrees: float | np.ndarray) -> None:
    """Turns all that is done about the vertical through the origin."""
    turn = turn_y(degrees)
    track.rotations[:, Joint.PELVIS] = turn @ track.rotations[:, Joint.PELVIS]
    track.pelvis[:] = (turn @ track.pelvis[..., None])[..., 0]


def slow(
    time: np.ndarray,  # [T] seconds
    rng: np.random.Generator,
    hertz: tuple[float, float] = SLOW,
) -> np.ndarray:  # [T] -1..1
    """A curve that wanders without jumps: three sines of frequencies between two."""
    rates, starts = rng.uniform(*hertz, 3), rng.uniform(0, 1, 3)
    return np.sin(TAU * (rates * time[:, None] + starts)).mean(1)
