"""A photo studio made of many small lights, each with its own shadow map.

Soft boxes are bundles of distant lights and the white room is a dome of them; adding up what each
lights gives soft shadows, ambient occlusion and contact shadows with one mechanism.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.compute.compiled import cached
from tools.examples.raster import depth_map

NORMAL_OFFSET = 0.0025  # metres along the normal, against self-shadowing
DEPTH_BIAS = 0.0015  # metres along the light


@dataclass(frozen=True)
class Light:
    """One distant light."""

    direction: np.ndarray  # [3] unit, from the scene to the light
    colour: np.ndarray  # [3] linear RGB irradiance on a surface that faces it


@dataclass(frozen=True)
class Samples:
    """Surface points to be lit."""

    points: np.ndarray  # [P, 3] metres
    normals: np.ndarray  # [P, 3] unit
    tangents: np.ndarray  # [P, 3] unit along hair; zero on surfaces
    views: np.ndarray  # [P, 3] unit, to the eye
    roughness: np.ndarray  # [P] 0..1
    wrap: np.ndarray  # [P] 0..1, how far light creeps round the edge


@dataclass(frozen=True)
class SoftBox:
    """A bundle of lights."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]
    power: float
    spread: float  # radians, radius of the bundle
    count: int


STUDIO = (
    SoftBox((-0.62, 0.60, 0.78), (1.0, 0.955, 0.89), 1.62, 0.24, 26),  # key, from the left
    SoftBox((0.85, 0.25, 0.75), (0.86, 0.93, 1.0), 0.42, 0.42, 14),  # fill
    SoftBox((0.75, 0.62, -0.72), (0.92, 0.96, 1.0), 1.15, 0.20, 10),  # rim right
    SoftBox((-0.80, 0.55, -0.70), (1.0, 0.95, 0.88), 0.85, 0.20, 10),  # rim left
)


def studio_lights(
    boxes: tuple[SoftBox, ...] = STUDIO,
    *,
    dome: int = 72,  # lights of the room
    dome_power: float = 0.78,
    bounce: tuple[float, float, float] = (1.0, 0.95, 0.9),  # tint of the light from the floor
    quality: float = 1.0,  # share of the lights
) -> list[Light]:
    """Soft boxes plus a dome whose lower part is what the floor throws back."""
    lights = []
    for box in boxes:
        count = max(3, round(box.count * quality))
        for direction in _disc(np.array(box.direction, float), box.spread, count):
            lights.append(Light(direction, np.array(box.colour) * box.power / count))
    count = max(16, round(dome * quality))
    step = np.arange(count) + 0.5
    height = 1 - 1.75 * step / count  # down to -0.75
    angle = step * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    for x, y, z in np.stack([ring * np.cos(angle), height, ring * np.sin(angle)], 1):
        sky = np.array([0.93, 0.97, 1.0]) * (0.75 + 0.35 * y)
        floor = 0.42 * np.array(bounce)
        colour = sky if y > 0 else floor
        lights.append(Light(np.array([x, y, z]), colour * dome_power * 3.3 / count))
    return lights


