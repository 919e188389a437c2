"""A person who turns once on the spot: an authored motion."""

from __future__ import annotations

import numpy as np

from svad.body.skeleton import LEGS, Joint
from svad.motion import rig
from svad.motion.gestures import INWARD, TAU, blinks, breathe, ease, wave_of
from svad.motion.motion import Authored
from svad.motion.rig import Foot, Skeleton, Track, turn_x, turn_y, turn_z

STEPS_PER_TURN = 12


def turn(
    skeleton: Skeleton,
    phase: np.ndarray,  # [T]
) -> Track:
    """Turns once on the spot with small steps."""
    track = Track.still(skeleton, len(phase))
    beat = STEPS_PER_TURN // 2 * phase  # steps of one foot
    yaw = 360 * phase + 1.5 * wave_of(phase, STEPS_PER_TURN, 0.1)
    track.rotations[:, Joint.PELVIS] = turn_y(yaw) @ turn_z(1.2 * np.sin(TAU * (beat - 0.17)))
    side_step = (
        0.028 * skeleton.leg * np.sin(TAU * (beat + 0.08))
    )  # the left foot steps: to the right
    track.pelvis[:] += (turn_y(yaw) @ np.stack([-side_step, 0 * yaw, 0 * yaw], -1)[..., None])[
        ..., 0
    ]
    track.pelvis[:, 1] += 0.006 * skeleton.leg * np.cos(TAU * (2 * beat)) - 0.012 * skeleton.leg
    feet = {side: _stepping_foot(skeleton, side, beat) for side in rig.SIDES}
    track.pelvis[:, 1] = np.minimum(track.pelvis[:, 1], rig.reachable_height(track, feet))
    rig.place_feet(track, feet)
    for side, sign in rig.SIDES.items():
        swing = 5 * np.sin(TAU * (beat - 0.1)) * sign - 2 * sign  # the arms trail the turn
        rig.set_arm(track, side, lower=61.0, swing=swing, twist=INWARD, elbow=16 + 0.5 * swing)
        rig.curl_fingers(track, side, 8.0)
    rig.bend_spine(track, pitch=1.0, yaw=3 + 1.5 * np.sin(TAU * beat))
    rig.bend_neck(track, yaw=7 - 1.5 * np.sin(TAU * beat), pitch=-1.0)
    breathe(track, phase, 2)
    blinks(track, phase, 6.0, 0.3, 0.78)
    return track


def _stepping_foot(skeleton: Skeleton, side: str, beat: np.ndarray) -> Foot:
    """A foot that stands, then steps round by the yaw of one step; `beat` counts its steps."""
    swing, stride = 0.44, 360 / (STEPS_PER_TURN // 2)
    beat = beat + (0.0 if side == "left" else 0.5)
    start = 0.0 if side == "left" else 0.5
    count, into = np.floor(beat), beat % 1
    moved = ease(into / swing)
    # the foot stands at the yaw that the pelvis has in the middle of its stance
    yaw = stride * (count - 1 + (1 + swing) / 2 - start + moved)
    lift = np.sin(np.pi * np.clip(into / swing, 0, 1)) ** 2
    ankle = skeleton.joints[LEGS[side][2]] * [1.1, 1, 1]
    path = turn_y(yaw) @ (ankle - [0, ankle[1], 0])
    path[:, 1] = ankle[1] + 0.055 * skeleton.leg * lift
    return Foot(path, turn_y(yaw + 6 * rig.SIDES[side]) @ turn_x(9 * lift))


MOTION = Authored(
    name="turn",
    title="Turn",
    help="Turns once on the spot with small steps.",
    place=1,
    seconds=6.0,
    author=turn,
)
