"""Hairstyles, brows and lashes: where hair grows on a head and which way it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.keypoints import EARS
from svad.face.landmarks import (
    BROWS,
    LEFT_BROW,
    LEFT_UPPER_LID,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_UPPER_LID,
    Ibug,
)
from svad.geometry.similarity import fit_rotation
from svad.geometry.surface import vertex_normals
from tools.examples.figure import Figure
from tools.examples.noise import cloud, noise, smoothstep
from tools.examples.strands import Hair, clumped, curled, strokes
from tools.examples.volume import Grid, closed, empty_grid, measure, sample


@dataclass(frozen=True, kw_only=True)
class Style:
    """A haircut; metres."""

    strands: int = 9000
    steps: int = 20
    length: Callable[[np.ndarray, np.ndarray], np.ndarray]  # (around degrees, up 0..1) -> metres
    comb: Callable[[np.ndarray], np.ndarray]  # head coordinates [P, 3] -> direction [P, 3]
    lift: float = 0.012  # how far hair stands off the head
    root_out: float = 0.6  # 0 lies flat, 1 stands up
    stiff: float = 0.75  # 0..1, how much of its direction a strand keeps per step
    weight: float = 0.0  # pull downward per step
    hug: float = 0.0  # how strongly it is drawn back to the head
    stray: float = 0.12
    clump: int = 14
    clump_strength: float = 0.5
    curl: float = 0.0  # radius
    curl_length: float = 0.03
    width: float = 0.0011
    hairline: float = 0.0  # metres the front hairline is moved up
    behind_ears: bool = False


class Head:
    """Head coordinates: x to its left, y up, z forward, origin between the ears, as at rest."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        ids = figure.lists["head"]
        skull = figure.rest[:, 1] > figure.rest_landmarks[Ibug.NOSE_BRIDGE, 1]
        fixed = ids[skull[ids]]
        a, b = figure.rest[fixed], figure.vertices[fixed]
        self.turn = fit_rotation(a, b)  # rest to posed
        ears = figure.rest[figure.lists["keypoints"][EARS]]
        self.origin = np.array([0, ears[:, 1].mean() + 0.012, ears[:, 2].mean() + 0.005])
        self.shift = b.mean(0) - self.turn @ (a.mean(0) - self.origin)
        self.rest = figure.rest - self.origin  # [V, 3] head coordinates of the resting body
        self.marks = figure.rest_landmarks - self.origin
        self.scalp_faces = figure.faces[np.isin(figure.faces, ids).all(1)]
        eyes = np.concatenate([figure.lists["left_eye"], figure.lists["right_eye"]])
        self.scalp_faces = self.scalp_faces[~np.isin(self.scalp_faces, eyes).any(1)]

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Head coordinates to the posed head."""
        return points @ self.turn.T + self.shift

    def to_head(self, points: np.ndarray) -> np.ndarray:
        """The posed head to head coordinates."""
        return (points - self.shift) @ self.turn

    def field(self, step: float = 0.006) -> Grid:
        """Signed distance of head, neck and shoulders, in the world."""
        figure = self.figure
        near = np.linalg.norm(figure.vertices - self.shift, axis=1) < 0.42
        near[np.concatenate([figure.lists["left_eye"], figure.lists["right_eye"]])] = False
        near[figure.lists["cavity"]] = False
        points = figure.vertices[near]
        normals = vertex_normals(figure.vertices, figure.faces)[near]
        grid = empty_grid(points.min(0) - 0.05, points.max(0) + 0.06, step)
        return closed(measure(grid, points, normals, 0.05), 0.012)


def around(points: np.ndarray) -> np.ndarray:  # [P] degrees
    """0 in front, 90 at the ears, 180 behind."""
    return np.degrees(np.abs(np.arctan2(points[:, 0], points[:, 2])))


def growth(head: Head, style: Style) -> np.ndarray:  # [V] 0..1
    """How densely hair grows: above a line from the forehead round the ears to the nape."""
    marks, rest = head.marks, head.rest
    brow = marks[BROWS, 1].mean() + style.hairline
    at = around(rest)
    line = np.interp(
        at,
        [0, 25, 45, 58, 66, 78, 88, 116, 140, 180],
        [
            *(brow + 0.052, brow + 0.051, brow + 0.036, brow + 0.012, 0.004),
            *(-0.002, 0.030, 0.030, -0.046, -0.060),
        ],
    )
    line = line + 0.004 * noise(rest, 0.012, 3)
    # behind the ears the neck's sides are bare
    line += 0.06 * smoothstep(0.045, 0.065, np.abs(rest[:, 0])) * (at > 100) * (rest[:, 1] < 0)
    ear = np.abs(rest[:, 0]) > np.abs(marks[Ibug.RIGHT_EAR, 0]) + 0.004
    ear &= (np.abs(rest[:, 1] - 0.0) < 0.045) & (np.abs(rest[:, 2]) < 0.035)
    ids = np.zeros(len(rest), bool)
    ids[head.figure.lists["head"]] = True
    ids |= (at > 120) & (rest[:, 1] > -0.10) & (np.abs(rest[:, 0]) < 0.09)
    return smoothstep(-0.006, 0.007, rest[:, 1] - line) * ids * ~ear


def beard(head: Head) -> np.ndarray:  # [V] 0..1
    """How densely a beard grows: on the upper lip, the chin and along the jaw."""
    marks, rest = head.marks, head.rest
    lips = rest[:, :2] - marks[OUTER_LIPS, :2].mean(0)
    reach = np.ptp(marks[OUTER_LIPS, :2], axis=0) / 2 + 0.001
    low = smoothstep(marks[Ibug.NOSE_BASE, 1] + 0.002, marks[Ibug.NOSE_BASE, 1] - 0.005, rest[:, 1])
    cheek = marks[Ibug.MOUTH_RIGHT, 1] + 0.35 * np.abs(rest[:, 0])
    low *= smoothstep(cheek + 0.012, cheek - 0.006, rest[:, 1])
    low *= smoothstep(marks[Ibug.CHIN, 1] - 0.030, marks[Ibug.CHIN, 1] - 0.008, rest[:, 1])
    low *= smoothstep(0.0, 0.02, rest[:, 2])
    ids = np.zeros(len(rest), bool)
    ids[head.figure.lists["head"]] = True
    ids[head.figure.lists["cavity"]] = False
    return low * ids * (np.linalg.norm(lips / reach, axis=1) > 1)


def grow(
    head: Head,
    style: Style,
    field: Grid,
    rng: np.random.Generator,
    density: np.ndarray | None = None,  # [V] 0..1; default: the style's on the scalp
) -> Hair:
    """Lets every strand follow the comb from its root, above the skin."""
    figure = head.figure
    density = growth(head, style) if density is None else density
    faces = head.scalp_faces
    extra = figure.faces[(density[figure.faces] > 0).all(1)]
    faces = np.unique(np.concatenate([faces, extra]), axis=0)
    corners = figure.vertices[faces]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    area *= density[faces].mean(1)
    chosen = rng.choice(len(faces), style.strands, p=area / area.sum())
    share = rng.dirichlet([1, 1, 1], style.strands)
    roots = np.einsum("sk,skc->sc", share, corners[chosen])
    local = np.einsum("sk,skc->sc", share, head.rest[faces[chosen]])
    normals = vertex_normals(figure.vertices, figure.faces)[faces[chosen]].mean(1)
    up = np.clip((local[:, 1] - head.marks[Ibug.RIGHT_BROW_MIDDLE, 1]) / 0.10, 0, 1)
    length = style.length(around(local), up) * rng.uniform(0.82, 1.08, style.strands)
    edge = np.einsum("sk,sk->s", share, density[faces[chosen]])
    length *= 0.45 + 0.55 * smoothstep(0.2, 0.98, edge)
    paths = _follow(head, style, field, roots, normals, length, rng)
    paths, clump = clumped(paths, style.clump, style.clump_strength, rng)
    if style.curl:
        paths = curled(paths, clump, style.curl, style.curl_length, rng)
        paths = pushed_out(paths, field, 0.003)
    outward = paths - head.to_world(np.array([[0, 0.03, 0.0]]))
    outward /= np.linalg.norm(outward, axis=2, keepdims=True)
    tone = rng.normal(0, 0.16, clump.max() + 1)[clump] + rng.normal(0, 0.10, style.strands)
    tone += 0.25 * cloud(roots, 0.03, 2, 17)
    width = style.width * rng.uniform(0.7, 1.25, style.strands)
    return Hair(paths, outward, width, 1 + tone)


def _follow(head, style, field, roots, normals, length, rng) -> np.ndarray:  # [S, K, 3]
    """Marches all strands at once."""
    count = len(roots)
    comb = style.comb(head.to_head(roots)) @ head.turn.T
    way = style.root_out * normals + (1 - style.root_out) * comb
    way += rng.normal(0, style.stray, way.shape)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    layer = style.lift * rng.uniform(0.15, 1.0, count)
    wild = rng.normal(0, style.stray, (count, 3))
    place, paths = roots.copy(), [roots]
    step = length / (style.steps - 1)
    for k in range(1, style.steps):
        s = k / (style.steps - 1)
        target = style.comb(head.to_head(place)) @ head.turn.T + 0.6 * wild
        target[:, 1] -= style.weight * s * 2
        target /= np.maximum(np.linalg.norm(target, axis=1, keepdims=True), 1e-9)
        if style.hug:
            away, slope = apart(place, field)
            target -= style.hug * smoothstep(0.6, 2.5, away / layer)[:, None] * slope
        way = style.stiff * way + (1 - style.stiff) * target
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        new = place + step[:, None] * way
        new = pushed_out(new[:, None], field, np.minimum(layer, 0.001 + s * 0.03)[:, None])[:, 0]
        way = new - place
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
        place = place + step[:, None] * way
        paths.append(place)
    return np.stack(paths, 1)


def apart(points: np.ndarray, field: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Distance [P] from the skin and its direction [P, 3]."""
    out = np.empty((len(points), 4))
    sample(field.values, field.origin, field.step, np.ascontiguousarray(points), out)
    slope = out[:, 1:] / np.maximum(np.linalg.norm(out[:, 1:], axis=1, keepdims=True), 1e-6)
    return out[:, 0], slope


