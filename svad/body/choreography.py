"""The bundled motions, authored: what every joint does over one loop.

Each motion is a function of a skeleton and a phase [T] from 0 (first frame) up to 1 (which is the
first frame again). Lengths are shares of the leg, so that tall and small people move alike.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

from svad.body import kinematics as kin
from svad.body.kinematics import Foot, Skeleton, Track, turn_x, turn_y, turn_z
from svad.body.skeleton import Joint

TAU = 2 * np.pi
STANCE = 0.61  # share of a step cycle that a foot is on the ground (Perry, Gait Analysis)
STEPS_PER_TURN = 12
WALK_CYCLES = 4  # of two steps each, in one loop
INWARD = -14.0  # degrees, twist of a hanging upper arm that lets the hand rest beside the thigh


def curve(
    phase: np.ndarray,  # [T]
    *keys: tuple[float, float],  # (phase, value) in order, phases in [0, 1)
) -> np.ndarray:  # [T]
    """A smooth loop through key values: flat at its extremes, never beyond them."""
    at, value = np.array(keys).T
    if len(at) == 1:
        return np.full_like(phase, value[0])
    at = np.concatenate([at - 1, at, at + 1])
    return PchipInterpolator(at, np.tile(value, 3))(phase % 1)


def ease(x: np.ndarray) -> np.ndarray:
    """0 to 1 with no speed and no acceleration at either end."""
    x = np.clip(x, 0, 1)
    return x**3 * (x * (6 * x - 15) + 10)


def wave_of(phase: np.ndarray, times: int, lag: float = 0.0) -> np.ndarray:
    """A sine that closes after the loop: `times` periods, `lag` periods late."""
    return np.sin(TAU * (times * phase - lag))


def stand(track: Track, *, apart: float = 1.1, toes_out: float = 7.0, knees_out: float = 0.0):
    """Plants the feet and sets the pelvis on soft knees, keeping its sway; adds to `pelvis`."""
    skeleton = track.skeleton
    feet = {}
    for side, sign in kin.SIDES.items():
        ankle = skeleton.joints[kin.LEGS[side][2]] * [apart, 1, 1]
        frames = len(track.pelvis)
        turn = np.broadcast_to(turn_y(toes_out * sign), (frames, 3, 3))
        feet[side] = Foot(np.tile(ankle, (frames, 1)), turn)
    track.pelvis[:, 1] = np.minimum(track.pelvis[:, 1], kin.reachable_height(track, feet))
    kin.place_feet(track, feet, knees_out)


def breathe(track: Track, phase: np.ndarray, breaths: int, depth: float = 1.0) -> None:
    """Chest and shoulders rise and fall; the head stays level."""
    breath = depth * wave_of(phase, breaths, 0.25)
    kin.bend_spine(track, pitch=-0.9 * breath)
    kin.bend_neck(track, pitch=0.8 * breath)
    for side in kin.ARMS:
        collar = kin.ARMS[side][0]
        rise = turn_z(0.9 * breath)
        rise = rise if side == "left" else kin.mirrored(rise)
        track.rotations[:, collar] = rise @ track.rotations[:, collar]


def sway(track: Track, x: np.ndarray, z: np.ndarray | float = 0.0) -> None:
    """Shifts the weight by (x, z) shares of the leg; the head stays over the feet."""
    leg = track.skeleton.leg
    track.pelvis[:, 0] += x * leg
    track.pelvis[:, 2] += z * leg
    lean = np.degrees(x * leg / 0.6)
    kin.bend_spine(track, roll=lean)
    kin.bend_neck(track, roll=-0.9 * lean)


def relaxed_arms(track: Track, phase: np.ndarray, lower: float = 62.0) -> None:
    """Arms hanging clear of the clothes, never quite still."""
    for side, lag in (("left", 0.0), ("right", 0.12)):
        drift = wave_of(phase, 1, lag + 0.2)
        kin.set_arm(track, side, lower=lower + 0.8 * drift, swing=1.5 * drift, elbow=15 + 2 * drift)
        kin.curl_fingers(track, side, 8 + 1.5 * drift)


def blinks(track: Track, phase: np.ndarray, seconds: float, *moments: float) -> None:
    """Both eyes close and open within a fifth of a second at each moment (a phase)."""
    lid = np.zeros_like(phase)
    for moment in moments:
        away = np.abs((phase - moment + 0.5) % 1 - 0.5) * seconds
        lid = np.maximum(lid, 1 - ease((away - 0.02) / 0.11))
    for side in ("Left", "Right"):
        track.expression[f"eyeBlink{side}"] = lid


def turn(skeleton: Skeleton, phase: np.ndarray) -> Track:
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
    feet = {side: _stepping_foot(skeleton, side, beat) for side in kin.SIDES}
    track.pelvis[:, 1] = np.minimum(track.pelvis[:, 1], kin.reachable_height(track, feet))
    kin.place_feet(track, feet)
    for side, sign in kin.SIDES.items():
        swing = 5 * np.sin(TAU * (beat - 0.1)) * sign - 2 * sign  # the arms trail the turn
        kin.set_arm(track, side, lower=61.0, swing=swing, twist=INWARD, elbow=16 + 0.5 * swing)
        kin.curl_fingers(track, side, 8.0)
    kin.bend_spine(track, pitch=1.0, yaw=3 + 1.5 * np.sin(TAU * beat))
    kin.bend_neck(track, yaw=7 - 1.5 * np.sin(TAU * beat), pitch=-1.0)
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
    ankle = skeleton.joints[kin.LEGS[side][2]] * [1.1, 1, 1]
    path = turn_y(yaw) @ (ankle - [0, ankle[1], 0])
    path[:, 1] = ankle[1] + 0.055 * skeleton.leg * lift
    return Foot(path, turn_y(yaw + 6 * kin.SIDES[side]) @ turn_x(9 * lift))


def wave(skeleton: Skeleton, phase: np.ndarray) -> Track:
    """Raises the right hand, waves three times with a smile, lowers it."""
    track = Track.still(skeleton, len(phase))
    up = curve(phase, (0.04, 0), (0.22, 1), (0.78, 1), (0.97, 0))
    late = curve(phase, (0.07, 0), (0.25, 1), (0.78, 1), (0.99, 0))
    beats = np.sin(TAU * 3.5 * (np.clip(phase, 0.24, 0.78) - 0.24) / 0.54) * up
    drag = np.sin(TAU * 3.5 * (np.clip(phase - 0.018, 0.24, 0.78) - 0.24) / 0.54) * up
    sway(track, 0.012 * wave_of(phase, 1, 0.2) + 0.014 * up)
    kin.bend_spine(track, roll=-2.5 * up, yaw=-3 * up + 0.8 * beats)
    kin.bend_neck(track, roll=5 * late, yaw=2 * up, pitch=-2 * late)
    relaxed_arms(track, phase)
    kin.set_arm(
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
    kin.curl_fingers(track, "right", 8 - 9 * late)
    stand(track)
    breathe(track, phase, 1)
    smile(track, 0.75 * curve(phase, (0.02, 0), (0.2, 1), (0.8, 1), (0.99, 0)))
    blinks(track, phase, 4.5, 0.12, 0.86)
    return track


def smile(track: Track, amount: np.ndarray) -> None:
    """Mouth corners up, cheeks and lower lids with them."""
    for side in ("Left", "Right"):
        track.expression[f"mouthSmile{side}"] = amount
        track.expression[f"cheekSquint{side}"] = 0.4 * amount
        track.expression[f"eyeSquint{side}"] = 0.25 * amount


def walk(skeleton: Skeleton, phase: np.ndarray) -> Track:
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
    feet = {side: _walking_foot(skeleton, side, phase) for side in kin.SIDES}
    track.pelvis[:, 1] = _low_pass(kin.reachable_height(track, feet), 3 * WALK_CYCLES)
    track.pelvis[:, 1] -= np.max(track.pelvis[:, 1] - kin.reachable_height(track, feet)).clip(0)
    kin.place_feet(track, feet)
    for side, start in (("left", 0.5), ("right", 0.0)):  # arms swing with the other leg
        swing = np.cos(TAU * (phase - start - 0.02))
        bend = np.cos(TAU * (phase - start - 0.07))
        kin.set_arm(
            track, side, lower=67.0, swing=3 + 21 * swing, twist=INWARD, elbow=24 + 11 * bend
        )
        kin.curl_fingers(track, side, 10 + 2 * bend)
    kin.bend_spine(track, yaw=-1.9 * yaw, roll=-1.1 * list_, pitch=1 + 0.8 * wave_of(phase, 2, 0.1))
    kin.bend_neck(
        track, yaw=0.8 * yaw, roll=0.2 * list_, pitch=-3.5 - 1.0 * wave_of(phase, 2, 0.18)
    )
    return track


def _walking_foot(skeleton: Skeleton, side: str, phase: np.ndarray) -> Foot:
    """Heel strike, flat, heel off, swing; on the ground it moves back at one steady speed."""
    step = 0.255 * skeleton.leg  # ankle ahead of the hip at heel strike, and behind at toe off
    phase = (phase + (0.0 if side == "left" else 0.5)) % 1
    pitch_keys = ((0, -17), (0.09, 0), (0.33, 0), (0.5, 21), (STANCE, 46), (0.73, 26), (0.9, -16))
    rest, hinge = skeleton.joints[list(kin.LEGS[side][2:])]  # ankle and root of the toes
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
    out = turn_y(5 * kin.SIDES[side])
    return Foot(ankle, out @ turn_x(pitch), toes)


def _low_pass(values: np.ndarray, harmonics: int) -> np.ndarray:
    """The slow part of a loop."""
    spectrum = np.fft.rfft(values)
    spectrum[harmonics + 1 :] = 0
    return np.fft.irfft(spectrum, len(values))


def squat(skeleton: Skeleton, phase: np.ndarray) -> Track:
    """Bends the knees until the thighs are nearly level, arms in front, and comes up again."""
    track = Track.still(skeleton, len(phase))
    leg = skeleton.leg
    down = curve(phase, (0.06, 0), (0.45, 1), (0.52, 1), (0.9, 0))
    arms = curve(phase, (0.03, 0), (0.38, 1), (0.56, 1), (0.92, 0))
    sway(track, 0.006 * wave_of(phase, 1) * (1 - down), -0.17 * down)
    track.pelvis[:, 1] -= leg * (0.40 * down + 0.004)
    track.rotations[:, Joint.PELVIS] = turn_x(26 * down)
    kin.bend_spine(track, pitch=10 * down)
    kin.bend_neck(track, pitch=-29 * down)
    for side in kin.SIDES:
        kin.set_arm(
            track,
            side,
            lower=62 - 86 * arms,
            forward=66 * arms,
            twist=INWARD * (1 - arms),
            elbow=15 + 6 * arms,
            supinate=4 * arms,
            wrist=4 * arms,
        )
        kin.curl_fingers(track, side, 8 - 3 * arms)
    stand(track, apart=1.35, toes_out=14.0, knees_out=4.0)
    breathe(track, phase, 1, 1.3)
    blinks(track, phase, 3.5, 0.08, 0.72)
    return track


def raise_arms(skeleton: Skeleton, phase: np.ndarray) -> Track:
    """Lifts both arms overhead, stretches to either side, lowers them."""
    track = Track.still(skeleton, len(phase))
    up = curve(phase, (0.03, 0), (0.3, 1), (0.72, 1), (0.97, 0))
    late = curve(phase, (0.06, 0), (0.33, 1), (0.72, 1), (0.99, 0))
    reach = curve(phase, (0.29, 0), (0.41, 1), (0.61, -1), (0.73, 0))
    sway(track, 0.02 * reach + 0.006 * wave_of(phase, 1) * (1 - up))
    kin.bend_spine(track, roll=-11 * reach, pitch=-4 * up)
    kin.bend_neck(track, roll=-2 * reach, pitch=-7 * late)
    for side, sign in kin.SIDES.items():
        kin.set_arm(
            track,
            side,
            lower=62 - 126 * up - 5 * sign * reach * up,
            forward=9 * up,
            twist=INWARD + late * (26 - INWARD),
            elbow=15 + 7 * np.sin(np.pi * up) - 3 * up,
            supinate=22 * late,
            wrist=5 * np.sin(np.pi * up),
        )
        kin.curl_fingers(track, side, 8 - 4 * late)
    stand(track, apart=1.2)
    breathe(track, phase, 1, 1.5)
    smile(track, 0.3 * late)
    blinks(track, phase, 5.5, 0.1, 0.8)
    return track


def expressions(skeleton: Skeleton, phase: np.ndarray) -> Track:
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
    kin.bend_neck(
        track,
        pitch=-4 * wow + 5 * cross - 2 * glad + 1.2 * wave_of(phase, 2, 0.1),
        roll=5 * pout - 4 * wink - 1.5 * wave_of(phase, 1, 0.2),
        yaw=5 * wave_of(phase, 1, 0.15) + 2 * wave_of(phase, 3),
    )
    stand(track)
    breathe(track, phase, 2)
    return track
