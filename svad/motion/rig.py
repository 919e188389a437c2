"""A rig that poses a skeleton by hand: arms and spine by angles, legs by where the feet stand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from svad.body.skeleton import ARMS, FINGERS, LEGS, SPINE, THUMBS, Joint
from svad.types import Pose

SIDES = {"left": 1.0, "right": -1.0}  # sign of x
UP = np.array([0.0, 1.0, 0.0])
REACH = 0.997  # longest leg, hip to ankle, as a share of thigh + shin: knees are never locked
SOLE = 0.6  # sole below the foot joint, in units of the drop from ankle to foot joint

Angle = float | np.ndarray  # degrees, one value or one per frame [T]


def turn_x(degrees: Angle) -> np.ndarray:  # [..., 3, 3]
    """Rotation about x: positive bows forward (+y to +z)."""
    return _turn(degrees, 1, 2)


def turn_y(degrees: Angle) -> np.ndarray:  # [..., 3, 3]
    """Rotation about y: positive faces the person's left (+z to +x)."""
    return _turn(degrees, 2, 0)


def turn_z(degrees: Angle) -> np.ndarray:  # [..., 3, 3]
    """Rotation about z: positive leans to the person's right (+y to -x)."""
    return _turn(degrees, 0, 1)


def _turn(degrees: Angle, a: int, b: int) -> np.ndarray:
    angle = np.radians(np.asarray(degrees, np.float64))
    m = np.zeros((*angle.shape, 3, 3)) + np.eye(3)
    m[..., a, a] = m[..., b, b] = np.cos(angle)
    m[..., b, a] = np.sin(angle)
    m[..., a, b] = -np.sin(angle)
    return m


@dataclass(frozen=True)
class Skeleton:
    """Rest joints of one person with the measures that motions are scaled by."""

    joints: np.ndarray  # [55, 3] metres
    parents: tuple[int, ...]  # 55, root -1

    @property
    def leg(self) -> float:
        """Thigh + shin in metres, the shorter side."""
        return min(sum(self.bones(side)) for side in SIDES)

    @property
    def floor(self) -> float:
        """Height of the soles in the rest pose."""
        return min(self.contacts(side)[:, 1].min() for side in SIDES)

    def bones(self, side: str) -> tuple[float, float]:
        """Lengths of thigh and shin."""
        hip, knee, ankle, _ = self.joints[list(LEGS[side])]
        return float(np.linalg.norm(knee - hip)), float(np.linalg.norm(ankle - knee))

    def contacts(self, side: str) -> np.ndarray:  # [3, 3]
        """Heel, ball and tip of the sole in the rest pose, from the ankle and foot joints."""
        ankle, foot = self.joints[list(LEGS[side][2:])]
        sole = foot[1] - SOLE * abs(ankle[1] - foot[1])
        length = foot[2] - ankle[2]
        heel = (ankle[0], sole, ankle[2] - 0.3 * length)
        return np.array([heel, (foot[0], sole, foot[2]), (foot[0], sole, foot[2] + 0.45 * length)])


@dataclass(frozen=True)
class Foot:
    """Where one foot is in every frame."""

    ankle: np.ndarray  # [T, 3] metres
    turn: np.ndarray  # [T, 3, 3] orientation of the foot, identity = flat and forward
    toes: Angle = 0.0  # degrees, positive = tips bent down


@dataclass(frozen=True)
class Track:
    """A motion being authored; the arrays are filled in place."""

    skeleton: Skeleton
    rotations: np.ndarray  # [T, 55, 3, 3] relative to the parent
    pelvis: np.ndarray  # [T, 3] place of the pelvis joint, metres
    expression: dict[str, np.ndarray] = field(default_factory=dict)  # name -> [T]

    @staticmethod
    def still(skeleton: Skeleton, frames: int) -> Track:
        """The rest pose, `frames` times."""
        rotations = np.tile(np.eye(3), (frames, len(Joint), 1, 1))
        return Track(skeleton, rotations, np.tile(skeleton.joints[Joint.PELVIS], (frames, 1)))

    def poses(self, expression_names: tuple[str, ...]) -> Pose:
        """What was authored as T poses; expressions the body does not have are left out."""
        import torch  # only here and in `forward`: authored motions are listed without it

        from svad.geometry.rotation import matrix_to_axis_angle

        turns = matrix_to_axis_angle(torch.from_numpy(self.rotations)).float()
        places = torch.from_numpy(self.pelvis - self.skeleton.joints[Joint.PELVIS]).float()
        faces = np.zeros((len(places), len(expression_names)), np.float32)
        for column, name in enumerate(expression_names):
            faces[:, column] = self.expression.get(name, 0.0)
        return Pose(turns, places, torch.from_numpy(faces))


