"""What is sewn on clothes: pockets and bands, collars, hoods, buttons, cords."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.geometry.surface import vertex_normals
from tools.examples.cloth import border
from tools.examples.picture import Material, Piece
from tools.examples.tailor import Garment, Tailor, finished, smoothed
from tools.examples.volume import cut, tube


def piece(name: str, garment: Garment, material: Material, **options) -> Piece:
    """A garment ready to be drawn; options go to `finished`."""
    vertices, faces, rest, extra = finished(garment, **options)
    return Piece(
        name=name, vertices=vertices, faces=faces, rest=rest, extra=extra, material=material
    )


def patch(
    garment: Garment,
    keeps: Callable[[Garment], list[np.ndarray]],  # [V] each, kept where positive
    offset: float = 0.003,  # metres above the cloth
    rounds: int = 2,  # smoothing
) -> Garment:
    """A second layer cut from a garment: pocket, waistband, placket, belt."""
    normals = vertex_normals(garment.vertices, garment.faces)
    vertices = smoothed(garment.vertices, garment.faces, rounds) + offset * normals
    faces, data = garment.faces, np.concatenate([garment.flat, garment.rest], 1)
    for which in range(len(keeps(garment))):
        now = Garment(vertices=vertices, faces=faces, flat=data[:, :3], rest=data[:, 3:])
        vertices, faces, (data,) = cut(vertices, faces, keeps(now)[which], (data,))
    return Garment(vertices=vertices, faces=faces, flat=data[:, :3], rest=data[:, 3:])


def neck_loop(tailor: Tailor, garment: Garment, count: int = 96) -> np.ndarray:  # [count, 3]
    """The neck opening as an even loop, from the front middle over the person's left."""
    links = dict(border(garment.faces).tolist())
    loops, left = [], set(links)
    while left:
        start = here = left.pop()
        loop = [start]
        while (here := links[here]) != start and here in left:
            left.discard(here)
            loop.append(here)
        loops.append(loop)
    neck = tailor.figure.joint("neck")
    best = min(
        (loop for loop in loops if len(loop) > 12),
        key=lambda loop: np.linalg.norm(garment.vertices[loop].mean(0) - neck),
    )
    points = garment.vertices[best]
    offset = points - neck
    if np.cross(offset, np.roll(offset, -1, 0)).sum(0)[1] < 0:
        points = points[::-1]
    front = np.argmax(points[:, 2] - 3 * np.abs(points[:, 0]))
    points = np.roll(points, -front, 0)
    points = np.concatenate([points, points[:1]])
    for _ in range(6):
        points[1:-1] = 0.5 * points[1:-1] + 0.25 * (points[:-2] + points[2:])
    far = np.concatenate([[0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])
    at = np.linspace(0, far[-1], count, endpoint=False)
    return np.stack([np.interp(at, far, points[:, k]) for k in range(3)], 1)


def lofted(rings: np.ndarray, closed: bool = False) -> Garment:
    """A sheet through rows of points [R, K, 3]."""
    rows, columns = rings.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], 1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    points = rings.reshape(-1, 3)
    across, along = np.meshgrid(np.linspace(0, 0.4, columns), np.linspace(0, 0.07, rows))
    flat = np.stack([across.ravel(), along.ravel(), np.zeros(rows * columns)], 1)
    return Garment(vertices=points, faces=faces, flat=flat, rest=points)


def shirt_collar(
    tailor: Tailor, garment: Garment, *, stand: float = 0.026, fall: float = 0.04,
    point: float = 0.07, gap: float = 3,
) -> Garment:  # fmt: skip
    """A folded collar: up along the neck, over, and down to two points in front."""
    loop = neck_loop(tailor, garment)
    loop = loop[int(gap) : len(loop) - int(gap)]
    count = len(loop)
    neck, head = tailor.figure.joint("neck"), tailor.figure.joint("head")
    axis = (head - neck) / np.linalg.norm(head - neck)
    out = loop - neck
    out -= (out @ axis)[:, None] * axis
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    s = np.abs(np.linspace(-1, 1, count))[:, None]  # 1 at both ends in front, 0 at the back
    tips = np.clip((s - 0.72) / 0.28, 0, 1) ** 2
    rows = []
    for t in np.linspace(0, 1, 4):
        rows.append(loop + stand * t * (1 - 0.35 * tips) * axis + 0.003 * t * out)
    top = rows[-1]
    for t in np.linspace(0.12, 1, 6):
        drop = (fall + (point - fall) * tips) * t
        spread = 0.006 + 0.020 * t * (1 - 0.2 * tips)
        side = np.sign(loop[:, :1]) * np.array([1.0, 0, 0]) * 0.022 * tips * t
        rows.append(top + 0.003 * axis * (1 - t) - drop * axis + spread * out + side)
    sheet = lofted(np.stack(rows))
    places = sheet.vertices.copy()
    below = cKDTree(garment.vertices)
    normals = vertex_normals(garment.vertices, garment.faces)
    for _ in range(2):  # lie on the shirt, not in it
        near = below.query(places)[1]
        depth = ((places - garment.vertices[near]) * normals[near]).sum(1)
        fix = np.clip(0.005 - depth, 0, 0.03) * (np.arange(len(places)) >= 4 * count)
        places = places + fix[:, None] * normals[near]
    return Garment(vertices=places, faces=sheet.faces, flat=sheet.flat, rest=sheet.rest)


