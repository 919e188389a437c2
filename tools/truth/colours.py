"""Colours that belong to the surface: each material once, under the studio's light in the A-pose.

A frame then shows the same colour of a spot from every side and in every pose, which is what an
avatar without shading can learn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from svad.geometry.surface import vertex_normals
from tools.examples.lights import Light, Samples, light_up
from tools.examples.make import EXPOSURE
from tools.examples.picture import Piece, Points
from tools.examples.tones import film, to_srgb
from tools.truth.meshes import spread

LEAST = 0.3  # light on what other pieces hide: in another pose it may come out from under them
SKIN_ROUNDS, CLOTH_ROUNDS = 6, 3  # light is smoothed: few lights leave grain, and skin scatters


def baked(
    pieces: Sequence[Piece],
    eye: np.ndarray,  # [3] the photo's camera, metres
    lights: list[Light],
) -> list[np.ndarray]:  # [V, 3] float32 sRGB 0..1 of each piece
    """The colour of every vertex: albedo times diffuse light, without gloss."""
    points = [_points(piece, eye) for piece in pieces]
    casting = [piece for piece in pieces if piece.shadow]
    starts = np.cumsum([0, *(len(piece.vertices) for piece in casting)])
    vertices = np.concatenate([piece.vertices for piece in casting]).astype(np.float32)
    faces = np.concatenate([p.faces + s for p, s in zip(casting, starts, strict=False)])
    samples = Samples(
        points=np.concatenate([p.world for p in points]),
        normals=np.concatenate([p.normal for p in points]),
        tangents=np.concatenate([_tangents(piece) for piece in pieces]),
        views=np.concatenate([p.view for p in points]),
        roughness=np.ones(sum(len(p.world) for p in points)),
        wrap=np.concatenate([np.full(len(p.vertices), p.wrap) for p in pieces]),
    )
    light, _ = light_up(samples, vertices, faces, lights)
    ends = np.cumsum([len(piece.vertices) for piece in pieces])[:-1]
    return [
        _colour(piece, at, lit)
        for piece, at, lit in zip(pieces, points, np.split(light, ends), strict=True)
    ]


def _points(piece: Piece, eye: np.ndarray) -> Points:
    normals = piece.normals
    if normals is None:
        normals = vertex_normals(piece.vertices, piece.faces)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    view = eye - piece.vertices
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    nothing = np.zeros((len(piece.vertices), 0))
    rest = piece.vertices if piece.rest is None else piece.rest
    extra = nothing if piece.extra is None else piece.extra
    return Points(rest, piece.vertices, normals, view, extra)


def _tangents(piece: Piece) -> np.ndarray:  # [V, 3]
    return np.zeros_like(piece.vertices) if piece.tangents is None else piece.tangents


def _colour(piece: Piece, at: Points, light: np.ndarray) -> np.ndarray:  # [V, 3]
    surface = piece.material(at)
    if piece.tangents is None:
        light = spread(light, piece.faces, SKIN_ROUNDS if piece.skin else CLOTH_ROUNDS)
    linear = surface.albedo * np.maximum(light, LEAST)
    if surface.glow is not None:
        linear = linear + surface.glow
    return to_srgb(film(linear * EXPOSURE)).astype(np.float32)