def forward(
    track: Track,
) -> tuple[np.ndarray, np.ndarray]:  # [T, 55, 3, 3], [T, 55, 3]
    """World rotations and joint places of every frame."""
    import torch

    from svad.body.lbs import rigid_chain

    skeleton = track.skeleton
    joints = torch.from_numpy(np.asarray(skeleton.joints, np.float64))
    turns, places = rigid_chain(torch.from_numpy(track.rotations), joints, skeleton.parents)
    places = places.numpy() + (track.pelvis - skeleton.joints[Joint.PELVIS])[:, None]
    return turns.numpy(), places


def contact_points(track: Track) -> np.ndarray:  # [T, 6, 3]
    """Heel, ball and tip of the left, then of the right sole in the world."""
    turns, places = forward(track)
    rows = []
    for side, (_, _, ankle, foot) in LEGS.items():
        for bone, rest in zip((ankle, foot, foot), track.skeleton.contacts(side), strict=True):
            offset = rest - track.skeleton.joints[bone]
            rows.append(places[:, bone] + turns[:, bone] @ offset)
    return np.stack(rows, 1)


def bend_spine(track: Track, pitch: Angle = 0.0, roll: Angle = 0.0, yaw: Angle = 0.0) -> None:
    """Spreads a bend over the three spine joints; adds to what is there."""
    for joint, share in zip(SPINE, (0.3, 0.35, 0.35), strict=True):
        _add(track, joint, turn_y(_by(yaw, share)) @ turn_z(_by(roll, share)))
        _add(track, joint, turn_x(_by(pitch, share)))


def bend_neck(track: Track, pitch: Angle = 0.0, roll: Angle = 0.0, yaw: Angle = 0.0) -> None:
    """Spreads a turn of the head over neck and head; adds to what is there."""
    for joint, share in ((Joint.NECK, 0.4), (Joint.HEAD, 0.6)):
        _add(track, joint, turn_y(_by(yaw, share)) @ turn_z(_by(roll, share)))
        _add(track, joint, turn_x(_by(pitch, share)))


def _by(angle: Angle, share: float) -> np.ndarray:
    return np.asarray(angle, np.float64) * share


def _add(track: Track, joint: int, turn: np.ndarray) -> None:
    track.rotations[:, joint] = track.rotations[:, joint] @ turn


def set_arm(
    track: Track,
    side: str,
    *,
    lower: Angle,  # upper arm below the horizontal, degrees; negative = raised
    forward: Angle = 0.0,  # upper arm round the vertical towards the front
    swing: Angle = 0.0,  # then about the left-right axis, positive = forward
    twist: Angle = 0.0,  # upper arm about itself, positive lifts a bent forearm
    elbow: Angle = 0.0,  # bend
    supinate: Angle = 0.0,  # forearm about itself, positive turns the palm up or forward
    wrist: Angle = 0.0,  # positive = palm towards the forearm
    wave: Angle = 0.0,  # positive = hand towards the thumb
    lift: Angle = 0.0,  # collar bone, on top of its share of the raise
) -> None:
    """Sets one arm from angles that mean the same on both sides (zero = T-pose).

    The collar bone takes a fifth of a lowered and nearly a third of a raised arm, as shoulder
    blades do.
    """
    collar, shoulder, elbow_joint, wrist_joint = ARMS[side]
    lower = np.asarray(lower, np.float64)
    share = np.where(lower > 0, 0.18 * lower, 0.3 * lower)
    lifted = turn_z(np.asarray(lift) - share)
    whole = turn_x(-np.asarray(swing)) @ turn_y(-np.asarray(forward)) @ turn_z(-lower)
    parts = {
        collar: lifted,
        shoulder: np.swapaxes(lifted, -1, -2) @ whole @ turn_x(-np.asarray(twist)),
        elbow_joint: turn_y(-np.asarray(elbow)) @ turn_x(-np.asarray(supinate)),
        wrist_joint: turn_y(-np.asarray(wave)) @ turn_z(-np.asarray(wrist)),
    }
    for joint, turn in parts.items():
        track.rotations[:, joint] = turn if side == "left" else mirrored(turn)


