"""Which bone is which, by the names that programs give them.

Read are the names of CMU's conversions, Mixamo, Rokoko, MotionBuilder, 3ds Max biped, Biovision and
Xsens, Daz, Character Creator, Rigify and other rigs of Blender, DeepMotion, VRM and Unity, Unreal,
MikuMikuDance, SMPL and SMPL-X. Some words mean another bone from program to
program ("shoulder", "foot", "hip"): what else is there tells. Spine and neck are found by how they
hang together, since programs differ in how many bones they have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from svad.body.skeleton import FINGER_NAMES, SIDES, Joint
from svad.motion.readers.files import MotionError
from svad.motion.readers.mmd_names import in_english

WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
BEFORE = re.compile(
    r"^(mixamorig|bip|biped|valve|character|j|def|org|cc|base|avg|m|f|b|c|armature|rig|\d+)$"
)
PREFIX = re.compile(r"^.+?[_.|: -](?=.)")  # up to the first mark between words
NUMBER = re.compile(r"[._]\d+$")  # some programs give every bone one, or copies of a bone
MOST = 0.8  # of the names, that begin with one word
AFTER = re.compile(r"^(jnt|joint|jt|bone|bnd|bind|stretch|x)$")
FIRST = ("", "01", "1")  # what may follow the name of the first of several bones of a limb
SIDE = {"left": "left", "l": "left", "right": "right", "r": "right"}

# the words for each bone, the more certain ones first
MIDDLE = {
    Joint.PELVIS: ("hips", "pelvis", "hip"),
    Joint.NECK: (
        "neck",
        "neck1",
        "neck01",
        "neckbase",
        "necklower",
        "neck0",
        "necktwist",
        "spine004",
    ),
    Joint.HEAD: ("head", "spine006"),  # Rigify numbers the spine up to the head
    Joint.JAW: ("jaw", "jaw01"),
}
OF_A_SIDE = {
    "shoulder": ("upperarm", "arm", "uparm", "shldr", "shldrbend", "humerus", "shoulder"),
    "collar": ("collar", "clavicle", "shoulder"),
    "elbow": ("elbow", "forearm", "lowerarm", "lowarm", "forearmbend", "radius"),
    "wrist": ("wrist", "hand"),
    "hip": ("thigh", "upleg", "upperleg", "thighbend", "femur", "hip", "leg"),
    "knee": ("knee", "shin", "calf", "lowerleg", "lowleg", "leg", "tibia"),
    "ankle": ("ankle", "foot"),
    "foot": ("toebase", "toe", "toes", "ball", "toe0", "foot"),
    "eye": ("eye", "eyesmplhf"),
}
FINGER = re.compile(
    r"^f?(?:in)?(?:hand)?(?:finger)?"
    r"(?P<name>thumb|index|middle|mid|ring|pinky|pinkie|little|(?<=finger)[1-5](?=[a-z]))(?:finger)?"
    r"(?P<part>0?[1-3]|metacarpal|proximal|intermediate|medial|distal)$"
)
BIPED_FINGER = re.compile(r"^finger(?P<name>[0-4])(?P<part>[12]?)$")
FINGERS_ALSO = {"mid": "middle", "pinkie": "pinky", "little": "pinky"}
IN_ORDER = ("thumb", "index", "middle", "ring", "pinky")
NEEDED = ("shoulder", "elbow", "hip", "knee", "ankle")
KNOWN = "Mixamo, CMU, Rokoko, MotionBuilder, 3ds Max, Xsens, VRM, Unreal, MikuMikuDance or SMPL-X"


def bones_of(names: Sequence[str]) -> dict[Joint, int]:
    """The place in `names` of each joint that has one; of the spine none.

    Raises `MotionError` where arms or legs are not found.
    """
    found = _found(names)
    if not _missing(found):
        return found
    prefix = _shared(names)
    short = [name.removeprefix(prefix) for name in names]
    for other in (short, [NUMBER.sub("", name) for name in short]):
        found = _found(other)
        if not _missing(found):
            return found
    _require(_found(names), names)
    return found


def _shared(names: Sequence[str]) -> str:
    """What most names begin with: that of a person or a file, which some programs put before."""
    counts = Counter(match[0] for name in names if (match := PREFIX.match(name)))
    prefix, count = next(iter(counts.most_common(1)), ("", 0))
    return prefix if count > MOST * sum(map(bool, names)) else ""


def _found(names: Sequence[str]) -> dict[Joint, int]:
    words: dict[tuple[str, str], int] = {}
    for place, name in enumerate(names):
        words.setdefault(_plain(name), place)
    found = {}
    for joint, among in MIDDLE.items():
        _take(found, joint, words, "", among)
    for side in SIDES:
        for part, among in OF_A_SIDE.items():
            _take(found, Joint[f"{side}_{part}".upper()], words, side, among)
    for (side, word), place in words.items():
        joint = _finger(side, word, words)
        if joint is not None:
            found.setdefault(joint, place)
    return found


def _take(
    found: dict[Joint, int],
    joint: Joint,
    words: dict[tuple[str, str], int],
    side: str,
    among: Sequence[str],
) -> None:
    """The first of the words that is there; a bone is taken once."""
    for word in (word + number for number in FIRST for word in among):
        place = words.get((side, word))
        if place is not None and place not in found.values():
            found[joint] = place
            return


def _plain(name: str) -> tuple[str, str]:
    """Side ("left", "right" or "") and what is left of a name, in small letters."""
    parts = [word.lower() for word in WORDS.findall(in_english(name.rpartition(":")[2]))]
    while len(parts) > 1 and BEFORE.match(parts[0]):
        parts.pop(0)
    sides = [word for word in parts if word in SIDE]
    if sides:
        parts.remove(sides[0])
    while len(parts) > 1 and AFTER.match(parts[-1]):
        parts.pop()
    if sides:
        return SIDE[sides[0]], "".join(parts)
    word = "".join(parts)
    known = {one for among in OF_A_SIDE.values() for one in among}
    if word[:1] in SIDE and word[1:] in known:  # "lfemur"
        return SIDE[word[0]], word[1:]
    return "", word


def _finger(side: str, word: str, words: dict[tuple[str, str], int]) -> Joint | None:
    if not side:
        return None
    match = FINGER.match(word)
    if match is not None:
        name, part = match["name"], match["part"]
        name = IN_ORDER[int(name) - 1] if name.isdigit() else FINGERS_ALSO.get(name, name)
        number = int(part) if part.isdigit() else _by_word(name, side, part, words)
    else:
        match = BIPED_FINGER.match(word)
        if match is None:
            return None
        name, number = IN_ORDER[int(match["name"])], int(match["part"] or 0) + 1
    if name not in FINGER_NAMES or not number:
        return None
    return Joint[f"{side}_{name}{number}".upper()]


def _by_word(name: str, side: str, part: str, words: dict[tuple[str, str], int]) -> int:
    """Which bone of a finger a word means; 0 = one within the palm."""
    if name != "thumb":
        return {"proximal": 1, "intermediate": 2, "medial": 2, "distal": 3}.get(part, 0)
    metacarpal = {(side, "thumbmetacarpal"), (side, "finger1metacarpal")} & words.keys()
    row = ("metacarpal", "proximal", "distal") if metacarpal else ()
    row = row or ("proximal", "intermediate", "distal")
    return row.index(part) + 1 if part in row else 0


def _missing(found: dict[Joint, int]) -> list[str]:
    needed = [Joint[f"{side}_{part}".upper()] for side in SIDES for part in NEEDED]
    return [joint.name.lower().replace("_", " ") for joint in needed if joint not in found]


def _require(found: dict[Joint, int], names: Sequence[str]) -> None:
    missing = _missing(found)
    if not missing:
        return
    named = [name for name in names if name]
    some = ", ".join(name[:30] for name in named[:6]) + (" ..." if len(named) > 6 else "")
    raise MotionError(
        f"The bones of a person are not found by their names: {', '.join(missing[:4])} "
        f"{'is' if len(missing) == 1 else 'are'} missing. Names as of {KNOWN} are known; the file "
        f"has {some or 'none'}."
    )
