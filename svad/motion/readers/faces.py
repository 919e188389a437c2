"""The expressions of VRM as mixtures of ARKit's, which an avatar's face has."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from svad.body.skeleton import SIDES

# ARKit shapes and how much of each; "mouthSmile*" is the left and the right one
VRM: dict[str, dict[str, float]] = {
    "aa": {"jawOpen": 0.6, "mouthLowerDown*": 0.2},
    "ih": {"jawOpen": 0.2, "mouthStretch*": 0.4},
    "ou": {"jawOpen": 0.1, "mouthPucker": 0.7, "mouthFunnel": 0.3},
    "ee": {"jawOpen": 0.15, "mouthSmile*": 0.35, "mouthStretch*": 0.35},
    "oh": {"jawOpen": 0.4, "mouthFunnel": 0.6},
    "blink": {"eyeBlink*": 1.0},
    "blinkLeft": {"eyeBlinkLeft": 1.0},
    "blinkRight": {"eyeBlinkRight": 1.0},
    "happy": {"mouthSmile*": 0.8, "cheekSquint*": 0.5, "eyeSquint*": 0.3},
    "angry": {"browDown*": 1.0, "noseSneer*": 0.4, "mouthFrown*": 0.4},
    "sad": {"browInnerUp": 0.9, "mouthFrown*": 0.6},
    "relaxed": {"mouthSmile*": 0.35, "eyeBlink*": 0.25},
    "surprised": {"eyeWide*": 0.8, "browInnerUp": 0.8, "browOuterUp*": 0.8, "jawOpen": 0.3},
}


def of_vrm(
    name: str,
    values: np.ndarray,  # [T] 0..1
    out: dict[str, np.ndarray],  # name -> [T]; is added to
    given: Collection[str] = (),  # shapes that the file tells by themselves, and are left alone
) -> None:
    """Adds one of VRM's expressions to ARKit's; one that is not known adds nothing."""
    for shape, share in VRM.get(name, {}).items():
        sides = [side.title() for side in SIDES] if shape.endswith("*") else [""]
        for side in sides:
            whole = shape.removesuffix("*") + side
            if whole in given:
                continue
            out[whole] = np.minimum(out.get(whole, 0.0) + share * values, 1.0)
