"""Both arms lifted overhead and stretched to either side: an authored motion."""

from __future__ import annotations

import numpy as np

from svad.motion import rig
from svad.motion.gestures import INWARD, blinks, breathe, curve, smile, stand, sway, wave_of
from svad.motion.motion import Authored
from svad.motion.rig import Skeleton, Track


def raise_arms(
    skeleton: Skeleton,
    phase: np.ndarray,  # [T]
) -> Track:
    """Lifts both arms overhead, stretches to either side, lowers them."""
    track = Track.still(skeleton, len(phase))
    up = curve(phase, (0.03, 0), (0.3, 1), (0.72, 1), (0.97, 0))
    late = curve(phase, (0.06, 0), (0.33, 1), (0.72, 1), (0.99, 0))
    reach = curve(phase, (0.29, 0), (0.41, 1), (0.61, -1), (0.73, 0))
    sway(track, 0.02 * reach + 0.006 * wave_of(phase, 1) * (1 - up))
    rig.bend_spine(track, roll=-11 * reach, pitch=-4 * up)
    rig.bend_neck(track, roll=-2 * reach, pitch=-7 * late)
    for side, sign in rig.SIDES.items():
        rig.set_arm(
            track,
            side,
            lower=62 - 126 * up - 5 * sign * reach * up,
            forward=9 * up,
            twist=INWARD + late * (26 - INWARD),
            elbow=15 + 7 * np.sin(np.pi * up) - 3 * up,
            supinate=22 * late,
            wrist=5 * np.sin(np.pi * up),
        )
        rig.curl_fingers(track, side, 8 - 4 * late)
    stand(track, apart=1.2)
    breathe(track, phase, 1, 1.5)
    smile(track, 0.3 * late)
    blinks(track, phase, 5.5, 0.1, 0.8)
    return track


MOTION = Authored(
    name="raise_arms",
    title="Raise arms",
    help="Lifts both arms overhead and stretches to either side.",
    place=5,
    seconds=5.5,
    author=raise_arms,
)
