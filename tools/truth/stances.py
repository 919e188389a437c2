"""How people stand in photos: hands at the hip, crossed, in pockets; sitting, walking, turned.

A hand is sent to a place on the clothed body by inverse kinematics, so that people of other
measures do the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from svad.body.free import load_free_body
from svad.body.skeleton import ARMS, FINGERS, LEGS, Joint
from svad.geometry.rotation import rodrigues
from svad.motion import rig
from svad.motion.rig import SIDES, Skeleton, Track, turn_x, turn_y, turn_z, unit
from svad.motion.stills import Still
from svad.types import Pose
from tools.truth.person import MovingPerson

NEAR = 0.03  # metres, how far from a height, or a line, the surface is looked for
STRAIGHT = 0.995  # longest arm, shoulder to wrist, as a share of both bones: elbows never lock
TURNED = 30.0  # degrees, of the person who is turned aside
ARM_JOINTS = sorted({j for side in SIDES for j in (*ARMS[side][1:], *FINGERS[side])})

Stance = Callable[["Standing"], None]
"""Changes a track of one frame in place."""


@dataclass(frozen=True)
class Standing:
    """A person in the pose of their photo, and the surface of their clothed trunk in it."""

    track: Track  # T = 1
    trunk: np.ndarray  # [N, 3] metres, points of everything that does not follow an arm

    def joint(self, joint: int) -> np.ndarray:  # [3]
        """Where a joint is now, metres."""
        return rig.forward(self.track)[1][0, joint]

    def beside(self, side: str, height: float) -> float:
        """x of the outermost point at a height, metres."""
        level = self.trunk[np.abs(self.trunk[:, 1] - height) < NEAR]
        return SIDES[side] * float((SIDES[side] * level[:, 0]).max())

    def before(self, x: float, height: float, front: float = 1.0) -> float:
        """z of the foremost point near (x, height), metres; `front=-1`: of the hindmost."""
        away = np.abs(self.trunk[:, :2] - [x, height]).max(1)
        return front * float((front * self.trunk[away < NEAR, 2]).max())


def standing(person: MovingPerson) -> Standing:
    """A person as they stand in their photo, fingers at rest."""
    skeleton = Skeleton(person.joints.double().numpy(), person.parents)
    track = Track.still(skeleton, 1)
    track.rotations[0] = rodrigues(person.pose.rotations[0].double()).numpy()
    track.pelvis[0] += person.pose.translation[0].double().numpy()
    solid = len(person.points) - len(person.half)  # hair is no trunk
    on_arm = (person.joint_weights * torch.isin(person.joint_ids, torch.tensor(ARM_JOINTS))).sum(1)
    points = person.vertices(person.pose[0], np.zeros(3))[:solid]
    return Standing(track, points[on_arm[:solid].numpy() < 0.5].astype(np.float64))


def posed(person: MovingPerson, name: str) -> Pose:
    """A person in one of `STANCES`; T = 1."""
    found = standing(person)
    STANCES[name](found)
    poses = found.track.poses(())
    # the face of a drawn person is baked: nothing of an expression would be seen
    return replace(poses, expression=torch.zeros_like(person.pose.expression))


def reach(
    found: Standing,
    side: str,
    wrist: np.ndarray,  # [3] metres, where it shall be
    elbow: np.ndarray,  # [3] the way the elbow points from the line shoulder to wrist
    fingers: np.ndarray,  # [3] the way the fingers point
    palm: np.ndarray,  # [3] the way the palm looks
) -> None:
    """Two-bone inverse kinematics of an arm; half of the forearm's twist goes to its upper end.

    All ways are in the world. A wrist that is out of reach goes as far as the arm does.
    """
    track, (collar, shoulder, elbow_joint, wrist_joint) = found.track, ARMS[side]
    turns, places = rig.forward(track)
    rest = track.skeleton.joints
    bones = rest[elbow_joint] - rest[shoulder], rest[wrist_joint] - rest[elbow_joint]
    hinge = np.array([0.0, -SIDES[side], 0.0])  # of the resting elbow: it bends forward about it
    upper, lower = (np.linalg.norm(bone) for bone in bones)
    start = places[0, shoulder]
    way = unit(wrist - start)
    far = np.clip(np.linalg.norm(wrist - start), 0.2 * upper, STRAIGHT * (upper + lower))
    aside = unit(elbow - (elbow @ way) * way)
    cosine = np.clip((upper**2 + far**2 - lower**2) / (2 * upper * far), -1, 1)
    bend = upper * (cosine * way + np.sqrt(1 - cosine**2) * aside)
    axis = np.cross(aside, way)
    whole = _frame(bend, axis) @ _frame(bones[0], hinge).T
    forearm = _frame(far * way - bend, axis) @ _frame(bones[1], hinge).T
    middle = rest[FINGERS[side][3]] - rest[wrist_joint]
    hand = _frame(fingers, palm) @ _frame(middle, np.array([0.0, -1.0, 0.0])).T
    half = _twist(forearm.T @ hand, unit(bones[1]), 0.5)
    track.rotations[0, shoulder] = turns[0, collar].T @ whole
    track.rotations[0, elbow_joint] = whole.T @ forearm @ half
    track.rotations[0, wrist_joint] = (forearm @ half).T @ hand


def _frame(along: np.ndarray, toward: np.ndarray) -> np.ndarray:  # [3, 3]
    """Orthonormal columns: along, the part of `toward` square to it, their cross product."""
    first = unit(np.asarray(along, np.float64))
    second = unit(toward - (toward @ first) * first)
    return np.stack([first, second, np.cross(first, second)], 1)


def _twist(turn: np.ndarray, axis: np.ndarray, share: float) -> np.ndarray:  # [3, 3]
    """A share of a rotation's turn about an axis (its swing left out)."""
    sine = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    # the quaternion's part along the axis and its real part, both times 4w
    angle = 2 * np.arctan2(sine @ axis, 1 + np.trace(turn))
    return rodrigues(torch.from_numpy(share * angle * axis)).numpy()


