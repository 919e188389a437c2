"""A walk on the spot, heel to toe: an authored motion."""

from __future__ import annotations

import numpy as np

from svad.body.skeleton import LEGS, Joint
from svad.motion import rig
from svad.motion.gestures import INWARD, TAU, curve, ease, wave_of
from svad.motion.motion import Authored
from svad.motion.rig import Foot, Skeleton, Track, turn_x, turn_y, turn_z

STANCE = 0.61  # share of a step cycle that a foot is on the ground (Perry, Gait Analysis)
WALK_CYCLES = 4  # of two steps each, in one loop


def walk(
    skeleton: Skeleton,
    phase: np.ndarray,  # [T]
) -> Track:
    """Walks in place as on a treadmill; `WALK_CYCLES` times the same two steps."""
    phase = phase * WALK_CYCLES % 1
    track = Track.still(skeleton, len(phase))
    leg = skeleton.leg
    side_to_side = np.cos(TAU * (phase - 0.3))  # over the left foot at the middle of its stance
    yaw, list_ = -5 * np.cos(TAU * phase), 2.6 * np.sin(TAU * (phase - 0.02))
    track.rotations[:, Joint.PELVIS] = (
        turn_y(yaw) @ turn_z(list_) @ turn_x(np.full_like(phase, 2.5))
    )
    track.pelvis[:, 0] += 0.026 * leg * side_to_side
    feet = {side: _walking_foot(skeleton, side, phase) for side in rig.SIDES}
    track.pelvis[:, 1] = _low_pass(rig.reachable_height(track, feet), 3 * WALK_CYCLES)
    track.pelvis[:, 1] -= np.max(track.pelvis[:, 1] - rig.reachable_height(track, feet)).clip(0)
    rig.place_feet(track, feet)
    for side, start in (("left", 0.5), ("right", 0.0)):  # arms swing with the other leg
        swing = np.cos(TAU * (phase - start - 0.02))
        bend = np.cos(TAU * (phase - start - 0.07))
        rig.set_arm(
            track, side, lower=67.0, swing=3 + 21 * swing, twist=INWARD, elbow=24 + 11 * bend
        )
        rig.curl_fingers(track, side, 10 + 2 * bend)
    rig.bend_spine(track, yaw=-1.9 * yaw, roll=-1.1 * list_, pitch=1 + 0.8 * wave_of(phase, 2, 0.1))
    rig.bend_neck(
        track, yaw=0.8 * yaw, roll=0.2 * list_, pitch=-3.5 - 1.0 * wave_of(phase, 2, 0.18)
    )
    return track


def _walking_foot(skeleton: Skeleton, side: str, phase: np.ndarray) -> Foot:
    """Heel strike, flat, heel off, swing; on the ground it moves back at one steady speed."""
    from scipy.interpolate import CubicHermiteSpline  # as `curve`: a list of motions needs none

    step = 0.255 * skeleton.leg  # ankle ahead of the hip at heel strike, and behind at toe off
    phase = (phase + (0.0 if side == "left" else 0.5)) % 1
    pitch_keys = ((0, -17), (0.09, 0), (0.33, 0), (0.5, 21), (STANCE, 46), (0.73, 26), (0.9, -16))
    rest, hinge = skeleton.joints[list(LEGS[side][2:])]  # ankle and root of the toes
    heel = skeleton.contacts(side)[0]
    line = 0.54 * rest[0]  # narrower than standing

    def stance(p: np.ndarray) -> np.ndarray:  # [...] -> ankle [..., 3]
        pitch = curve(p, *pitch_keys)
        pivot = np.where((pitch < 0)[..., None], heel, hinge) - rest
        moved = pivot - (turn_x(pitch) @ pivot[..., None])[..., 0]
        return moved + np.stack(
            [np.full_like(p, line), np.full_like(p, rest[1]), step * (1 - 2 * p / STANCE)], -1
        )

    d = 1e-3
    ends = stance(np.array([STANCE - d, STANCE, 1.0, 1.0 + d]))  # phases wrap inside `curve`
    ends[2:, 2] += 2 * step / STANCE  # `stance` counts on from the last heel strike
    slopes = np.stack([ends[1] - ends[0], ends[3] - ends[2]]) / d
    slopes[1, 1] *= 0.3  # the heel comes down softly
    swing = CubicHermiteSpline([STANCE, 1.0], ends[1:3], slopes)
    ankle = np.where((phase < STANCE)[:, None], stance(phase), swing(np.maximum(phase, STANCE)))
    clear = np.sin(np.pi * ease((phase - STANCE) / (1 - STANCE))) ** 2
    ankle[:, 1] += 0.02 * skeleton.leg * clear
    pitch = curve(phase, *pitch_keys)
    # on the ground the toes stay flat while the heel rises
    toes = -np.maximum(pitch, 0) * curve(phase, (0, 1), (STANCE, 1), (0.72, 0.8), (0.86, 0.1))
    out = turn_y(5 * rig.SIDES[side])
    return Foot(ankle, out @ turn_x(pitch), toes)


def _low_pass(values: np.ndarray, harmonics: int) -> np.ndarray:
    """The slow part of a loop."""
    spectrum = np.fft.rfft(values)
    spectrum[harmonics + 1 :] = 0
    return np.fft.irfft(spectrum, len(values))


MOTION = Authored(
    name="walk",
    title="Walk",
    help="Walks in place, as on a treadmill.",
    place=3,
    seconds=4.5,
    yaw=0.55,
    author=walk,
)
