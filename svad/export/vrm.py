"""Writes the textured mesh as a VRM 1.0 avatar: humanoid bones, expressions, gaze and licence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from svad.body.skeleton import JOINTS, Joint
from svad.core.files import write_bytes
from svad.export.context import ExportContext
from svad.export.glb import avatar_glb, painted
from svad.export.glb_motion import tracks
from svad.export.names import HUMANOID, NAMES
from svad.export.notes import origin

LICENCE = "https://vrm.dev/licenses/1.0/"
UNNAMED = "The person it shows"
# Presets of VRM 1.0 as mixtures of ARKit's shapes.
EXPRESSIONS: Mapping[str, Mapping[str, float]] = {
    "happy": {
        **dict.fromkeys(("mouthSmileLeft", "mouthSmileRight"), 0.8),
        **dict.fromkeys(("cheekSquintLeft", "cheekSquintRight"), 0.6),
    },
    "angry": {
        **dict.fromkeys(("browDownLeft", "browDownRight"), 0.9),
        **dict.fromkeys(("mouthFrownLeft", "mouthFrownRight"), 0.4),
        **dict.fromkeys(("noseSneerLeft", "noseSneerRight"), 0.5),
    },
    "sad": {
        "browInnerUp": 0.9,
        **dict.fromkeys(("mouthFrownLeft", "mouthFrownRight"), 0.8),
    },
    "relaxed": {
        **dict.fromkeys(("mouthSmileLeft", "mouthSmileRight"), 0.35),
        **dict.fromkeys(("eyeSquintLeft", "eyeSquintRight"), 0.4),
    },
    "surprised": {
        "browInnerUp": 0.7,
        **dict.fromkeys(("browOuterUpLeft", "browOuterUpRight"), 0.8),
        **dict.fromkeys(("eyeWideLeft", "eyeWideRight"), 0.9),
        "jawOpen": 0.35,
    },
    "aa": {"jawOpen": 0.7},
    "ih": {"jawOpen": 0.2, **dict.fromkeys(("mouthStretchLeft", "mouthStretchRight"), 0.5)},
    "ou": {"jawOpen": 0.15, "mouthPucker": 0.9},
    "ee": {"jawOpen": 0.15, **dict.fromkeys(("mouthSmileLeft", "mouthSmileRight"), 0.5)},
    "oh": {"jawOpen": 0.5, "mouthFunnel": 0.7},
    "blink": dict.fromkeys(("eyeBlinkLeft", "eyeBlinkRight"), 1.0),
    "blinkLeft": {"eyeBlinkLeft": 1.0},
    "blinkRight": {"eyeBlinkRight": 1.0},
    "lookUp": dict.fromkeys(("eyeLookUpLeft", "eyeLookUpRight"), 1.0),
    "lookDown": dict.fromkeys(("eyeLookDownLeft", "eyeLookDownRight"), 1.0),
    "lookLeft": dict.fromkeys(("eyeLookOutLeft", "eyeLookInRight"), 1.0),
    "lookRight": dict.fromkeys(("eyeLookInLeft", "eyeLookOutRight"), 1.0),
    "neutral": {},
}
SIGHT = {"inputMaxValue": 90.0, "outputScale": 1.0}  # degrees of gaze, share of the shape
# The surface of the eyes is part of the face: it must not turn about a bone.
BONELESS = (Joint.LEFT_EYE, Joint.RIGHT_EYE)


def write_vrm(context: ExportContext, path: Path) -> None:
    """The avatar as .vrm; bones have VRM's names, and the bundled motions are in it as well."""
    avatar, paint = painted(context)

    def extend(document: dict) -> None:
        document["extensionsUsed"].append("VRMC_vrm")
        document["extensions"] = {"VRMC_vrm": extension(avatar.expression_names, avatar.joints
                                                        .cpu().numpy(), context.card)}  # fmt: skip

    moves = tracks(avatar, context.asked.motions)
    write_bytes(path, avatar_glb(avatar, NAMES["vrm"], moves, "SVAD", paint, extend=extend))


def extension(
    shapes: tuple[str, ...],  # names of the morph targets
    joints: np.ndarray,  # [55, 3] rest joints, metres
    card: Mapping[str, Any],
) -> dict:
    """The object VRMC_vrm (VRM 1.0 specification)."""
    eyes = joints[list(BONELESS)].mean(0) - joints[Joint.HEAD]
    return {
        "specVersion": "1.0",
        "meta": meta(card),
        "humanoid": {"humanBones": humanoid()},
        "expressions": {"preset": expressions(shapes)},
        "lookAt": {
            "type": "expression",
            "offsetFromHeadBone": [round(float(x), 5) for x in eyes],
            **{
                f"rangeMap{way}": SIGHT
                for way in ("HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp")
            },
        },
    }


def humanoid() -> dict[str, dict[str, int]]:
    """The node of each bone of VRM, where the nodes are the joints in their order."""
    return {
        str(HUMANOID[joint][0]): {"node": number}
        for number, joint in enumerate(JOINTS)
        if HUMANOID.get(joint, (None,))[0] is not None and Joint(number) not in BONELESS
    }


def expressions(shapes: tuple[str, ...]) -> dict:
    """The presets that these face shapes allow; a face without shapes has none."""
    index = {name: number for number, name in enumerate(shapes)}
    found = {}
    for name, mixture in EXPRESSIONS.items():
        if not set(mixture) <= set(index) or not index:
            continue
        binds = [
            {"node": len(JOINTS), "index": index[shape], "weight": share}
            for shape, share in mixture.items()
        ]
        found[name] = {"morphTargetBinds": binds, "isBinary": False}
    return found


def meta(card: Mapping[str, Any]) -> dict:
    """Whose it is and what may be done with it: no more than the card of the job allows.

    An avatar shows a real person: only they, or whom they allow, may appear as it.
    """
    notice = card.get("body")
    words = notice if isinstance(notice, str) else "\n".join(notice or ())
    out = {
        "name": str(card.get("name") or f"Avatar. {origin(card)}"),
        "version": "1",
        "authors": [str(card.get("author") or UNNAMED)],
        "licenseUrl": LICENCE,
        "avatarPermission": "onlySeparatelyLicensedPerson",
        "allowExcessivelyViolentUsage": False,
        "allowExcessivelySexualUsage": False,
        "commercialUsage": "personalNonProfit",
        "allowPoliticalOrReligiousUsage": False,
        "allowAntisocialOrHateUsage": False,
        "creditNotation": "required",
        "allowRedistribution": False,
        "modification": "allowModification",
    }
    return out | ({"thirdPartyLicenses": words} if words else {})