def neck_band(tailor: Tailor, garment: Garment, *, height: float, lean: float) -> Garment:
    """A knitted band that stands up from the neck opening; `lean` is inward, metres."""
    loop = neck_loop(tailor, garment)
    neck, head = tailor.figure.joint("neck"), tailor.figure.joint("head")
    axis = (head - neck) / np.linalg.norm(head - neck)
    out = loop - neck
    out -= (out @ axis)[:, None] * axis
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    rows = []
    for t in np.linspace(-0.25, 1, 6):
        swell = 0.0035 * np.sin(np.pi * np.clip(t, 0, 1))
        rows.append(loop + height * t * axis + (0.003 + swell - lean * max(t, 0)) * out)
    sheet = lofted(np.stack(rows), closed=True)
    return sheet


def hood_field(tailor: Tailor, loop: np.ndarray) -> np.ndarray:  # [X, Y, Z]
    """A hood that lies on the back: a roll round the neck, thick behind."""
    count = len(loop)
    back = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(count) / count)  # 0 in front, 1 behind
    middle = loop.mean(0)
    out = loop - middle
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    path = loop + 0.012 * out + np.array([0, 1.0, 0]) * (0.006 + 0.020 * back[:, None])
    path += np.array([0, 0, -1.0]) * (0.03 * back[:, None] ** 2)
    radii = 0.010 + 0.025 * back**0.7
    keep = slice(1, count - 1)
    field = tube(tailor.places(), path[keep][::3], radii[keep][::3])
    fold = loop[count // 2] + np.array([0, -0.055, -0.045])
    sack = np.linalg.norm((tailor.places() - fold) / [0.125, 0.085, 0.035], axis=-1) - 1
    return np.minimum(field, sack * 0.035)


def on_front(
    garment: Garment, spots: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # [N, 3], [N, 3]
    """Points on the front of a garment above (x, y) spots [N, 2], and its normals there."""
    normals = vertex_normals(garment.vertices, garment.faces)
    front = np.flatnonzero(normals[:, 2] > 0.2)
    distance, near = cKDTree(garment.vertices[front][:, :2]).query(spots, k=4)
    share = 1 / (distance + 1e-4)
    share /= share.sum(1, keepdims=True)
    place = (garment.vertices[front][near] * share[..., None]).sum(1)
    normal = (normals[front][near] * share[..., None]).sum(1)
    place[:, :2] = spots
    return place, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def buttons(
    places: np.ndarray,  # [N, 3]
    normals: np.ndarray,  # [N, 3]
    material: Material,
    radius: float = 0.0058,  # metres
    name: str = "buttons",
) -> Piece:
    """Round buttons with a raised rim."""
    turn = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    profile = [(0.0, 0.0022), (0.55, 0.0020), (0.72, 0.0030), (0.95, 0.0028), (1.0, 0.0)]
    vertices, faces = [], []
    for place, n in zip(places, normals, strict=True):
        u = np.cross([0, 1.0, 0], n)
        u /= np.linalg.norm(u)
        v = np.cross(n, u)
        rings = [
            place
            + r * radius * (np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * v)
            + (h + 0.002) * n
            for r, h in profile
        ]
        sheet = lofted(np.stack(rings), closed=True)
        faces.append(sheet.faces + sum(len(x) for x in vertices))
        vertices.append(sheet.vertices)
    return Piece(
        name=name,
        vertices=np.concatenate(vertices),
        faces=np.concatenate(faces),
        material=material,
    )


def cord(path: np.ndarray, radius: float, material: Material, name: str = "cord") -> Piece:
    """A round cord along a path [K, 3]."""
    turn = np.linspace(0, 2 * np.pi, 9)
    way = np.gradient(path, axis=0)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    u = np.cross(way, [0.3, 0.1, 0.95])
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(way, u)
    size = np.full((len(path), 1), radius)
    size[[0, -1]] = radius * 0.5
    rings = path[:, None] + size[:, None] * (
        np.cos(turn)[None, :, None] * u[:, None] + np.sin(turn)[None, :, None] * v[:, None]
    )
    sheet = lofted(rings)
    return Piece(name=name, vertices=sheet.vertices, faces=sheet.faces[:, ::-1], material=material)


def ball(place: np.ndarray, radius: float, material: Material, name: str = "bead") -> Piece:
    """A small sphere."""
    high, turn = np.meshgrid(np.linspace(0.02, np.pi - 0.02, 9), np.linspace(0, 2 * np.pi, 15))
    way = np.stack([np.sin(high) * np.cos(turn), np.cos(high), np.sin(high) * np.sin(turn)], -1)
    sheet = lofted(place + radius * way)
    return Piece(
        name=name,
        vertices=sheet.vertices,
        faces=sheet.faces,
        normals=way.reshape(-1, 3),
        material=material,
    )
