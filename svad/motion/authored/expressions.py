"""A row of facial expressions: an authored motion."""

from __future__ import annotations

import numpy as np

from svad.motion import rig
from svad.motion.gestures import blinks, breathe, curve, relaxed_arms, smile, stand, sway, wave_of
from svad.motion.motion import Authored
from svad.motion.rig import Skeleton, Track


def expressions(
    skeleton: Skeleton,
    phase: np.ndarray,  # [T]
) -> Track:
    """A smile, a blink, raised brows with an open mouth, a frown, a pout and a wink."""
    track = Track.still(skeleton, len(phase))
    glad = curve(phase, (0.02, 0), (0.09, 1), (0.2, 1), (0.26, 0), (0.8, 0), (0.86, 0.8), (0.96, 0))
    wow = curve(phase, (0.27, 0), (0.33, 1), (0.4, 1), (0.46, 0))
    cross = curve(phase, (0.46, 0), (0.52, 1), (0.58, 1), (0.64, 0))
    pout = curve(phase, (0.64, 0), (0.69, 1), (0.74, 1), (0.8, 0))
    wink = curve(phase, (0.84, 0), (0.87, 1), (0.895, 1), (0.93, 0))
    smile(track, glad)
    blinks(track, phase, 8.0, 0.145, 0.265, 0.47, 0.645)
    face = track.expression
    face["jawOpen"] = 0.45 * wow + 0.08 * glad
    face["browInnerUp"] = wow + 0.4 * pout
    for side in ("Left", "Right"):
        face[f"browOuterUp{side}"] = 0.9 * wow
        face[f"eyeWide{side}"] = 0.8 * wow
        face[f"browDown{side}"] = 0.9 * cross
        face[f"mouthFrown{side}"] = 0.8 * cross
        face[f"noseSneer{side}"] = 0.3 * cross
    face["mouthPucker"] = 0.9 * pout
    face["mouthFunnel"] = 0.25 * wow
    face["eyeBlinkLeft"] = np.maximum(face["eyeBlinkLeft"], wink)
    face["cheekSquintLeft"] = np.maximum(face["cheekSquintLeft"], 0.8 * wink)
    relaxed_arms(track, phase)
    sway(track, 0.006 * wave_of(phase, 1) + 0.003 * wave_of(phase, 2, 0.3))
    rig.bend_neck(
        track,
        pitch=-4 * wow + 5 * cross - 2 * glad + 1.2 * wave_of(phase, 2, 0.1),
        roll=5 * pout - 4 * wink - 1.5 * wave_of(phase, 1, 0.2),
        yaw=5 * wave_of(phase, 1, 0.15) + 2 * wave_of(phase, 3),
    )
    stand(track)
    breathe(track, phase, 2)
    return track


MOTION = Authored(
    name="expressions",
    title="Expressions",
    help="Smiles, blinks, is surprised, cross, and winks.",
    place=6,
    seconds=8.0,
    focus="bust",
    author=expressions,
)
