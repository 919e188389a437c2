"""How the person in the photo is found and read: checks, matte, landmarks and body fit."""

from __future__ import annotations

from dataclasses import dataclass

from svad.core.ranges import Checked, within


@dataclass(frozen=True, kw_only=True)
class SubjectConfig(Checked):
    """Photo checks, matte, landmarks and body fit."""

    # px, height of the person at the working size (never enlarged)
    person_height: int = within(640, 128, 2048)
    # pixels of the head close-up per working pixel, along each axis
    head_density: int = within(2, 1, 4)
