"""Motions as other programs write them: other names, rest poses, lengths, orders and units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from svad.body.skeleton import MIRROR, PARENTS, Joint, of_side
from svad.export.names import NAMES
from svad.geometry.rotation import axis_rotation
from svad.motion.authored import authored
from svad.motion.performer import Performer
from svad.motion.rig import Skeleton, Track, forward, turn_z
from tests.helpers import tiny_joints

MAIN = [joint for joint in Joint if joint < Joint.JAW]
WIDE = np.array(  # another build: longer legs, a shorter trunk, wide shoulders
    [1.3 if "HIP" in j.name or "KNEE" in j.name or "ANKLE" in j.name else 0.9 for j in Joint]
)


def lengthened(joints: np.ndarray, factor: np.ndarray) -> np.ndarray:  # [55, 3], [55] -> [55, 3]
    """Rest joints whose offsets from their parents are longer or shorter."""
    out = joints.astype(np.float64).copy()
    for joint in Joint:
        if PARENTS[joint] >= 0:
            out[joint] = out[PARENTS[joint]]
            out[joint] += factor[joint] * (joints[joint] - joints[PARENTS[joint]])
    return out


def walking(frames: int = 24, factor: np.ndarray | None = None) -> Track:
    """The authored walk, forward and turned to a side."""
    joints = lengthened(tiny_joints(), np.ones(55) if factor is None else factor)
    skeleton = Skeleton(joints, PARENTS)
    track = authored()["walk"].author(skeleton, np.arange(frames) / 24 % 1)
    track.pelvis[:, 2] += 0.045 * np.arange(frames) * skeleton.leg / 0.8
    turn = axis_rotation(1, 0.4)
    track.rotations[:, 0] = turn @ track.rotations[:, 0]
    track.pelvis[:] = track.pelvis @ turn.T
    return track


@dataclass
class Style:
    """How a program writes a person."""

    names: Callable[[Joint], str]
    rest: dict[Joint, np.ndarray] = field(default_factory=dict)  # world turns, inherited [3, 3]
    spine: tuple[str, ...] = ()  # names of the spine's bones
    neck: tuple[str, ...] = ("Neck",)
    order: str = "ZXY"
    unit: float = 0.01  # metres
    up: np.ndarray = field(default_factory=lambda: np.eye(3))  # the world's turn
    all_channels: bool = False  # position channels for every joint
    above: str = ""  # a bone above the hips
    between: str = ""  # bones of no length above the thighs, with "{side}"
    beside: bool = False  # the spine hangs beside the hips, below `above`
    flat: bool = True  # feet stay level at rest


def mirrored_rest(rest: dict[Joint, np.ndarray]) -> dict[Joint, np.ndarray]:
    """World turns of the left side, and the same on the right."""
    flip = np.diag([-1.0, 1, 1])
    return rest | {Joint(MIRROR[joint]): flip @ turn @ flip for joint, turn in rest.items()}


def arms(lower: float) -> dict[Joint, np.ndarray]:
    """Arms so many degrees below the level at rest."""
    return mirrored_rest({Joint.LEFT_SHOULDER: turn_z(-lower)})


def _mixamo(joint: Joint) -> str:
    from svad.motion.writers.bvh import name_of

    return f"mixamorig:{name_of(joint)}"


def _cmu(joint: Joint) -> str:
    return _mixamo(joint).removeprefix("mixamorig:")


def _rokoko(joint: Joint) -> str:
    name = _cmu(joint)
    for old, new in (("UpLeg", "Thigh"), ("Leg", "Shin"), ("ToeBase", "Toe")):
        name = name.replace(old, new)
    return name


def _biped(joint: Joint) -> str:
    words = {"Hips": "Pelvis", "Neck": "Neck", "Head": "Head"}
    parts = {
        **{"UpLeg": "Thigh", "Leg": "Calf", "Foot": "Foot", "ToeBase": "Toe0"},
        **{"Shoulder": "Clavicle", "Arm": "UpperArm", "ForeArm": "Forearm", "Hand": "Hand"},
    }
    name = _cmu(joint)
    side = "L" if name.startswith("Left") else "R"
    plain = name.removeprefix("Left").removeprefix("Right")
    return f"Bip01 {words[name]}" if name in words else f"Bip01 {side} {parts[plain]}"


def _biovision(joint: Joint) -> str:
    words = {"foot": "Toe", "pelvis": "Hips"}
    side, _, part = joint.name.lower().rpartition("_")
    return side.title() + words.get(part, part.title())


def _rigify(joint: Joint) -> str:
    words = {"pelvis": "spine", "head": "spine.006"}
    parts = {
        **{"collar": "shoulder", "shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand"},
        **{"hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toe"},
    }
    side, _, part = joint.name.lower().rpartition("_")
    return f"DEF-{words[part]}" if part in words else f"DEF-{parts[part]}.{side[0].upper()}"


def _unreal(joint: Joint) -> str:
    return NAMES["unreal"][joint]


def _mmd(joint: Joint) -> str:
    words = {"pelvis": "下半身", "head": "頭"}
    parts = {
        **{"collar": "肩", "shoulder": "腕", "elbow": "ひじ", "wrist": "手首"},
        **{"hip": "足", "knee": "ひざ", "ankle": "足首", "foot": "つま先"},
    }
    side, _, part = joint.name.lower().rpartition("_")
    return words[part] if part in words else f"{'左' if side == 'left' else '右'}{parts[part]}"


def _along_x() -> dict[Joint, np.ndarray]:
    """Every bone along +x at rest, as in LAFAN's files: a rest pose that is none."""
    out = {Joint.PELVIS: axis_rotation(2, -np.pi / 2) @ axis_rotation(1, 0.3)}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for joint in of_side(side, "hip", "knee"):
            out[joint] = axis_rotation(0, sign * 0.7) @ axis_rotation(2, np.pi / 2)
        for joint in of_side(side, "ankle", "foot"):
            out[joint] = axis_rotation(0, 0.5 * sign) @ axis_rotation(1, np.pi / 2)
        for joint in of_side(side, "collar", "shoulder", "elbow", "wrist"):
            out[joint] = axis_rotation(0, 1.1) @ axis_rotation(2, 0.0 if sign > 0 else np.pi)
    return out


