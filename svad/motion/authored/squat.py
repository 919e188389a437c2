"""A squat with the arms in front: an authored motion."""

from __future__ import annotations

import numpy as np

from svad.body.skeleton import Joint
from svad.motion import rig
from svad.motion.gestures import INWARD, blinks, breathe, curve, stand, sway, wave_of
from svad.motion.motion import Authored
from svad.motion.rig import Skeleton, Track, turn_x


def squat(
    skeleton: Skeleton,
    phase: np.ndarray,  # [T]
) -> Track:
    """Bends the knees until the thighs are nearly level, arms in front, and comes up again."""
    track = Track.still(skeleton, len(phase))
    leg = skeleton.leg
    down = curve(phase, (0.06, 0), (0.45, 1), (0.52, 1), (0.9, 0))
    arms = curve(phase, (0.03, 0), (0.38, 1), (0.56, 1), (0.92, 0))
    sway(track, 0.006 * wave_of(phase, 1) * (1 - down), -0.17 * down)
    track.pelvis[:, 1] -= leg * (0.40 * down + 0.004)
    track.rotations[:, Joint.PELVIS] = turn_x(26 * down)
    rig.bend_spine(track, pitch=10 * down)
    rig.bend_neck(track, pitch=-29 * down)
    for side in rig.SIDES:
        rig.set_arm(
            track,
            side,
            lower=62 - 86 * arms,
            forward=66 * arms,
            twist=INWARD * (1 - arms),
            elbow=15 + 6 * arms,
            supinate=4 * arms,
            wrist=4 * arms,
        )
        rig.curl_fingers(track, side, 8 - 3 * arms)
    stand(track, apart=1.35, toes_out=14.0, knees_out=4.0)
    breathe(track, phase, 1, 1.3)
    blinks(track, phase, 3.5, 0.08, 0.72)
    return track


MOTION = Authored(
    name="squat",
    title="Squat",
    help="Bends the knees with the arms in front, and comes up again.",
    place=4,
    seconds=3.5,
    yaw=0.45,
    author=squat,
)