def pushed_out(
    paths: np.ndarray,  # [S, K, 3]
    field: Grid,
    least: float | np.ndarray,  # metres, or [S, K]
) -> np.ndarray:
    """Moves points that are too near the skin away from it."""
    flat = paths.reshape(-1, 3)
    away, slope = apart(flat, field)
    missing = np.broadcast_to(least, paths.shape[:2]).reshape(-1) - away
    return (flat + np.clip(missing, 0, 0.03)[:, None] * slope).reshape(paths.shape)


def brows(head: Head, rng: np.random.Generator, *, count: int = 300, thick: float = 1.0) -> Hair:
    """Both eyebrows: short strokes that fan from upright inside to level outside."""
    figure = head.figure
    skin = cKDTree(figure.vertices[figure.lists["head"]])
    normals = vertex_normals(figure.vertices, figure.faces)[figure.lists["head"]]
    roots, ways, bends, sizes, outs = [], [], [], [], []
    arches = figure.landmarks[RIGHT_BROW][::-1], figure.landmarks[LEFT_BROW]
    for curve in arches:  # inside to outside
        t = rng.beta(1.15, 1.25, count)
        knots = np.linspace(0, 1, 5)
        place = np.stack([np.interp(t, knots, curve[:, k]) for k in range(3)], 1)
        along = np.stack([np.interp(t + 0.05, knots, curve[:, k]) for k in range(3)], 1) - place
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        up = head.turn @ np.array([0, 1.0, 0])
        height = thick * np.interp(t, [0, 0.12, 0.55, 1], [0.0026, 0.0034, 0.0029, 0.0009])
        place = place + (height * rng.uniform(-1, 1, count))[:, None] * up + 0.002 * up
        distance, near = skin.query(place, k=4)
        share = 1 / (distance + 1e-4)
        share /= share.sum(1, keepdims=True)
        normal = (normals[near] * share[..., None]).sum(1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        surface = (figure.vertices[figure.lists["head"]][near] * share[..., None]).sum(1)
        place = place + ((surface - place) * normal).sum(1, keepdims=True) * normal
        rise = np.interp(t, [0, 0.25, 0.6, 1], [1.0, 0.45, 0.1, -0.15])
        way = along + rise[:, None] * up + 0.2 * normal
        way += rng.normal(0, 0.12, way.shape)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        roots.append(place + 0.0009 * normal)
        ways.append(way)
        bends.append(-0.5 * rise[:, None] * up - 0.1 * normal + 0.25 * along)
        sizes.append(
            0.0068 * rng.uniform(0.7, 1.1, count) * np.interp(t, [0, 0.5, 1], [0.8, 1, 0.8])
        )
        outs.append(normal)
    places, along, turns, size, out = map(np.concatenate, (roots, ways, bends, sizes, outs))
    return strokes(places, along, turns, size, out, 0.00042, rng)


def lashes(head: Head, rng: np.random.Generator, *, length: float = 0.007) -> Hair:
    """Upper lashes along both lids."""
    figure = head.figure
    roots, ways, bends, outs = [], [], [], []
    forward = head.turn @ np.array([0, 0, 1.0])
    up = head.turn @ np.array([0, 1.0, 0])
    for ids in (RIGHT_UPPER_LID[::-1], LEFT_UPPER_LID):  # inner corner to outer corner
        curve = figure.landmarks[list(ids)]
        outer = (curve[-1] - curve[0]) / np.linalg.norm(curve[-1] - curve[0])
        t = np.linspace(0.12, 1.0, 34) + rng.normal(0, 0.01, 34)
        knots = np.linspace(0, 1, 4)
        place = np.stack([np.interp(t, knots, curve[:, k]) for k in range(3)], 1)
        way = forward + (1.3 * (t - 0.35))[:, None] * outer - 0.05 * up
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        roots.append(place + 0.0012 * forward)
        ways.append(way)
        bends.append(np.tile(1.5 * up - 0.3 * forward, (len(t), 1)))
        outs.append(np.tile(forward, (len(t), 1)))
    sizes = length * rng.uniform(0.8, 1.1, len(np.concatenate(roots)))
    places, along, turns, out = map(np.concatenate, (roots, ways, bends, outs))
    return strokes(places, along, turns, sizes, out, 0.0006, rng)


def joined(first: Hair, second: Hair) -> Hair:
    """Two groups of strands with the same number of steps as one."""
    return replace(
        first,
        **{
            name: np.concatenate([getattr(first, name), getattr(second, name)])
            for name in ("paths", "outward", "width", "shade")
        },
    )
