"""The names that other programs know the bones of a humanoid by."""

from __future__ import annotations

from collections.abc import Mapping

from svad.body.skeleton import JOINTS, SIDES

_SPINE = {
    "pelvis": ("hips", "Hips", "pelvis"),
    "spine1": ("spine", "Spine", "spine_01"),
    "spine2": ("chest", "Spine1", "spine_02"),
    "spine3": ("upperChest", "Spine2", "spine_03"),
    "neck": ("neck", "Neck", "neck_01"),
    "head": ("head", "Head", "head"),
    "jaw": ("jaw", None, None),
}
# of the left side; VRM and Unity, Mixamo, Unreal
_LIMBS = {
    "eye": ("Eye", "Eye", None),
    "collar": ("Shoulder", "Shoulder", "clavicle"),
    "shoulder": ("UpperArm", "Arm", "upperarm"),
    "elbow": ("LowerArm", "ForeArm", "lowerarm"),
    "wrist": ("Hand", "Hand", "hand"),
    "hip": ("UpperLeg", "UpLeg", "thigh"),
    "knee": ("LowerLeg", "Leg", "calf"),
    "ankle": ("Foot", "Foot", "foot"),
    "foot": ("Toes", "ToeBase", "ball"),
}
_FINGERS = {"index": "Index", "middle": "Middle", "ring": "Ring", "pinky": "Little"}
_PHALANGES = ("Proximal", "Intermediate", "Distal")
_THUMB = ("Metacarpal", "Proximal", "Distal")


def _humanoid() -> Mapping[str, tuple[str | None, str | None, str | None]]:
    """By our name: those of VRM 1.0, of Mixamo and of Unreal; None where there is no such bone."""
    names: dict[str, tuple[str | None, str | None, str | None]] = dict(_SPINE)
    for side in SIDES:
        big, letter = side.capitalize(), side[0]
        for ours, (vrm, mixamo, unreal) in _LIMBS.items():
            theirs = None if unreal is None else f"{unreal}_{letter}"
            names[f"{side}_{ours}"] = (side + vrm, big + mixamo, theirs)
        for k in range(3):
            for ours, vrm in _FINGERS.items():
                finger = ours.capitalize()
                names[f"{side}_{ours}{k + 1}"] = (
                    f"{side}{vrm}{_PHALANGES[k]}",
                    f"{big}Hand{finger}{k + 1}",
                    f"{ours}_0{k + 1}_{letter}",
                )
            names[f"{side}_thumb{k + 1}"] = (
                f"{side}Thumb{_THUMB[k]}",
                f"{big}HandThumb{k + 1}",
                f"thumb_0{k + 1}_{letter}",
            )
    return names


HUMANOID = _humanoid()


def _named(column: int) -> tuple[str, ...]:
    """The 55 names of one program, ours where it has none."""
    found = ((joint, HUMANOID[joint][column]) for joint in JOINTS)
    return tuple(joint if name is None else name for joint, name in found)


# The 55 joints in the order of SMPL-X, by whose names they are.
NAMES: Mapping[str, tuple[str, ...]] = {
    "smplx": JOINTS,
    "vrm": _named(0),
    "mixamo": _named(1),
    "unreal": _named(2),
}
