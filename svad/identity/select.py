"""Frame selection: which get the face of the head, how strongly; and words about the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from svad.geometry.sampling import smoothstep
from svad.identity import published

NARROWEST, WIDEST = 5.0, 20.0  # degrees, limits of the range in which a face fades

TURNED = "face turned away"
OUT_OF_VIEW = "head out of view"
LATER = "after the published limit"
PHOTO = "the photo itself"


def strengths(
    yaw: np.ndarray,  # [T] radians between camera and face
    max_yaw: float,  # degrees
    fade: int,  # frames
) -> np.ndarray:  # [T] 0..1; 0 = the frame keeps its face
    """Full strength for faces towards the camera, fading over some frames before the limit.

    The fade is by angle, as wide as `fade` frames of the clip's usual turning: a cut in the clip
    makes no fade, and frames need not be in order.
    """
    angle = np.abs(np.degrees((yaw + np.pi) % (2 * np.pi) - np.pi))
    steps = np.abs(np.diff(angle))
    step = float(np.median(steps)) if len(steps) else 0.0
    width = float(np.clip(fade * step, NARROWEST, WIDEST)) if fade > 0 else 1e-6
    return smoothstep((max_yaw - angle) / width)


def published_strengths(count: int) -> np.ndarray:  # [T]
    """The published selection: the first frames, whatever they show."""
    return (np.arange(count) < published.FRAMES).astype(float)


def summary(
    count: int,  # frames in all
    left: Mapping[int, str],  # index of a frame that kept its face -> reason
) -> str:
    """What became of the frames, in a sentence; frames are counted from 0, the photo."""
    text = f"face fused into {count - len(left)} of {count} frames"
    groups: dict[str, list[int]] = {}
    for index in sorted(left):
        groups.setdefault(left[index], []).append(index)
    told = [f"{len(names)} ({why}: {ranges(names)})" for why, names in groups.items()]
    return f"{text}; left as they were: {', '.join(told)}" if told else text


def ranges(numbers: list[int]) -> str:
    """Rising numbers in short: 1-3, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
