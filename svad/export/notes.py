"""The texts that go into the archive: what the files are, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence

README = """\
Your avatar
===========

Made by SVAD from one photo. Units are metres, y points up, the person faces +z.

avatar.ply           {count} Gaussians in the A-pose, standing upright with the soles at y = 0.
                     Standard 3D Gaussian Splatting file (binary, colour without view dependence).
                     Some viewers expect y to point down: turn it by 180 degrees about x there.
avatar.safetensors   The same Gaussians, in the same order, in the rest pose (arms to the sides),
                     with joints, skinning weights and expression directions. Its metadata
                     describes every array.
avatar.glb           The coloured mesh with skeleton, {expressions} facial morph targets and the
                     animations {motions}. For Blender, game engines and the web.
turntable.mp4        The avatar from all sides.
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
    "                  joint order of SMPL-X; no SMPL-X data are included."
)
WEIGHTS_INDENT = " " * 18
NO_WEIGHTS = "none: this preset uses no pretrained weights of its own."


def readme(count: int, expressions: int, motions: Sequence[str]) -> str:
    """The read-me of an archive with `count` Gaussians."""
    names = ", ".join(motions) if motions else "(none)"
    return README.format(count=count, expressions=expressions, motions=names)


def licence(card: dict) -> str:
    """The licence and consent note of a job; `card` names its preset and weights."""
    preset = str(card.get("preset") or "not recorded")
    weights = card.get("weights") or NO_WEIGHTS
    if not isinstance(weights, str):
        weights = ("\n" + WEIGHTS_INDENT).join(str(w) for w in weights)
    return LICENSE.format(body=card.get("body") or FREE_BODY, preset=preset, weights=weights)
