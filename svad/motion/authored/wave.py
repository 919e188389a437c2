"""A wave of the right hand with a smile: an authored motion."""

from __future__ import annotations

import numpy as np

from svad.motion import rig
from svad.motion.gestures import (
    INWARD,
    TAU,
    blinks,
    breathe,
    curve,
    relaxed_arms,
    smile,
    stand,
    sway,
    wave_of,
)
from svad.motion.motion import Authored
from svad.motion.rig import Skeleton, Track


def wave(
    skeleton: Skeleton,
    phase: np.ndarray,  # [T]
) -> Track:
    """Raises the right hand, waves three times with a smile, lowers it."""
    track = Track.still(skeleton, len(phase))
    up = curve(phase, (0.04, 0), (0.22, 1), (0.78, 1), (0.97, 0))
    late = curve(phase, (0.07, 0), (0.25, 1), (0.78, 1), (0.99, 0))
    beats = np.sin(TAU * 3.5 * (np.clip(phase, 0.24, 0.78) - 0.24) / 0.54) * up
    drag = np.sin(TAU * 3.5 * (np.clip(phase - 0.018, 0.24, 0.78) - 0.24) / 0.54) * up
    sway(track, 0.012 * wave_of(phase, 1, 0.2) + 0.014 * up)
    rig.bend_spine(track, roll=-2.5 * up, yaw=-3 * up + 0.8 * beats)
    rig.bend_neck(track, roll=5 * late, yaw=2 * up, pitch=-2 * late)
    relaxed_arms(track, phase)
    rig.set_arm(
        track,
        "right",
        lower=62 + up * (18 - 62) + 1.5 * beats,
        forward=22 * up,
        twist=INWARD + up * (78 - INWARD),
        elbow=15 + late * (104 - 15) + 17 * beats,
        supinate=-14 * up * (1 - up) * 4 - 6 * late,
        wave=-9 * drag,
        wrist=-4 * late,
        lift=2 * up,
    )
    rig.curl_fingers(track, "right", 8 - 9 * late)
    stand(track)
    breathe(track, phase, 1)
    smile(track, 0.75 * curve(phase, (0.02, 0), (0.2, 1), (0.8, 1), (0.99, 0)))
    blinks(track, phase, 4.5, 0.12, 0.86)
    return track


MOTION = Authored(
    name="wave",
    title="Wave",
    help="Raises a hand, waves and smiles.",
    place=2,
    seconds=4.5,
    author=wave,
)
