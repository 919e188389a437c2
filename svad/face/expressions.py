"""Expression coefficients by name: the 52 face shapes of ARKit, 0 = neutral, 1 = in full."""

from __future__ import annotations

BLINKS = ("eyeBlinkRight", "eyeBlinkLeft")

ARKIT = (
    *(f"{brow}{side}" for brow in ("browDown", "browOuterUp") for side in ("Left", "Right")),
    *("browInnerUp", "cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *(
        f"eye{way}{side}"
        for way in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
        for side in ("Left", "Right")
    ),
    *("jawForward", "jawLeft", "jawOpen", "jawRight"),
    *("mouthClose", "mouthFunnel", "mouthLeft", "mouthPucker", "mouthRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *(
        f"mouth{way}{side}"
        for way in ("Dimple", "Frown", "LowerDown", "Press", "Smile", "Stretch", "UpperUp")
        for side in ("Left", "Right")
    ),
    *("noseSneerLeft", "noseSneerRight", "tongueOut"),
)