def hand_at_hip(found: Standing) -> None:
    """The left hand on the hip, fingers forward; the right arm hangs."""
    height = found.joint(Joint.PELVIS)[1] + 0.08
    x = found.beside("left", height) + 0.025
    wrist = np.array([x, height, found.joint(Joint.PELVIS)[2] - 0.01])
    reach(found, "left", wrist, _way(1, 0, -0.35), _way(-0.55, -0.35, 0.75), _way(-0.7, -0.6, -0.5))
    rig.curl_fingers(found.track, "left", 14)


def hands_in_front(found: Standing) -> None:
    """Both hands before the belly, the right one on the left."""
    height = found.joint(Joint.PELVIS)[1] + 0.01
    for side, gap, shift in (("left", 0.03, 0.02), ("right", 0.065, -0.005)):
        sign = SIDES[side]
        z = found.before(0.0, height - 0.03) + gap
        wrist = np.array([sign * 0.085 + shift, height + 0.035, z])
        reach(
            found, side, wrist, _way(sign, -0.5, -0.5), _way(-0.75 * sign, -0.62, 0.05),
            _way(-0.2 * sign, 0.2, -1),
        )  # fmt: skip
        rig.curl_fingers(found.track, side, 14)


def arms_crossed(found: Standing) -> None:
    """Forearms crossed before the chest, each hand at the other arm."""
    height = found.joint(Joint.SPINE2)[1] + 0.04
    z = max(found.before(x, height) for x in (-0.08, 0.0, 0.08))
    for side, gap, rise in (("left", 0.055, 0.0), ("right", 0.115, 0.03)):
        sign = SIDES[side]
        wrist = np.array([-sign * 0.085, height + rise, z + gap - 0.02])
        palm = _way(-0.1 * sign, -0.2, -1)
        reach(found, side, wrist, _way(sign, -0.9, 0.25), _way(-sign, 0.18, -0.3), palm)
        rig.curl_fingers(found.track, side, 10)


