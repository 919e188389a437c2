"""Turns a MakeHuman body of any shape into a T-pose with the 55 joints of SMPL-X."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.body.skeleton import JOINTS, Joint
from svad.geometry.rotation import axis_rotation, shortest_rotation
from tools.body.makehuman import Source

COLLAR_DEGREES, SHOULDER_DEGREES = 8.0, 14.0  # share of the raise that the collar takes
LEG_OUTWARD_DEGREES = 2.0
FINGERS = {"index": 2, "middle": 3, "pinky": 5, "ring": 4, "thumb": 1}  # MakeHuman's numbers


def _bone_table() -> dict[str, str]:
    """MakeHuman bone -> joint; bones that are not listed follow their parent."""
    table = {"root": "pelvis", "spine03": "spine1", "spine02": "spine2", "spine01": "spine3"}
    table |= {"breast.L": "spine3", "breast.R": "spine3"}
    table |= {"neck01": "neck", "neck03": "head", "jaw": "jaw"}
    for s, side in (("L", "left"), ("R", "right")):
        table |= {
            f"upperleg01.{s}": f"{side}_hip",
            f"lowerleg01.{s}": f"{side}_knee",
            f"foot.{s}": f"{side}_ankle",
            f"clavicle.{s}": f"{side}_collar",
            f"upperarm01.{s}": f"{side}_shoulder",
            f"lowerarm01.{s}": f"{side}_elbow",
            f"wrist.{s}": f"{side}_wrist",
            f"eye.{s}": f"{side}_eye",
        }
        table |= {f"toe{i}-1.{s}": f"{side}_foot" for i in range(1, 6)}
        for name, number in FINGERS.items():
            table |= {f"finger{number}-{i}.{s}": f"{side}_{name}{i}" for i in (1, 2, 3)}
    return table


@dataclass(frozen=True)
class Rig:
    """The MakeHuman skeleton beside the 55 joints."""

    parents: np.ndarray  # [163]
    heads: np.ndarray  # [163, P] bone heads from points
    weights: np.ndarray  # [V, 163]
    joint_weights: np.ndarray  # [V, 55]
    joint_heads: np.ndarray  # [55, 163] joint positions as means of bone heads
    names: tuple[str, ...]  # 163


def make_rig(source: Source) -> Rig:
    """Give every bone to its joint; sum the weights."""
    table = _bone_table()
    owner = []
    for bone, name in enumerate(source.bones):
        joint = table.get(name)
        owner.append(JOINTS.index(joint) if joint else owner[source.parents[bone]])
    merge = np.zeros((len(owner), 55))
    merge[np.arange(len(owner)), owner] = 1
    place = {joint: [bone] for bone, joint in table.items()}
    place |= {"pelvis": ["spine05"], "neck": ["neck01"], "head": ["head"], "spine3": ["spine01"]}
    for s, side in (("L", "left"), ("R", "right")):
        place[f"{side}_foot"] = [f"toe{i}-1.{s}" for i in (1, 2, 3)]
    joint_heads = np.zeros((55, len(owner)))
    for row, joint in enumerate(JOINTS):
        for bone in place[joint]:
            joint_heads[row, source.bones.index(bone)] = 1 / len(place[joint])
    return Rig(
        parents=source.parents,
        heads=source.heads,
        weights=source.weights,
        joint_weights=source.weights @ merge,
        joint_heads=joint_heads,
        names=source.bones,
    )


def to_tpose(
    points: np.ndarray,  # [P, 3] a body in the MakeHuman rest pose (arms down, 45 degrees)
    rig: Rig,
) -> tuple[np.ndarray, np.ndarray]:  # vertices [V, 3], joints [55, 3], pelvis at the origin
    """Straighten arms, hands and legs into a T-pose by skinning with all 163 bones."""
    heads = rig.heads @ points
    turns = _world_turns(heads, rig)
    posed = np.zeros_like(heads)
    for bone, parent in enumerate(rig.parents):
        if parent < 0:
            posed[bone] = heads[bone]
        else:
            posed[bone] = posed[parent] + turns[parent] @ (heads[bone] - heads[parent])
    shift = posed - np.einsum("bij,bj->bi", turns, heads)
    full = np.concatenate([turns, shift[..., None]], -1).reshape(-1, 12)
    mixed = (rig.weights @ full).reshape(-1, 3, 4)
    surface = points[: len(mixed)]
    vertices = np.einsum("vij,vj->vi", mixed[..., :3], surface) + mixed[..., 3]
    joints = rig.joint_heads @ posed
    return vertices - joints[Joint.PELVIS], joints - joints[Joint.PELVIS]


def _world_turns(heads: np.ndarray, rig: Rig) -> np.ndarray:
    """World rotation [163, 3, 3] of every bone; one without its own follows its parent."""
    set_by_name: dict[str, np.ndarray] = {}
    at = {name: heads[i] for i, name in enumerate(rig.names)}
    for s, x in (("L", 1.0), ("R", -1.0)):
        set_by_name |= _arm_turns(at, s, x) | _leg_turns(at, s, x)
    turns = np.zeros((len(rig.names), 3, 3))
    for bone, (name, parent) in enumerate(zip(rig.names, rig.parents, strict=True)):
        turns[bone] = np.eye(3) if parent < 0 else turns[parent]
        if name in set_by_name:
            turns[bone] = set_by_name[name]
    return turns


def _arm_turns(at: dict[str, np.ndarray], s: str, x: float) -> dict[str, np.ndarray]:
    """Collar to hand: straight out to the side, palm down, elbow hinge vertical."""
    out, front = np.array([x, 0, 0]), np.array([0, 0, 1.0])
    upper = at[f"lowerarm01.{s}"] - at[f"upperarm01.{s}"]
    lower = at[f"wrist.{s}"] - at[f"lowerarm01.{s}"]
    hinge = np.cross(upper, lower)  # the base arm is bent forward, so this is well defined
    hand = at[f"finger3-1.{s}"] - at[f"wrist.{s}"]
    across = at[f"finger2-1.{s}"] - at[f"finger5-1.{s}"]
    straight = np.cross(out, front)
    turn_upper = _frame(out, straight) @ _frame(upper, hinge).T
    turn_lower = _frame(out, straight) @ _frame(lower, hinge).T
    turn_hand = _frame(out, straight) @ _frame(hand, np.cross(hand, across)).T
    rest = turn_hand @ turn_lower.T  # what the hand turns beyond the forearm
    twist = np.arctan2(rest[2, 1] - rest[1, 2], rest[1, 1] + rest[2, 2])
    return {
        f"clavicle.{s}": axis_rotation(2, x * np.radians(COLLAR_DEGREES)),
        f"shoulder01.{s}": axis_rotation(2, x * np.radians(SHOULDER_DEGREES)),
        f"upperarm01.{s}": turn_upper,
        f"lowerarm01.{s}": turn_lower,
        f"lowerarm02.{s}": axis_rotation(0, twist / 2) @ turn_lower,
        f"wrist.{s}": turn_hand,
    }


def _leg_turns(at: dict[str, np.ndarray], s: str, x: float) -> dict[str, np.ndarray]:
    """Hip to ankle almost straight down, feet as they are."""
    leg = at[f"foot.{s}"] - at[f"upperleg01.{s}"]
    angle = np.radians(LEG_OUTWARD_DEGREES)
    down = np.array([x * np.sin(angle), -np.cos(angle), 0])
    return {f"upperleg01.{s}": shortest_rotation(leg, down), f"foot.{s}": np.eye(3)}


def _frame(axis: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Right-handed frame (columns): along `axis`, then along `second` made square to it."""
    a = axis / np.linalg.norm(axis)
    b = second - (second @ a) * a
    b = b / np.linalg.norm(b)
    return np.stack([a, b, np.cross(a, b)], 1)