def curl_fingers(track: Track, side: str, degrees: Angle) -> None:
    """Bends every finger joint by about so much and brings the fingers of the rest pose together.

    The little finger bends most.
    """
    for place, joint in enumerate(FINGERS[side]):
        more, aside = ((0.8, 4.0), (1.0, 0.0), (1.25, -6.0), (1.1, -3.0))[place // 3]
        turn = turn_y(aside if place % 3 == 0 else 0.0) @ turn_z(-_by(degrees, more))
        track.rotations[:, joint] = turn if side == "left" else mirrored(turn)
    for joint in THUMBS[side]:
        turn = turn_y(_by(degrees, 0.25)) @ turn_z(_by(degrees, -0.25))
        track.rotations[:, joint] = turn if side == "left" else mirrored(turn)


def mirrored(
    turn: np.ndarray,  # [..., 3, 3]
) -> np.ndarray:  # [..., 3, 3]
    """The same rotation seen in a mirror across the body's middle plane."""
    flip = np.array([-1.0, 1.0, 1.0])
    return turn * flip[:, None] * flip


def hip_places(track: Track, side: str) -> np.ndarray:  # [T, 3]
    """World places of one hip joint."""
    skeleton = track.skeleton
    offset = skeleton.joints[LEGS[side][0]] - skeleton.joints[Joint.PELVIS]
    return track.pelvis + track.rotations[:, Joint.PELVIS] @ offset


def reachable_height(track: Track, feet: dict[str, Foot]) -> np.ndarray:  # [T]
    """How high the pelvis may be in each frame so that both feet are reached with soft knees."""
    limits = []
    for side, foot in feet.items():
        hip = hip_places(track, side)
        away = ((foot.ankle - hip)[:, [0, 2]] ** 2).sum(-1)
        longest = REACH * sum(track.skeleton.bones(side))
        rise = np.sqrt(np.maximum(longest**2 - away, (0.3 * longest) ** 2))
        limits.append(foot.ankle[:, 1] + rise - hip[:, 1] + track.pelvis[:, 1])
    return np.minimum(*limits)


def place_feet(track: Track, feet: dict[str, Foot], knees_out: Angle = 0.0) -> None:
    """Two-bone inverse kinematics: sets hip, knee, ankle and toes so that the feet are there.

    Knees point where the feet point, plus `knees_out` degrees. The pelvis must be set before.
    """
    for side, foot in feet.items():
        hip, knee, ankle, toes = LEGS[side]
        target = foot.ankle - hip_places(track, side)  # [T, 3]
        bend = knee_bend(track.skeleton, side, np.linalg.norm(target, axis=-1))  # [T, 3, 3]
        thigh, shin = _leg_vectors(track.skeleton, side)
        toward = foot.turn[:, :, 2] * [1, 0, 1]  # where the foot points, level
        toward = (turn_y(np.asarray(knees_out) * SIDES[side]) @ toward[..., None])[..., 0]
        rest_frame = _frame(thigh + bend @ shin, np.array([0.0, 0.0, 1.0]))
        whole = _frame(target, toward) @ np.swapaxes(rest_frame, -1, -2)
        base = track.rotations[:, Joint.PELVIS]
        track.rotations[:, hip] = np.swapaxes(base, -1, -2) @ whole
        track.rotations[:, knee] = bend
        track.rotations[:, ankle] = np.swapaxes(whole @ bend, -1, -2) @ foot.turn
        track.rotations[:, toes] = turn_x(foot.toes)


def knee_bend(
    skeleton: Skeleton,
    side: str,
    distance: np.ndarray,  # [T] hip to ankle, metres
) -> np.ndarray:  # [T, 3, 3]
    """Rotation of the knee about x that brings the ankle so far from the hip."""
    thigh, shin = _leg_vectors(skeleton, side)
    longest = REACH * sum(skeleton.bones(side))
    distance = np.clip(distance, 0.3 * longest, longest)
    # |thigh + turn_x(a) shin|^2 = p + q cos a + r sin a
    p = thigh @ thigh + shin @ shin + 2 * thigh[0] * shin[0]
    q = 2 * (thigh[1] * shin[1] + thigh[2] * shin[2])
    r = 2 * (thigh[2] * shin[1] - thigh[1] * shin[2])
    size = np.hypot(q, r)
    cosine = np.clip((distance**2 - p) / size, -1, 1)
    return turn_x(np.degrees(np.arctan2(r, q) + np.arccos(cosine)))


def _leg_vectors(skeleton: Skeleton, side: str) -> tuple[np.ndarray, np.ndarray]:
    hip, knee, ankle, _ = np.asarray(skeleton.joints, np.float64)[list(LEGS[side])]
    return knee - hip, ankle - knee


def _frame(along: np.ndarray, toward: np.ndarray) -> np.ndarray:  # [..., 3] x 2 -> [..., 3, 3]
    """Orthonormal columns: along, the part of `toward` square to it, and their cross product."""
    a = along / np.linalg.norm(along, axis=-1, keepdims=True)
    b = toward - (toward * a).sum(-1, keepdims=True) * a
    b = b / np.linalg.norm(b, axis=-1, keepdims=True)
    return np.stack([a, b, np.cross(a, b)], -1)


def unit(
    vectors: np.ndarray,  # [..., 3]
) -> np.ndarray:  # [..., 3]
    """Vectors at length one; those of no length stay."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
