"""Bones by their names, as programs give them."""

from __future__ import annotations

import pytest

from svad.body.skeleton import JOINTS, SPINE, Joint
from svad.motion.readers.files import MotionError
from svad.motion.readers.names import bones_of

MIXAMO = "Shoulder Arm ForeArm Hand UpLeg Leg Foot ToeBase HandThumb1 HandIndex2 HandPinky3"
ROKOKO = (
    "Shoulder Arm ForeArm Hand Thigh Shin Foot Toe Finger1Metacarpal Finger2Medial Finger5Distal"
)
VRM = (
    "Shoulder UpperArm LowerArm Hand UpperLeg LowerLeg Foot Toes ThumbMetacarpal "
    "IndexIntermediate LittleDistal"
)
UNREAL = "clavicle upperarm lowerarm hand thigh calf foot ball thumb_01 index_02 pinky_03"
BIPED = "Clavicle UpperArm Forearm Hand Thigh Calf Foot Toe0 Finger0 Finger11 Finger42"
BIOVISION = "Collar Shoulder Elbow Wrist Hip Knee Ankle Toe"
DAZ = "Collar ShldrBend ForearmBend Hand ThighBend Shin Foot Toe Thumb1 Index2 Pinky3"
DEEPMOTION = "shoulder arm forearm hand upleg leg foot toebase handThumb1 handIndex2 handPinky3"
ARKIT = "shoulder_1 arm forearm hand upLeg leg foot toes handThumb_1 handIndex_2 handPinky_3"
RIGIFY = "shoulder upper_arm forearm hand thigh shin foot toe thumb.01 f_index.02 f_pinky.03"
AUTO_RIG = (
    "shoulder arm_stretch forearm_stretch hand thigh_stretch leg_stretch foot toes_01 c_thumb1 "
    "c_index2 c_pinky3"
)
MAKEHUMAN = "clavicle upperarm01 lowerarm01 wrist upperleg01 lowerleg01 foot"
PARTS = (
    *("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot"),
    *("thumb1", "index2", "pinky3"),
)


@pytest.mark.parametrize(
    ("hips", "words", "left", "right"),
    [
        ("mixamorig:Hips", MIXAMO, "mixamorig:Left{}", "mixamorig:Right{}"),
        ("mixamorig7_Hips", MIXAMO, "mixamorig7_Left{}", "mixamorig7_Right{}"),
        ("Character1_Hips", MIXAMO, "Character1_Left{}", "Character1_Right{}"),
        ("Hips", ROKOKO, "Left{}", "Right{}"),
        ("hips", VRM, "left{}", "right{}"),
        ("J_Bip_C_Hips", VRM, "J_Bip_L_{}", "J_Bip_R_{}"),
        ("pelvis", UNREAL, "{}_l", "{}_r"),
        ("Bip01 Pelvis", BIPED, "Bip01 L {}", "Bip01 R {}"),
        ("Bip001_Pelvis", BIPED, "Bip001_L_{}", "Bip001_R_{}"),
        ("Hips", BIOVISION, "Left{}", "Right{}"),
        ("hip", DAZ, "l{}", "r{}"),
        ("ValveBiped.Bip01_Pelvis", BIPED, "ValveBiped.Bip01_L_{}", "ValveBiped.Bip01_R_{}"),
        ("hips_JNT", DEEPMOTION, "l_{}_JNT", "r_{}_JNT"),
        ("hips_joint", ARKIT, "left_{}_joint", "right_{}_joint"),
        ("pelvis", RIGIFY, "DEF-{}.L", "DEF-{}.R"),
        ("pelvis", AUTO_RIG, "{}.l", "{}.r"),
        ("pelvis", MAKEHUMAN, "{}.L", "{}.R"),
        ("Pelvis", "shoulder arm elbow wrist leg knee ankle toe", "{}_L", "{}_R"),
        ("m_avg_Pelvis", BIOVISION.replace("Toe", "Foot"), "m_avg_L_{}", "m_avg_R_{}"),
    ],
)
def test_names_of_programs(hips: str, words: str, left: str, right: str) -> None:
    names, wanted = [hips], {Joint.PELVIS: hips}
    for side, form in (("LEFT", left), ("RIGHT", right)):
        for part, word in zip(PARTS, words.split(), strict=False):
            names.append(form.format(word))
            wanted[Joint[f"{side}_{part.upper()}"]] = names[-1]
    names += ["LeftArmRoll", "ik_hand_l", "Left Eyebrow", "Camera", ""]
    assert {joint: names[place] for joint, place in bones_of(names).items()} == wanted


def test_a_spine_that_is_numbered_up_to_the_head() -> None:
    names = [f"DEF-spine{number}" for number in ("", ".001", ".004", ".005", ".006")]
    names += [f"{word}.{side}" for word in RIGIFY.split() for side in "LR"]
    found = bones_of(names)
    assert [found[joint] for joint in (Joint.NECK, Joint.HEAD)] == [2, 4]


def test_japanese_names_with_the_side_before_or_behind() -> None:
    """As MikuMikuDance writes them, and as Blender's add-on does; helpers are left alone."""
    words = "肩 腕 ひじ 手首 足 ひざ 足首 つま先 目 親指０ 人指１ 中指2 小指３ 腕捩 足ＩＫ 足D 肩P"
    parts = "collar shoulder elbow wrist hip knee ankle foot eye thumb1 index1 middle2 pinky3"
    for left, right in (("左{}", "右{}"), ("{}.L", "{}.R"), ("{}_L", "{}_R")):
        pairs = [form.format(word) for form in (left, right) for word in words.split()]
        names = ["全ての親", "センター", "下半身", "上半身", "首", "頭", *pairs]
        found = bones_of(names)
        assert names[found[Joint.PELVIS]] == "下半身" and names[found[Joint.HEAD]] == "頭"
        for word, part in zip(words.split(), parts.split(), strict=False):
            for side, form in (("left", left), ("right", right)):
                assert names[found[Joint[f"{side}_{part}".upper()]]] == form.format(word)
        assert len(found) == 3 + 2 * len(parts.split())


def test_our_own_names_are_all_known() -> None:
    found = bones_of(JOINTS)
    assert all(joint == place for joint, place in found.items())
    assert set(Joint) - found.keys() == set(SPINE)  # found by how they hang together


def test_what_is_missing_is_named() -> None:
    names = [name for name in JOINTS if name != "left_knee"]
    with pytest.raises(MotionError, match="left knee is missing"):
        bones_of(names)
    with pytest.raises(MotionError, match=r"has Cube, Lamp\."):
        bones_of(["Cube", "Lamp", ""])
