"""The choices of the avatar's animation: how hands rest, and from which pose Gaussians are skinned.

The published program adds the mean curl of the hands inside the body model and then turns the
curled fingers about their curled joints, and it skins from the pose with the legs apart, whose
blended skin at the hips is not undone by the inverse joints. The improved way rests with flat
hands in the zero pose.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way from the rest surface to a pose."""

    curled_hands: bool  # whether the mean curl is part of the rest surface
    legs_apart: bool  # whether Gaussians are skinned from the big pose; else from the zero pose


IMPROVED = Method(curled_hands=False, legs_apart=False)
PUBLISHED = Method(curled_hands=True, legs_apart=True)