SPLAYED = mirrored_rest({Joint.LEFT_HIP: turn_z(20.0)})
STYLES = {
    "mixamo": Style(
        _mixamo, arms(45), tuple(f"mixamorig:Spine{k}" for k in ("", 1, 2)),
        ("mixamorig:Neck",), "XYZ", all_channels=True,
    ),
    "cmu": Style(
        _cmu, SPLAYED, ("LowerBack", "Spine", "Spine1"), ("Neck", "Neck1"), "ZYX", 0.0254,
        between="{side}HipJoint", flat=False,
    ),
    "rokoko": Style(
        _rokoko, arms(80), ("Spine1", "Spine2", "Spine3", "Spine4"), order="YXZ", unit=1.0,
        above="Root", up=axis_rotation(0, np.pi / 2),
    ),
    "biped": Style(
        _biped, arms(20), ("Bip01 Spine", "Bip01 Spine1", "Bip01 Spine2"), ("Bip01 Neck",),
        "YZX", up=axis_rotation(0, np.pi / 2), above="Bip01",
    ),
    "rigify": Style(  # in centimetres, facing backward
        _rigify, arms(45), ("DEF-spine.001", "DEF-spine.002", "DEF-spine.003"),
        ("DEF-spine.004", "DEF-spine.005"), "XZY", up=axis_rotation(1, np.pi),
    ),
    "unreal": Style(  # z up, facing along x, five bones of the spine
        _unreal, arms(50), tuple(f"spine_0{k}" for k in range(1, 6)), ("neck_01", "neck_02"), "YXZ",
        up=axis_rotation(2, np.pi / 2) @ axis_rotation(0, np.pi / 2), above="root",
    ),
    "biovision": Style(_biovision, arms(90), ("Chest",), order="ZXY", unit=0.0254),
    "mmd": Style(
        _mmd, arms(35), ("上半身", "上半身2"), ("首",), unit=0.08, above="センター", beside=True,
    ),
    "lafan": Style(_cmu, _along_x(), ("Spine", "Spine1", "Spine2"), order="ZYX", flat=False),
}  # fmt: skip


@dataclass
class _Bone:
    name: str
    parent: int
    place: np.ndarray  # [3] in the own rest pose
    turn: np.ndarray  # [T, 3, 3] world
    rest: np.ndarray  # [3, 3] world


def _bones(track: Track, style: Style) -> list[_Bone]:
    joints = np.asarray(track.skeleton.joints, np.float64)
    world, _ = forward(track)
    rest = _rest_of(style)
    frames = len(world)
    out: list[_Bone] = []
    rows: dict[int, int] = {}

    def add(name: str, parent: int, place: np.ndarray, turn: np.ndarray, still: np.ndarray) -> int:
        out.append(_Bone(name, parent, place, turn, still))
        return len(out) - 1

    top = -1
    if style.above:
        top = add(style.above, -1, np.zeros(3), np.tile(np.eye(3), (frames, 1, 1)), np.eye(3))
    hips = style.names(Joint.PELVIS)
    rows[0] = add(hips, top, joints[0], world[:, 0], rest[0])
    row, count = (top if style.beside else rows[0]), len(style.spine)
    spine = [Joint.PELVIS, Joint.SPINE1, Joint.SPINE2, Joint.SPINE3]
    for k, name in enumerate(style.spine, 1):
        place = 3 * k / count
        low = min(int(place + 1e-9), 2)
        share = place - low
        at = (1 - share) * joints[spine[low]] + share * joints[spine[low + 1]]
        turn = _between(world[:, spine[low]], world[:, spine[low + 1]], share)
        row = add(name, row, at, turn, rest[Joint.SPINE3])
    chest = row
    for k, name in enumerate(style.neck):
        at = joints[Joint.NECK] + k / 2 * (joints[Joint.HEAD] - joints[Joint.NECK])
        row = add(name, row, at, world[:, Joint.NECK], rest[Joint.NECK])
    head = Joint.HEAD
    row = add(style.names(head), row, joints[head], world[:, head], rest[head])
    add("", row, joints[head] + [0, 0.15, 0], world[:, head], rest[head])
    for side in ("left", "right"):
        row = rows[0]
        if style.between:
            name = style.between.format(side=side[0].upper())
            row = add(name, row, joints[0], world[:, 0], rest[0])
        for joint in of_side(side, "hip", "knee", "ankle", "foot"):
            row = add(style.names(joint), row, joints[joint], world[:, joint], rest[joint])
        add("", row, joints[joint] + [0, 0, 0.06], world[:, joint], rest[joint])
        row = chest
        for joint in of_side(side, "collar", "shoulder", "elbow", "wrist"):
            row = add(style.names(joint), row, joints[joint], world[:, joint], rest[joint])
        tip = joints[of_side(side, "middle1")[0]]
        add("", row, tip, world[:, joint], rest[joint])
    return out


