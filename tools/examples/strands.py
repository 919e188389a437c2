"""Hair as thousands of lit ribbons: growing, clumping, curling and turning into a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from tools.examples.noise import noise
from tools.examples.picture import Piece, Points, Surface
from tools.examples.tones import colour


@dataclass(frozen=True)
class Hair:
    """Strands as polylines."""

    paths: np.ndarray  # [S, K, 3] metres, root to tip
    outward: np.ndarray  # [S, K, 3] unit, away from the head
    width: np.ndarray  # [S] metres at the root
    shade: np.ndarray  # [S] brightness, about 1


def clumped(
    paths: np.ndarray,  # [S, K, 3]
    size: int,  # strands per clump
    strength: float,  # 0..1 at the tip
    rng: np.random.Generator,
    start: float = 0.15,  # share of the length where clumping begins
) -> tuple[np.ndarray, np.ndarray]:  # paths, clump of each strand [S]
    """Every strand leans towards the middle strand of its clump, more so at the tip."""
    leaders = rng.choice(len(paths), max(1, len(paths) // size), replace=False)
    middle = paths[:, paths.shape[1] // 3]
    clump = cKDTree(middle[leaders]).query(middle)[1]
    lead = paths[leaders[clump]]
    s = np.linspace(0, 1, paths.shape[1])
    pull = strength * np.clip((s - start) / (1 - start), 0, 1) ** 0.8
    pull = pull[None, :, None] * rng.uniform(0.6, 1.0, (len(paths), 1, 1))
    return paths + pull * (lead - paths), clump


def curled(
    paths: np.ndarray,  # [S, K, 3]
    clump: np.ndarray,  # [S]
    radius: float,  # metres
    length: float,  # metres of strand per turn
    rng: np.random.Generator,
    jitter: float = 0.4,  # radians between strands of one clump
) -> np.ndarray:
    """Winds strands into ringlets; strands of a clump turn together."""
    count, steps = paths.shape[:2]
    way = np.gradient(paths, axis=1)
    piece = np.linalg.norm(np.diff(paths, axis=1), axis=2).mean(1)
    s = np.arange(steps) * piece[:, None]
    groups = clump.max() + 1
    phase = rng.uniform(0, 2 * np.pi, groups)[clump] + rng.normal(0, jitter, count)
    turns = 2 * np.pi / (length * rng.uniform(0.75, 1.3, groups)[clump])
    hand = rng.choice([-1, 1], groups)[clump]
    way /= np.maximum(np.linalg.norm(way, axis=2, keepdims=True), 1e-9)
    u = np.cross(way, [0.31, 0.2, 0.93])
    u /= np.maximum(np.linalg.norm(u, axis=2, keepdims=True), 1e-9)
    v = np.cross(way, u)
    angle = hand[:, None] * (s * turns[:, None]) + phase[:, None]
    size = (
        radius * np.minimum(1, s / (0.6 * length)) * rng.uniform(0.7, 1.2, groups)[clump][:, None]
    )
    return paths + (size * np.cos(angle))[..., None] * u + (size * np.sin(angle))[..., None] * v


def ribbons(
    hair: Hair,
    eye: np.ndarray,  # [3] the camera
    tint: tuple[str, str],  # sRGB hex, dark and light strands
    name: str,
    *,
    tip: float = 0.25,  # width at the tip over width at the root
    gloss: float = 0.25,
    highlight: str | None = None,  # colour of the gloss; default = the light tint
) -> Piece:
    """A mesh of flat ribbons that face the camera."""
    paths = hair.paths
    count, steps = paths.shape[:2]
    tangent = np.gradient(paths, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=2, keepdims=True), 1e-9)
    across = np.cross(tangent, eye - paths)
    across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-9)
    s = np.linspace(0, 1, steps)
    width = hair.width[:, None] * (1 - (1 - tip) * s**2)
    sides = 0.5 * width[..., None] * across
    vertices = np.stack([paths - sides, paths + sides], 2).reshape(-1, 3)
    index = np.arange(count * steps * 2).reshape(count, steps, 2)
    a, b = index[:, :-1], index[:, 1:]
    faces = np.concatenate(
        [
            np.stack([a[..., 0], a[..., 1], b[..., 0]], -1).reshape(-1, 3),
            np.stack([a[..., 1], b[..., 1], b[..., 0]], -1).reshape(-1, 3),
        ]
    )
    extra = np.stack(
        [np.broadcast_to(hair.shade[:, None], (count, steps)), np.broadcast_to(s, (count, steps))],
        -1,
    )

    def twice(values: np.ndarray) -> np.ndarray:
        return np.repeat(values.reshape(count * steps, -1), 2, 0)

    dark, light = colour(tint[0]), colour(tint[1])
    gleam = colour(highlight) if highlight else light

    def material(p: Points) -> Surface:
        shade, along = p.extra[:, 0], p.extra[:, 1]
        mix = np.clip(0.5 + 0.9 * (shade - 1) + 0.25 * (along - 0.4), 0, 1)[:, None]
        albedo = (dark + mix * (light - dark)) * (0.75 + 0.3 * along)[:, None]
        strength = gloss * np.clip(0.6 + (shade - 1), 0.2, 1.4)
        level = gleam / max(gleam.max(), 1e-6)
        albedo = np.clip(albedo, 0.002, 0.9)
        # the gloss of hair has a colour: kept in the albedo by lifting it where strands are light
        return Surface(albedo * (0.9 + 0.1 * level), 0.5, strength)

    return Piece(
        name=name,
        vertices=vertices,
        faces=faces,
        extra=twice(extra),
        normals=twice(hair.outward),
        tangents=twice(tangent),
        material=material,
    )


def strokes(
    roots: np.ndarray,  # [S, 3]
    ways: np.ndarray,  # [S, 3] unit
    bends: np.ndarray,  # [S, 3] change of direction over the stroke
    lengths: np.ndarray,  # [S] metres
    outward: np.ndarray,  # [S, 3]
    width: float,  # metres
    rng: np.random.Generator,
    steps: int = 5,
) -> Hair:
    """Short single hairs (brows, lashes)."""
    s = np.linspace(0, 1, steps)[None, :, None]
    size = lengths[:, None, None]
    paths = roots[:, None] + size * (s * ways[:, None] + 0.5 * s**2 * bends[:, None])
    return Hair(
        paths,
        np.broadcast_to(outward[:, None], paths.shape),
        width * rng.uniform(0.7, 1.1, len(roots)),
        1 + 0.15 * noise(roots, 0.003, 7) + rng.normal(0, 0.1, len(roots)),
    )
