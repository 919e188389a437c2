"""The texts that go into the archive: what the files are, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from svad.export.formats import Format, packed_formats

COLUMN = 21  # where the texts of the read-me begin
README = """\
Your avatar
===========

Made by SVAD from one photo. Units are metres, y points up, the person faces +z.

{formats}
loader_example.py    A few lines that read avatar.safetensors and bend an elbow:
                     pip install numpy safetensors, then python loader_example.py
job.json             How it was made: settings, versions and seconds.
LICENSE-AND-CONSENT.txt
                     Please read it before you share anything.

The arrays in avatar.safetensors are blended for a pose as its metadata says; plain linear blend
skinning, as in the example, comes close. Expressions are ARKit-style coefficients from 0 to 1; of
an avatar on an SMPL-X body they are unnamed components, which the animations leave at zero.
Sides that the photo does not show are completed by guessing.
"""

LICENSE = """\
Licence and consent
===================

Consent
  This avatar shows a person. Use it only if that person is you or has agreed to it, and only for
  what they have agreed to. Do not use it to deceive, to harass, or to make someone appear to say
  or do what they did not. Say that it is computer-generated where people could take it for real.
  Local law on portraits, privacy and synthetic media applies.

The result
  It was generated from one photo. Your rights in the photo carry over to the avatar; the makers of
  the software claim none. Sides the photo does not show are invented. There is no warranty.

The parts
  Code            SVAD, Apache License 2.0.
  Body            {body}
  Landmarks       mediapipe and the models inside its package, Apache License 2.0.
  Settings        {preset}
  Weights         {weights}
"""

FREE_BODY = (
    "default body, made from MakeHuman data: CC0 1.0 (public domain). A skeleton with the\n"
    "joint order of SMPL-X; no SMPL-X data are included."
)
PART_INDENT = " " * 18
NO_WEIGHTS = "none: this preset uses no pretrained weights of its own."


def readme(count: int, expressions: int, motions: Sequence[str]) -> str:
    """The read-me of an archive with `count` Gaussians."""
    names = ", ".join(motions) if motions else "(none)"
    facts = {"count": count, "expressions": expressions, "motions": names}
    entries = (_entry(row, row.about.format(**facts)) for row in packed_formats())
    return README.format(formats="\n".join(entries))


def _entry(row: Format, about: str) -> str:
    """What the read-me says of one format: its name, and beside it what it is."""
    indent = " " * COLUMN
    name = f"{row.file:<{COLUMN}}" if len(row.file) < COLUMN else f"{row.file}\n{indent}"
    return name + f"\n{indent}".join((about or row.title).splitlines())


def licence(card: Mapping[str, Any]) -> str:
    """The licence and consent note of a job; `card` names its preset, body and weights."""
    return LICENSE.format(
        body=_part(card.get("body") or FREE_BODY),
        preset=_part(card.get("preset") or "not recorded"),
        weights=_part(card.get("weights") or NO_WEIGHTS),
    )


def _part(words: str | Sequence[str]) -> str:
    """What the note says of one part, a line each, below one another."""
    text = words if isinstance(words, str) else "\n".join(words)
    return f"\n{PART_INDENT}".join(line.strip() for line in text.splitlines())