def _rest_of(style: Style) -> np.ndarray:  # [55, 3, 3] world
    rest = np.tile(np.eye(3), (55, 1, 1))
    for joint in Joint:
        above = PARENTS[joint]
        flat = style.flat and joint in of_side("left", "ankle") + of_side("right", "ankle")
        inherited = rest[above] if above >= 0 and not flat else np.eye(3)
        rest[joint] = style.rest.get(joint, inherited)
    return rest


def _between(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    turn = Rotation.from_matrix(np.swapaxes(a, -1, -2) @ b).as_rotvec()
    return a @ Rotation.from_rotvec(share * turn).as_matrix()


def performer(track: Track, style: Style, fps: float = 24.0) -> Performer:
    """The same as what a reader should make of `bvh_text`."""
    bones = _bones(track, style)
    size = len(bones)
    parents = [bone.parent for bone in bones]
    turns = np.stack([style.up @ b.turn @ b.rest.T @ style.up.T for b in bones], 1)
    rest, places = np.zeros((size, 3)), np.zeros((len(turns), size, 3))
    for k, bone in enumerate(bones):
        if bone.parent < 0:
            rest[k] = bone.place / style.unit @ style.up.T
            places[:, k] = 0 if style.above else track.pelvis / style.unit @ style.up.T
            continue
        above = bones[bone.parent]
        offset = style.up @ above.rest @ (bone.place - above.place) / style.unit
        rest[k] = rest[bone.parent] + offset
        if bone.parent == 0 and style.above:
            own = bone.place - track.skeleton.joints[0]  # of the hips it is zero
            places[:, k] = (track.pelvis + own) / style.unit @ style.up.T
        else:
            places[:, k] = places[:, bone.parent] + turns[:, bone.parent] @ offset
    names = tuple(bone.name for bone in bones)
    return Performer(
        names, tuple(parents), rest, np.tile(np.eye(3), (size, 1, 1)), turns, places, fps
    )


def bvh_text(body: Performer, style: Style, still: int = 0) -> str:
    """A performer's file; `still` frames of the rest pose come before the motion."""
    children: dict[int, list[int]] = {k: [] for k in range(-1, len(body.names))}
    for k, parent in enumerate(body.parents):
        children[parent].append(k)
    columns: list[np.ndarray] = []

    def lines(k: int) -> list[str]:
        parent = body.parents[k]
        offset = body.rest[k] - (body.rest[parent] if parent >= 0 else 0)
        words = " ".join(f"{v:.6f}" for v in offset)
        if not body.names[k]:
            return ["End Site", "{", f"OFFSET {words}", "}"]
        above = np.eye(3) if parent < 0 else body.turns[:, parent]
        turn = np.swapaxes(above, -1, -2) @ body.turns[:, k]
        angles = Rotation.from_matrix(turn).as_euler(style.order, degrees=True)
        move, channels = [], [f"{axis}rotation" for axis in style.order]
        moves = parent < 0 or style.all_channels or (bool(style.above) and parent == 0)
        if moves:
            gap = body.places[:, k] - (body.places[:, parent] if parent >= 0 else 0)
            inverse = np.broadcast_to(np.swapaxes(above, -1, -2), body.turns[:, k].shape)
            move = [np.einsum("tij,tj->ti", inverse, gap)]
            channels = [f"{axis}position" for axis in "XYZ"] + channels
        block = np.concatenate([*move, angles], 1)
        first = np.zeros((still, block.shape[1]))
        if moves:
            first[:, :3] = offset
        columns.append(np.concatenate([first, block]))
        inner = [f"OFFSET {words}", f"CHANNELS {len(channels)} {' '.join(channels)}"]
        for child in children[k]:
            inner += lines(child)
        kind = "ROOT" if parent < 0 else "JOINT"
        return [f"{kind} {body.names[k]}", "{", *inner, "}"]

    head = lines(children[-1][0])
    rows = np.concatenate(columns, 1)
    text = ["HIERARCHY", *head, "MOTION", f"Frames:\t{len(rows)}"]
    text.append(f"Frame Time:\t{1 / body.fps:.7f}")
    return "\n".join([*text, *(" ".join(f"{v:.5f}" for v in row) for row in rows)]) + "\n"
