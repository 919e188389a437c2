"""Gestures that authored motions are put together from: standing, breathing, swaying, blinking.

A phase [T] goes from 0 (first frame) up to 1 (which is the first frame again). Lengths are shares
of the leg, so that tall and small people move alike.
"""

from __future__ import annotations

import numpy as np

from svad.body.skeleton import ARMS, LEGS
from svad.motion import rig
from svad.motion.rig import Foot, Track, turn_y, turn_z

TAU = 2 * np.pi
INWARD = -14.0  # degrees, twist of a hanging upper arm that lets the hand rest beside the thigh


def curve(
    phase: np.ndarray,  # [T]
    *keys: tuple[float, float],  # (phase, value) in order, phases in [0, 1)
) -> np.ndarray:  # [T]
    """A smooth loop through key values: flat at its extremes, never beyond them."""
    from scipy.interpolate import PchipInterpolator  # a list of motions can do without

    at, value = np.array(keys).T
    if len(at) == 1:
        return np.full_like(phase, value[0])
    at = np.concatenate([at - 1, at, at + 1])
    return PchipInterpolator(at, np.tile(value, 3))(phase % 1)


def ease(
    x: np.ndarray,  # [...]
) -> np.ndarray:  # [...]
    """0 to 1 with no speed and no acceleration at either end."""
    x = np.clip(x, 0, 1)
    return x**3 * (x * (6 * x - 15) + 10)


def wave_of(
    phase: np.ndarray,  # [T]
    times: int,
    lag: float = 0.0,
) -> np.ndarray:  # [T]
    """A sine that closes after the loop: `times` periods, `lag` periods late."""
    return np.sin(TAU * (times * phase - lag))


def stand(
    track: Track, *, apart: float = 1.1, toes_out: float = 7.0, knees_out: float = 0.0
) -> None:
    """Plants the feet and sets the pelvis on soft knees, keeping its sway; adds to `pelvis`."""
    skeleton = track.skeleton
    feet = {}
    for side, sign in rig.SIDES.items():
        ankle = skeleton.joints[LEGS[side][2]] * [apart, 1, 1]
        frames = len(track.pelvis)
        turn = np.broadcast_to(turn_y(toes_out * sign), (frames, 3, 3))
        feet[side] = Foot(np.tile(ankle, (frames, 1)), turn)
    track.pelvis[:, 1] = np.minimum(track.pelvis[:, 1], rig.reachable_height(track, feet))
    rig.place_feet(track, feet, knees_out)


def breathe(
    track: Track,
    phase: np.ndarray,  # [T]
    breaths: int,
    depth: float = 1.0,
) -> None:
    """Chest and shoulders rise and fall; the head stays level."""
    breath = depth * wave_of(phase, breaths, 0.25)
    rig.bend_spine(track, pitch=-0.9 * breath)
    rig.bend_neck(track, pitch=0.8 * breath)
    for side in ARMS:
        collar = ARMS[side][0]
        rise = turn_z(0.9 * breath)
        rise = rise if side == "left" else rig.mirrored(rise)
        track.rotations[:, collar] = rise @ track.rotations[:, collar]


def sway(
    track: Track,
    x: np.ndarray,  # [T]
    z: np.ndarray | float = 0.0,  # [T]
) -> None:
    """Shifts the weight by (x, z) shares of the leg; the head stays over the feet."""
    leg = track.skeleton.leg
    track.pelvis[:, 0] += x * leg
    track.pelvis[:, 2] += z * leg
    lean = np.degrees(x * leg / 0.6)
    rig.bend_spine(track, roll=lean)
    rig.bend_neck(track, roll=-0.9 * lean)


def relaxed_arms(
    track: Track,
    phase: np.ndarray,  # [T]
    lower: float = 62.0,
) -> None:
    """Arms hanging clear of the clothes, never quite still."""
    for side, lag in (("left", 0.0), ("right", 0.12)):
        drift = wave_of(phase, 1, lag + 0.2)
        rig.set_arm(track, side, lower=lower + 0.8 * drift, swing=1.5 * drift, elbow=15 + 2 * drift)
        rig.curl_fingers(track, side, 8 + 1.5 * drift)


def blinks(
    track: Track,
    phase: np.ndarray,  # [T]
    seconds: float,
    *moments: float,
) -> None:
    """Both eyes close and open within a fifth of a second at each moment (a phase)."""
    lid = np.zeros_like(phase)
    for moment in moments:
        away = np.abs((phase - moment + 0.5) % 1 - 0.5) * seconds
        lid = np.maximum(lid, 1 - ease((away - 0.02) / 0.11))
    for side in ("Left", "Right"):
        track.expression[f"eyeBlink{side}"] = lid


def smile(
    track: Track,
    amount: np.ndarray,  # [T] 0..1
) -> None:
    """Mouth corners up, cheeks and lower lids with them."""
    for side in ("Left", "Right"):
        track.expression[f"mouthSmile{side}"] = amount
        track.expression[f"cheekSquint{side}"] = 0.4 * amount
        track.expression[f"eyeSquint{side}"] = 0.25 * amount