def _disc(axis: np.ndarray, radius: float, count: int) -> np.ndarray:  # [count, 3]
    u, v, w = _frame(axis / np.linalg.norm(axis))
    step = np.arange(count) + 0.5
    r, angle = np.tan(radius) * np.sqrt(step / count), step * np.pi * (3 - np.sqrt(5))
    rays = w + (r * np.cos(angle))[:, None] * u + (r * np.sin(angle))[:, None] * v
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _frame(w: np.ndarray) -> np.ndarray:  # [3, 3] rows u, v, w
    helper = np.array([0.0, 1.0, 0.0]) if abs(w[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    u = np.cross(helper, w)
    u /= np.linalg.norm(u)
    return np.stack([u, np.cross(w, u), w])


def light_up(
    samples: Samples,  # P
    vertices: np.ndarray,  # [V, 3] of everything that casts shadows
    faces: np.ndarray,  # [F, 3]
    lights: list[Light],
    map_side: int = 1024,
    focus: tuple[np.ndarray, float] | None = None,  # centre [3], radius: only this part is lit
) -> tuple[np.ndarray, np.ndarray]:  # diffuse, specular [P, 3]
    """What reaches each sample; white that faces a light gets its colour."""
    low, high = vertices.min(0), vertices.max(0)
    centre, radius = ((low + high) / 2, np.linalg.norm(high - low) / 2) if focus is None else focus
    diffuse = np.zeros((len(samples.points), 3), np.float32)
    specular = np.zeros_like(diffuse)
    faces = np.ascontiguousarray(faces, np.int32)
    shifted = (vertices - centre).astype(np.float32)
    scale = map_side / (2 * radius)
    points, normals, tangents, views, roughness, wrap = (
        np.ascontiguousarray(a, np.float32)
        for a in (
            samples.points - centre,
            samples.normals,
            samples.tangents,
            samples.views,
            samples.roughness,
            samples.wrap,
        )
    )
    for number, light in enumerate(lights):
        frame = _frame(light.direction)
        turn = (frame * [[scale], [scale], [-1.0]]).T.astype(np.float32)
        seen = shifted @ turn + np.array([map_side / 2, map_side / 2, 0], np.float32)
        depth = np.full((map_side, map_side), 1e9, np.float32)
        depth_map(seen, faces, depth)
        _gather(
            points,
            normals,
            tangents,
            views,
            roughness,
            wrap,
            frame.astype(np.float32),
            light.colour.astype(np.float32),
            depth,
            np.float32(scale),
            number * 7919 + 17,
            diffuse,
            specular,
        )
    return diffuse, specular


@cached(nogil=True, error_model="numpy", fastmath=True)
def _gather(
    points, normals, tangents, views, roughness, wrap, frame, colour, depth, scale, seed,
    diffuse, specular,
):  # fmt: skip
    side = depth.shape[0]
    lx, ly, lz = frame[2, 0], frame[2, 1], frame[2, 2]
    state = np.int64(seed)
    for p in range(points.shape[0]):
        nx, ny, nz = normals[p, 0], normals[p, 1], normals[p, 2]
        facing = nx * lx + ny * ly + nz * lz
        tx, ty, tz = tangents[p, 0], tangents[p, 1], tangents[p, 2]
        hair = tx * tx + ty * ty + tz * tz > 0.5
        amount = (facing + wrap[p]) / (1 + wrap[p])
        if hair:
            along = tx * lx + ty * ly + tz * lz
            amount = 0.55 * max(amount, 0.0) + 0.45 * np.sqrt(max(0.0, 1 - along * along)) * (
                0.35 + 0.65 * max(facing + 0.3, 0.0)
            )
        if amount <= 0:
            continue
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        jx = (state >> 16) / 65536.0 - 0.5
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        jy = (state >> 16) / 65536.0 - 0.5
        offset = NORMAL_OFFSET * (1.8 if hair else 1.0)
        x, y, z = points[p, 0] + nx * offset, points[p, 1] + ny * offset, points[p, 2] + nz * offset
        u = (frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z) * scale + side * 0.5 + jx
        v = (frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z) * scale + side * 0.5 + jy
        if u >= 0 and v >= 0 and u < side and v < side:  # noqa: SIM102 - the depth is read inside
            if -(lx * x + ly * y + lz * z) - DEPTH_BIAS > depth[int(v), int(u)]:
                continue
        for k in range(3):
            diffuse[p, k] += amount * colour[k]
        hx, hy, hz = lx + views[p, 0], ly + views[p, 1], lz + views[p, 2]
        length = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6
        hx, hy, hz = hx / length, hy / length, hz / length
        if hair:
            # two lobes along the strand (Kajiya-Kay with shifted tangents)
            across = tx * hx + ty * hy + tz * hz
            first = np.exp(-((across - 0.06) ** 2) / 0.008)
            second = np.exp(-((across + 0.12) ** 2) / 0.03)
            shine = (0.6 * first + 0.4 * second) * max(0.0, min(1.0, facing + 0.35))
        else:
            if facing <= 0:
                continue
            nh = max(nx * hx + ny * hy + nz * hz, 0.0)
            vh = max(views[p, 0] * hx + views[p, 1] * hy + views[p, 2] * hz, 0.0)
            nv = max(nx * views[p, 0] + ny * views[p, 1] + nz * views[p, 2], 0.05)
            a2 = roughness[p] ** 4
            bend = nh * nh * (a2 - 1) + 1
            spread = a2 / (3.1416 * bend * bend)
            k = (roughness[p] + 1) ** 2 / 8
            mask = 1 / ((nv * (1 - k) + k) * (facing * (1 - k) + k))
            fresnel = 0.04 + 0.96 * (1 - vh) ** 5
            shine = 0.25 * spread * mask * fresnel * facing * 3.1416
        for k in range(3):
            specular[p, k] += shine * colour[k]
