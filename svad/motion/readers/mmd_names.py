"""The bones of MikuMikuDance by their Japanese names, in the words of `names`.

A file from MikuMikuDance has the side in front (左腕), one that went through Blender has it behind
(腕.L). Helpers such as 腕捩, 足IK and 肩P stay as they are: nothing of a person is called so.
"""

from __future__ import annotations

import re
import unicodedata

SIDES = {"左": "left", "右": "right", "L": "left", "R": "right"}
BEFORE = re.compile(r"^([左右])(.+)$")
AFTER = re.compile(r"^(.+)[._ ]([LR])$")
MIDDLE = {"下半身": "pelvis", "首": "neck", "頭": "head", "あご": "jaw", "顎": "jaw"}
OF_A_SIDE = {
    "肩": "collar",
    "腕": "upperarm",
    **dict.fromkeys(("ひじ", "肘"), "elbow"),
    "手首": "wrist",
    "足": "thigh",
    **dict.fromkeys(("ひざ", "膝"), "knee"),
    "足首": "ankle",
    **dict.fromkeys(("つま先", "爪先", "足先EX"), "toebase"),
    "目": "eye",
}
FINGER = re.compile(r"^(親|人差?|中|薬|小)指([0-3])$")
FINGERS = {
    "親": "thumb",
    "人": "index",
    "人差": "index",
    "中": "middle",
    "薬": "ring",
    "小": "pinky",
}


def in_english(name: str) -> str:
    """The name as `names` knows it; one that is not of MikuMikuDance as it is."""
    if name.isascii():
        return name
    word = unicodedata.normalize("NFKC", name)  # digits and letters come in two widths
    if word in MIDDLE:
        return MIDDLE[word]
    if found := BEFORE.match(word):
        side, part = found[1], found[2]
    elif found := AFTER.match(word):
        part, side = found[1], found[2]
    else:
        return name
    if finger := FINGER.match(part):
        number = int(finger[2]) + (finger[1] == "親")  # thumbs are counted from 0
        return f"{SIDES[side]} {FINGERS[finger[1]]}{number}"
    return f"{SIDES[side]} {OF_A_SIDE[part]}" if part in OF_A_SIDE else name