def hand_at_head(found: Standing) -> None:
    """The left hand in the hair at the side of the head."""
    head = found.joint(Joint.HEAD)
    wrist = head + [0.135, 0.10, -0.01]
    reach(found, "left", wrist, _way(1, 0.15, 0.25), _way(-0.62, 0.72, -0.3), _way(-0.8, -0.6, 0))
    rig.curl_fingers(found.track, "left", 12)


def in_pockets(found: Standing) -> None:
    """Both hands in the pockets of the trousers: fingers and palms are under the cloth."""
    height = found.joint(Joint.LEFT_HIP)[1] + 0.045
    for side, sign in SIDES.items():
        x = found.beside(side, height) - sign * 0.028
        wrist = np.array([x, height, found.joint(Joint.PELVIS)[2] + 0.035])
        palm = _way(-sign, 0, -0.3)
        reach(found, side, wrist, _way(0.75 * sign, 0, -1), _way(-0.25 * sign, -1, 0.28), palm)
        rig.curl_fingers(found.track, side, 6)


def behind_back(found: Standing) -> None:
    """The hands held behind the back."""
    height = found.joint(Joint.PELVIS)[1] + 0.03
    for side, gap in (("left", 0.045), ("right", 0.085)):
        sign = SIDES[side]
        wrist = np.array([sign * 0.06, height, found.before(0.0, height, -1.0) - gap])
        palm = _way(0, 0, -1)
        reach(found, side, wrist, _way(sign, 0.1, -0.6), _way(-sign, -0.45, 0), palm)
        rig.curl_fingers(found.track, side, 12)


def sitting(found: Standing) -> None:
    """Upright as on a stool, hands on the thighs."""
    track = found.track
    for side, sign in SIDES.items():
        hip, knee, ankle, _ = LEGS[side]
        track.rotations[0, hip] = turn_y(7 * sign) @ turn_x(-80) @ turn_z(0)
        track.rotations[0, knee] = turn_x(82)
        track.rotations[0, ankle] = turn_x(-2)
    for side, sign in SIDES.items():
        hip, knee, *_ = LEGS[side]
        on_thigh = 0.42 * found.joint(hip) + 0.58 * found.joint(knee)
        wrist = on_thigh + [0.01 * sign, 0.115, 0]
        reach(
            found, side, wrist, _way(sign, 0.1, -0.6), _way(-0.12 * sign, -0.3, 1), _way(0, -1, 0)
        )
        rig.curl_fingers(track, side, 10)


def walking(found: Standing) -> None:
    """A step, the left foot before."""
    names = load_free_body().expression_names
    track = found.track
    pose = Still(motion="walk", moment=0.62).pose(
        names, track.skeleton.joints, track.skeleton.parents
    )
    track.rotations[0] = rodrigues(pose.rotations[0].double()).numpy()


def turned_aside(found: Standing) -> None:
    """The whole person turned, arms a little off."""
    track = found.track
    track.rotations[0, Joint.PELVIS] = turn_y(TURNED) @ track.rotations[0, Joint.PELVIS]


def as_in_photo(found: Standing) -> None:
    """The pose of the person's own photo."""


def _way(x: float, y: float, z: float) -> np.ndarray:  # [3]
    return unit(np.array([x, y, z], np.float64))


STANCES: dict[str, Stance] = {
    "hand_at_hip": hand_at_hip,
    "hands_in_front": hands_in_front,
    "arms_crossed": arms_crossed,
    "hand_at_head": hand_at_head,
    "in_pockets": in_pockets,
    "behind_back": behind_back,
    "sitting": sitting,
    "walking": walking,
    "turned": turned_aside,
    "as_in_photo": as_in_photo,
}
