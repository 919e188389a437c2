"""The texts that go into the archive: what the files are, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Any

from svad.export.row import Format

WIDTH, COLUMN = 100, 21  # of the read-me, and where the texts of the files begin in it
UNITS = "Units are metres, y points up, the person faces +z, except in avatar.ply (see there)."
README = """\
Your avatar
===========

{origin}

{formats}
loader_example.py    A few lines that read avatar.safetensors and bend an elbow:
                     pip install numpy safetensors, then python loader_example.py
job.json             How it was made: settings, versions and seconds.
LICENSE-AND-CONSENT.txt
                     Please read it before you share anything.

The arrays in avatar.safetensors are blended for a pose as its metadata says; plain linear blend
skinning, as in the example, comes close. Expressions are ARKit-style coefficients from 0 to 1; of
an avatar on an SMPL-X body they are unnamed components, which the animations leave at zero.
{ending}
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
  {result}

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
ONE_PHOTO, SOME_PHOTOS, A_CLIP = "one photo", "{n} photos", "a clip"
INVENTED = "Sides that the pictures do not show are completed by guessing."
OF_PICTURES = """\
It was generated from {source}. Your rights in the pictures carry over to the avatar; the makers of
  the software claim none. Sides that they do not show are invented. There is no warranty."""
OF_A_SNAPSHOT = """\
It was read from an avatar that another program trained. Rights in the pictures that it was
  trained on carry over to it; the makers of this software claim none. There is no warranty."""
LEFT_BEHIND = "What a pose changes beyond skinning (wrinkles, shading) was left behind."
PART_INDENT = " " * 18
NO_WEIGHTS = "none: this preset uses no pretrained weights of its own."


def readme(
    formats: Iterable[Format],  # in the archive, in its order
    count: int,  # Gaussians
    expressions: int,
    motions: Sequence[str],
    card: Mapping[str, Any],
) -> str:
    """The read-me of an archive; `card` says what the avatar was made from."""
    names = ", ".join(motions) if motions else "(none)"
    facts = {"count": count, "expressions": expressions, "motions": names}
    entries = (_entry(row, row.about.format(**facts)) for row in formats)
    ending = LEFT_BEHIND if card.get("imported") else INVENTED
    begin = wrap(f"{origin(card)} {UNITS}", WIDTH)
    return README.format(formats="\n".join(entries), origin="\n".join(begin), ending=ending)


def origin(card: Mapping[str, Any]) -> str:
    """Where an avatar comes from, in a sentence."""
    if imported := card.get("imported"):
        return f"Read by SVAD from {imported}."
    return f"Made by SVAD from {made_from(card.get('pictures') or {})}."


def made_from(pictures: Mapping[str, Any]) -> str:
    """What an avatar was made from, by what a job card says of its pictures."""
    if pictures.get("kind") == "clip":
        return A_CLIP
    count = pictures.get("frames", 1)
    return ONE_PHOTO if count == 1 else SOME_PHOTOS.format(n=count)


def _entry(row: Format, about: str) -> str:
    """What the read-me says of one format: its name, and beside it what it is."""
    indent = " " * COLUMN
    name = f"{row.file:<{COLUMN}}" if len(row.file) < COLUMN else f"{row.file}\n{indent}"
    lines = (about or row.title).splitlines()
    return name + f"\n{indent}".join(part for one in lines for part in wrap(one, WIDTH - COLUMN))


def licence(card: Mapping[str, Any]) -> str:
    """The licence and consent note of a job; `card` names its preset, body and weights."""
    of_pictures = OF_PICTURES.format(source=made_from(card.get("pictures") or {}))
    return LICENSE.format(
        result=OF_A_SNAPSHOT if card.get("imported") else of_pictures,
        body=_part(card.get("body") or FREE_BODY),
        preset=_part(card.get("preset") or "not recorded"),
        weights=_part(card.get("weights") or NO_WEIGHTS),
    )


def _part(words: str | Sequence[str]) -> str:
    """What the note says of one part, a line each, below one another."""
    text = words if isinstance(words, str) else "\n".join(words)
    return f"\n{PART_INDENT}".join(line.strip() for line in text.splitlines())
