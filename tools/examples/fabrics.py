"""Looks of cloth, leather and metal; patterns lie in the cloth's own coordinates (metres)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tools.examples.noise import cloud, noise, smoothstep
from tools.examples.picture import Material, Points, Surface
from tools.examples.tones import colour

Pattern = Callable[[Points, np.ndarray], np.ndarray]  # pixels, albedo [P, 3] -> albedo


def line(x: np.ndarray, at: float, width: float) -> np.ndarray:
    """1 on a line, 0 beside it."""
    return np.exp(-(((x - at) / width) ** 2))


def wave(x: np.ndarray, period: float) -> np.ndarray:
    """0..1 triangle wave."""
    return np.abs((x / period) % 1.0 - 0.5) * 2


def cloth(
    base: str,
    *,
    patterns: tuple[Pattern, ...] = (),
    grain: float = 0.06,  # uneven dye
    thread: float = 0.05,  # visible threads
    roughness: float = 0.85,
    sheen: float = 0.5,
    hem: float = 0.016,  # metres from the edge where the hem is stitched; 0 = none
    stitch: str | None = None,  # colour of the stitches
    creases: float = 0.0008,  # metres, height of small wrinkles
    crease_size: float = 0.045,
    rib: tuple[float, float] | None = None,  # width of a ribbed band at the edges, period
) -> Material:
    """Woven or knitted cloth."""

    def material(p: Points) -> Surface:
        u, v, edge = p.extra[:, 0], p.extra[:, 1], p.extra[:, 3]
        albedo = np.tile(colour(base), (len(u), 1))
        # where two panels meet, their coordinates jump: there is a seam
        joint = smoothstep(0.04, 0.0, np.abs(p.extra[:, 2] - np.round(p.extra[:, 2])))[:, None]
        for pattern in patterns:
            albedo = albedo + joint * (pattern(p, albedo) - albedo)
        place = np.stack([u, v, 0.3 * p.extra[:, 2]], 1)
        fleck = noise(place, (0.0012, 0.004, 1), 3) + noise(place, (0.004, 0.0012, 1), 4)
        tone = 1 + grain * cloud(p.rest, 0.05, 3, 8) + thread * fleck
        bump = creases * cloud(p.rest, crease_size, 3, 12)
        if hem:
            seam = line(edge, hem, 0.0012)
            tone *= 1 - 0.22 * seam
            bump = bump - 0.0006 * seam + 0.0005 * smoothstep(hem, hem - 0.004, edge)
            if stitch:
                dots = seam * smoothstep(0.35, 0.6, wave(u + v, 0.006))
                albedo = albedo + (0.7 * dots)[:, None] * (colour(stitch) - albedo)
        if rib:
            band = smoothstep(rib[0], rib[0] - 0.004, edge)
            ridge = 0.5 - 0.5 * np.cos(2 * np.pi * u / rib[1])
            tone *= 1 - 0.22 * band * (1 - ridge)
            bump = bump + band * 0.0009 * ridge
            bump = bump - 0.001 * line(edge, rib[0], 0.002)
            tone *= 1 - 0.25 * line(edge, rib[0], 0.0018)
        return Surface(np.clip(albedo * tone[:, None], 0.004, 0.9), roughness, 0.28, sheen, bump)

    return material


def mixed(albedo: np.ndarray, text: str, amount: np.ndarray) -> np.ndarray:
    """Albedo with some of a colour."""
    return albedo + np.clip(amount, 0, 1)[:, None] * (colour(text) - albedo)


def stripes(text: str, period: float, share: float, across: bool = False) -> Pattern:
    """Stripes along (or across) the cloth."""

    def pattern(p: Points, albedo: np.ndarray) -> np.ndarray:
        x = p.extra[:, 1 if across else 0]
        return mixed(albedo, text, smoothstep(1 - share - 0.06, 1 - share + 0.06, wave(x, period)))

    return pattern


def checks(text: str, period: float, thin: str | None = None) -> Pattern:
    """Two sets of bands whose crossings are darker, with a thin line between."""

    def pattern(p: Points, albedo: np.ndarray) -> np.ndarray:
        u, v = p.extra[:, 0], p.extra[:, 1]
        for x in (u, v):
            albedo = mixed(albedo, text, 0.5 * smoothstep(0.52, 0.6, wave(x, period)))
        if thin:
            for x in (u, v):
                albedo = mixed(albedo, thin, 0.55 * smoothstep(0.90, 0.96, 1 - wave(x, period)))
        return albedo

    return pattern


def blossoms(
    text: str, heart: str, spacing: float, size: float, leaf: str | None = None
) -> Pattern:
    """Little five-petalled flowers scattered on a jittered grid."""

    def pattern(p: Points, albedo: np.ndarray) -> np.ndarray:
        u, v = p.extra[:, 0] / spacing, p.extra[:, 1] / spacing
        row = np.floor(v)
        column = np.floor(u + 0.5 * (row % 2))
        cell = np.stack([column, row, 0 * row], 1) + 0.5
        jx, jy, spin = (noise(cell * 7.31, 1.0, 60 + k) for k in range(3))
        x = (u + 0.5 * (row % 2) - column - 0.5 - 0.22 * jx) * spacing
        y = (v - row - 0.5 - 0.22 * jy) * spacing
        r, turn = np.hypot(x, y), np.arctan2(y, x) + 3 * spin
        petal = size * (0.72 + 0.28 * np.cos(5 * turn))
        if leaf:
            albedo = mixed(
                albedo,
                leaf,
                smoothstep(0.0016, 0.0004, np.hypot((x - 1.25 * size) / 1.9, y + x * 0.4)),
            )
        albedo = mixed(albedo, text, smoothstep(petal + 0.0005, petal - 0.0005, r))
        return mixed(albedo, heart, smoothstep(0.34 * size, 0.26 * size, r))

    return pattern


def denim(faded: str, *, knees: tuple[float, ...], thigh: float, stitch: str = "b8823c") -> Pattern:
    """Indigo worn lighter on the thighs and at the knees, with outer and inner seams."""

    def pattern(p: Points, albedo: np.ndarray) -> np.ndarray:
        u, v, edge = p.extra[:, 0], p.extra[:, 1], p.extra[:, 3]
        front = np.exp(-((u / 0.06) ** 2))
        wear = 0.55 * front * np.exp(-(((v - thigh) / 0.16) ** 2))
        for knee in knees:
            wear += 0.35 * front * np.exp(-(((v - knee) / 0.07) ** 2))
        wear += 0.25 * smoothstep(0.25, 0.8, cloud(p.rest, (0.02, 0.05, 0.02), 3, 71))
        wear += 0.18 * noise(np.stack([u, v, 0 * u], 1), (0.0016, 0.012, 1), 72)
        albedo = mixed(albedo, faded, wear)
        for at in (0.5 * np.pi * 0.08, -0.5 * np.pi * 0.08):
            albedo = albedo * (1 - 0.45 * line(u, at, 0.0022))[:, None]
            albedo = mixed(albedo, faded, 0.4 * line(u, at + 0.005, 0.0015))
        dots = line(edge, 0.018, 0.0012) * smoothstep(0.3, 0.6, wave(u, 0.006))
        return mixed(albedo, stitch, 0.6 * dots)

    return pattern


def plain(text: str, roughness: float = 0.5, specular: float = 0.5, sheen: float = 0.0) -> Material:
    """One colour: plastic, rubber, cords."""

    def material(p: Points) -> Surface:
        return Surface(np.tile(colour(text), (len(p.rest), 1)), roughness, specular, sheen)

    return material


def metal(text: str) -> Material:
    """Polished metal, lit mostly by its gloss."""

    def material(p: Points) -> Surface:
        return Surface(np.tile(colour(text) * 0.6, (len(p.rest), 1)), 0.28, 3.0)

    return material


def trainer(upper: str, sole: str, accent: str, lace: str, sole_height: float) -> Material:
    """A trainer: sole, toe cap, side flash, laces on the tongue."""

    def material(p: Points) -> Surface:
        along, across, height = p.extra[:, 0], p.extra[:, 1], p.extra[:, 2]
        albedo = np.tile(colour(upper), (len(along), 1))
        albedo *= (1 + 0.05 * noise(p.world, 0.002, 5))[:, None]
        bump = np.zeros(len(along))
        cap = smoothstep(0.905, 0.915, along + 0.04 * across**2)
        albedo = mixed(albedo, sole, 0.85 * cap)
        heel = smoothstep(0.16, 0.14, along - 0.10 * (height - 0.05) / 0.05)
        albedo = mixed(albedo, accent, 0.9 * heel)
        flash = line(along - 0.45 - 3.2 * (height - 0.045), 0, 0.035) * smoothstep(
            0.45, 0.6, np.abs(across)
        )
        albedo = mixed(albedo, accent, flash)
        tongue = smoothstep(0.42, 0.36, np.abs(across)) * smoothstep(0.38, 0.41, along)
        tongue *= smoothstep(0.84, 0.80, along)
        albedo *= (1 - 0.3 * line(np.abs(across), 0.40, 0.03) * (along > 0.38) * (along < 0.84))[
            :, None
        ]
        bars = smoothstep(0.5, 0.62, wave(along + 0.08 * np.abs(across), 0.062)) * tongue
        albedo = mixed(albedo, lace, bars)
        bump += 0.002 * bars - 0.0012 * line(along + 0.04 * across**2, 0.910, 0.005)
        below = smoothstep(sole_height + 0.002, sole_height, height)
        albedo = mixed(albedo, sole, below)
        albedo *= (1 - 0.35 * line(height, sole_height + 0.001, 0.0016))[:, None]
        bump -= 0.001 * line(height, 0.5 * sole_height, 0.001)
        albedo = mixed(albedo, accent, 0.7 * below * line(height, 0.5 * sole_height, 0.0016))
        return Surface(np.clip(albedo, 0.005, 0.85), 0.6 - 0.1 * below, 0.4, 0.15, bump)

    return material


def leather(upper: str, sole: str, sole_height: float, *, cap: bool = True) -> Material:
    """A leather shoe with a seam at the toe."""

    def material(p: Points) -> Surface:
        along, across, height = p.extra[:, 0], p.extra[:, 1], p.extra[:, 2]
        albedo = np.tile(colour(upper), (len(along), 1))
        tone = 1 + 0.12 * cloud(p.world, 0.02, 3, 15) - 0.25 * smoothstep(0.75, 1.0, along)
        bump = 0.0003 * cloud(p.world, 0.006, 2, 16)
        if cap:
            seam = line(along + 0.05 * across**2, 0.74, 0.006)
            tone *= 1 - 0.4 * seam
            bump -= 0.001 * seam
        side = line(along, 0.40 + 0.06 * (height - 0.05) / 0.05, 0.006)
        side *= smoothstep(0.35, 0.5, np.abs(across))
        tone *= 1 - 0.35 * side
        below = smoothstep(sole_height + 0.002, sole_height, height)
        albedo = mixed(albedo * tone[:, None], sole, below)
        albedo *= (1 - 0.4 * line(height, sole_height + 0.001, 0.0014))[:, None]
        return Surface(np.clip(albedo, 0.004, 0.8), 0.38 + 0.25 * below, 0.7, 0.0, bump)

    return material
