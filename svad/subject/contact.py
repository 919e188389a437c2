"""Forearms lie before the trunk or not: one picture's landmarks do not tell how deep they lie.

Where arms cross or hands lie on the belly, a fit to landmarks alone puts them into the body, and
the trunk then hides the sleeves that the photo shows. Hands behind the back or in a pocket it puts
before the body, where the photo shows something else. The trunk is an elliptic cylinder here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.skeleton import Joint
from svad.subject.evidence import Evidence

# of the default body at rest, metres in the frame of the middle of the spine
_HALF_WIDTH, _HALF_DEPTH = 0.120, 0.100  # narrower than it is: arms hang beside it
_AHEAD = 0.055  # the trunk's axis before the spine
_BELOW, _ABOVE = -0.22, 0.20  # heights between which there is trunk behind the forearm
_THIGHS = -0.50  # down to here a hidden hand is in or behind the legs or what hangs around them
_FADE = 0.04  # over which it begins and ends
_THICK = 0.040  # half a forearm with its sleeve
_SIGMA = 0.015
_ALONG = np.array([0.35, 0.7, 1.0, 1.3])  # from the elbow over the wrist to the palm
_COVERED = np.array([0, 0.5, 1, 1])  # how much of the same forearm a hidden hand has hidden, too
_SEEN = 0.3  # trust from which on a wrist is in view; behind a back it is 0, on drawn people


def before_trunk(evidence: Evidence) -> np.ndarray:  # [2] bool, left, right
    """Which forearms cannot be in or behind the trunk: their wrists are in view.

    The detector's depth does not tell: it is wrong for the lower one of crossed arms.
    """
    seen = evidence.trust[[wrist for _, _, wrist in coco.ARMS.values()]] >= _SEEN
    return seen & ~np.array(evidence.covered)


def inside_trunk(
    joints: np.ndarray,  # [B, 22, 3] metres
    turns: np.ndarray,  # [B, 22, 3, 3]
    before: np.ndarray,  # [2] bool, left, right: which arms are before it; others are left alone
) -> np.ndarray:  # [B, 8] standard deviations; 0 = outside
    """How deep four points along each forearm lie in or behind the trunk."""
    out = []
    for held, (z, round_, near) in zip(before, _forearms(joints, turns, _BELOW), strict=True):
        depth = (_HALF_DEPTH + _THICK) * round_ - (z - _AHEAD)
        out.append(held * near * np.maximum(np.where(round_ > 0, depth, 0), 0) / _SIGMA)
    return np.concatenate(out, 1)


def before_cover(
    joints: np.ndarray,  # [B, 22, 3] metres
    turns: np.ndarray,  # [B, 22, 3, 3]
    covered: tuple[bool, bool],  # left, right: whose hand something hides; others are left alone
) -> np.ndarray:  # [B, 8] standard deviations; 0 = inside or behind
    """How far the ends of forearms stick out of what hides their hands."""
    out = []
    for hidden, (z, round_, near) in zip(covered, _forearms(joints, turns, _THIGHS), strict=True):
        ahead = (z - _AHEAD) - (_HALF_DEPTH - 2 * _THICK) * round_
        out.append(hidden * _COVERED * near * np.maximum(ahead * (round_ > 0), 0) / _SIGMA)
    return np.concatenate(out, 1)


def _forearms(
    joints: np.ndarray, turns: np.ndarray, below: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Left, then right, of four points along each forearm [B, 4]: how far ahead of the spine, the
    trunk's depth there as a share of its largest (0 beside it), and whether there is any trunk at
    this height (0 to 1)."""
    turn, origin = turns[:, Joint.SPINE2], joints[:, None, Joint.SPINE2]
    for elbow, wrist in zip(sk.ELBOWS, sk.WRISTS, strict=True):
        start, end = joints[:, None, elbow], joints[:, None, wrist]
        points = start + _ALONG[:, None] * (end - start)
        x, y, z = np.moveaxis((points - origin) @ turn, -1, 0)
        near = np.clip((y - below) / _FADE, 0, 1) * np.clip((_ABOVE - y) / _FADE, 0, 1)
        yield z, np.sqrt(np.maximum(1 - (x / (_HALF_WIDTH + 0.5 * _THICK)) ** 2, 0)), near
