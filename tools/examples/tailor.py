"""Measures a figure, cuts cloth from distance fields round it and lets it drape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.skeleton import JOINTS
from svad.geometry.surface import vertex_normals
from tools.examples.cloth import Fabric, border, drape, edges_of
from tools.examples.figure import Figure, subdivide
from tools.examples.noise import cloud
from tools.examples.volume import (
    BAND,
    Grid,
    cut,
    empty_grid,
    largest_part,
    measure,
    sample,
    surface,
    tube,
)

STEP = 0.009  # metres, of the grid cloth is cut from
ARM = (
    *("shoulder", "elbow", "wrist"),
    *(
        f"{finger}{i}"
        for finger in ("index", "middle", "pinky", "ring", "thumb")
        for i in (1, 2, 3)
    ),
)
LEG = ("hip", "knee", "ankle", "foot")


def both(names: tuple[str, ...]) -> tuple[str, ...]:
    """Joint names of both sides."""
    return tuple(f"{side}_{name}" for side in ("left", "right") for name in names)


@dataclass(frozen=True, kw_only=True)
class Garment:
    """A piece of cloth on the figure."""

    vertices: np.ndarray  # [V, 3]
    faces: np.ndarray  # [F, 3]
    flat: np.ndarray  # [V, 3] u, v on the cloth in metres, and which panel (0 trunk, 1 limbs)
    rest: np.ndarray  # [V, 3] place on the body in the zero pose


class Tailor:
    """Knows one figure's measures."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        body = np.setdiff1d(
            np.arange(len(figure.vertices)),
            np.concatenate([figure.lists[n] for n in ("left_eye", "right_eye", "cavity")]),
        )
        normals = vertex_normals(figure.vertices, figure.faces)
        self.points, self.normals = figure.vertices[body], normals[body]
        self.rest, self.weights = figure.rest[body], figure.weights[body]
        self.arm = figure.weight(*both(ARM))[body]
        self.leg = figure.weight(*both(LEG))[body]
        self.tree = cKDTree(self.points)
        top = figure.joint("head")[1] + 0.06
        low, high = figure.vertices.min(0) - 0.12, figure.vertices.max(0) + 0.12
        low[1], high[1] = low[1] + 0.10, top
        grid = empty_grid(low, high, STEP)
        self.body = self._measured(grid, np.ones(len(body), bool))
        floor = np.broadcast_to(self.places()[..., 1], self.body.values.shape)
        self.body = self.body.with_values(np.minimum(self.body.values, floor))
        self.trunk = self._measured(grid, self.arm < 0.5)

    def _measured(self, grid: Grid, chosen: np.ndarray) -> Grid:
        """Signed distance of part of the body, from vertices and the middles of triangles."""
        points, normals = self.points[chosen], self.normals[chosen]
        near = cKDTree(points).query(points, k=4)[1][:, 1:]
        middle = (points[:, None] + points[near]) / 2  # denser samples: no bumps between vertices
        lean = normals[:, None] + normals[near]
        lean /= np.maximum(np.linalg.norm(lean, axis=-1, keepdims=True), 1e-9)
        return measure(
            grid,
            np.concatenate([points, middle.reshape(-1, 3)]),
            np.concatenate([normals, lean.reshape(-1, 3)]),
        )

    def add(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        """Counts something solid (shoes) as part of the body that clothes fall on."""
        more = measure(self.body, vertices, vertex_normals(vertices, faces))
        self.body = self.body.with_values(np.minimum(self.body.values, more.values))

    def places(self) -> np.ndarray:  # [X, Y, Z, 3]
        """Where the grid's values are."""
        return self.body.points()

    def limb(
        self,
        names: tuple[str, ...],  # joints along the limb
        radii: tuple[float, ...],  # metres, one per joint
        beyond: float = 0.0,  # metres past the last joint
    ) -> np.ndarray:  # [X, Y, Z]
        """Distance to a tube round a limb."""
        path = np.stack([self.figure.joint(n) for n in names])
        if beyond:
            way = path[-1] - path[-2]
            path[-1] = path[-1] + beyond * way / np.linalg.norm(way)
        return tube(self.places(), path, np.asarray(radii))

    def girth(self, a: str, b: str, t: float) -> float:
        """Mean distance of the skin from the bone a-b at the share t of its length."""
        start, end = self.figure.joint(a), self.figure.joint(b)
        along = end - start
        s = ((self.points - start) @ along) / (along @ along)
        apart = np.linalg.norm(self.points - start - s[:, None] * along, axis=1)
        near = (np.abs(s - t) < 0.06) & (self.weights[:, JOINTS.index(a)] > 0.4)
        return float(np.median(apart[near]))

    def on_body(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rest place [P, 3], arm share [P] and leg share [P] of the nearest skin."""
        distance, near = self.tree.query(points, k=6)
        share = 1 / (distance**2 + 1e-5)
        share /= share.sum(1, keepdims=True)
        rest = (self.rest[near] * share[..., None]).sum(1)
        return rest, (self.arm[near] * share).sum(1), (self.leg[near] * share).sum(1)

    def cut(
        self,
        field: np.ndarray,  # [X, Y, Z] negative inside the wanted shape
        keeps: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], list[np.ndarray]],
        chart: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    ) -> Garment:
        """The surface of a field, trimmed where `keeps` (points, rest, arm, leg) turn negative.

        `chart` gives the cloth coordinates from the same arguments.
        """
        vertices, faces = surface(self.body.with_values(field))
        vertices = relaxed(vertices, faces, 3)
        rest, arm, leg = self.on_body(vertices)
        rest = smoothed(rest, faces, 4)
        table = np.concatenate([rest, arm[:, None], leg[:, None]], 1)
        number = len(keeps(vertices, rest, arm, leg))
        for which in range(number):
            keep = keeps(vertices, table[:, :3], table[:, 3], table[:, 4])[which]
            vertices, faces, (table,) = cut(vertices, faces, keep, (table,))
            vertices = even_border(vertices, faces)
        vertices, faces, (table,) = largest_part(vertices, faces, (table,))
        flat = chart(vertices, table[:, :3], table[:, 3], table[:, 4])
        return Garment(vertices=vertices, faces=faces, flat=flat, rest=table[:, :3])

    def drape(
        self,
        garment: Garment,
        fabric: Fabric,
        *,
        on: Grid | None = None,
        slack: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,  # middle, direction
        held: np.ndarray | None = None,  # [V]
        seconds: float = 1.0,
        ruffle: float = 0.004,  # metres of noise that decides where folds begin
        seed: int = 0,
    ) -> Garment:
        """The garment after falling on the body."""
        edges = edges_of(garment.faces)
        a, b = garment.vertices[edges[:, 0]], garment.vertices[edges[:, 1]]
        way = (b - a) / np.maximum(np.linalg.norm(b - a, axis=1, keepdims=True), 1e-9)
        stretch = np.ones(len(edges)) if slack is None else slack((a + b) / 2, way)
        normals = vertex_normals(garment.vertices, garment.faces)
        shift = ruffle * cloud(garment.vertices, 0.07, 2, seed)
        start = garment.vertices + normals * shift[:, None]
        settled = drape(
            start,
            garment.faces,
            on or self.body,
            fabric,
            slack=stretch,
            held=held,
            seconds=seconds,
        )
        return replace(garment, vertices=settled)

    def covered(self, garment: Garment, thickness: float = 0.003) -> Grid:
        """The body with a garment on it, for the next layer."""
        normals = vertex_normals(garment.vertices, garment.faces)
        layer = measure(self.body, garment.vertices + thickness * normals, normals, 0.03)
        near = np.abs(layer.values) < 0.03 * 0.99
        # an open sheet has no inside: only what lies close to it counts
        return self.body.with_values(
            np.where(near, np.minimum(self.body.values, layer.values), self.body.values)
        )

    def distance(self, points: np.ndarray) -> np.ndarray:  # [P]
        """Signed distance of points to the skin."""
        out = np.empty((len(points), 4))
        sample(
            self.body.values, self.body.origin, self.body.step, np.ascontiguousarray(points), out
        )
        return np.where(out[:, 0] >= 1.0, BAND, out[:, 0])


def smoothed(values: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:  # [V, C]
    """Every vertex value moved to the mean of its neighbours; borders keep theirs."""
    edges = edges_of(faces)
    fixed = np.zeros(len(values), bool)
    fixed[border(faces).ravel()] = True
    degree = np.bincount(edges.ravel(), minlength=len(values))[:, None]
    for _ in range(rounds):
        total = np.zeros_like(values)
        np.add.at(total, edges[:, 0], values[edges[:, 1]])
        np.add.at(total, edges[:, 1], values[edges[:, 0]])
        mean = total / np.maximum(degree, 1)
        values = np.where(fixed[:, None], values, 0.5 * values + 0.5 * mean)
    return values


def even_border(vertices: np.ndarray, faces: np.ndarray, rounds: int = 6) -> np.ndarray:  # [V, 3]
    """Irons the open edges: every border vertex moves to the mean of its two border neighbours."""
    rim = border(faces)
    degree = np.bincount(rim.ravel(), minlength=len(vertices))
    plain = degree == 2
    for _ in range(rounds):
        total = np.zeros_like(vertices)
        np.add.at(total, rim[:, 0], vertices[rim[:, 1]])
        np.add.at(total, rim[:, 1], vertices[rim[:, 0]])
        vertices = np.where(plain[:, None], 0.4 * vertices + 0.3 * total, vertices)
    return vertices


def relaxed(vertices: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:  # [V, 3]
    """Evens out triangle sizes: smoothing along the surface only."""
    for _ in range(rounds):
        normals = vertex_normals(vertices, faces)
        move = smoothed(vertices, faces, 1) - vertices
        vertices = vertices + move - 0.85 * (move * normals).sum(1, keepdims=True) * normals
    return vertices


def finished(
    garment: Garment,
    *,
    thickness: float = 0.0022,  # metres
    levels: int = 1,  # subdivisions
    puff: Callable[[Garment], np.ndarray] | None = None,  # [V] metres added outward
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Render mesh of a garment: vertices, faces, rest [V, 3] and extra [V, 4].

    extra: u, v, panel, distance from the nearest open edge (metres). Open edges get a folded rim.
    """
    vertices, faces = garment.vertices, garment.faces
    data = np.concatenate([garment.flat, garment.rest], 1)
    for _ in range(levels):
        vertices, faces, (data,) = subdivide(vertices, faces, (data,))
    if puff is not None:
        now = Garment(vertices=vertices, faces=faces, flat=data[:, :3], rest=data[:, 3:])
        vertices = vertices + puff(now)[:, None] * vertex_normals(vertices, faces)
    rim = border(faces)
    edge = np.zeros(len(vertices))
    if len(rim):
        edge = cKDTree(vertices[np.unique(rim)]).query(vertices)[0]
    normals = vertex_normals(vertices, faces)
    count = len(vertices)
    # thickest at the rim, where it is seen; thin elsewhere so as not to sink into the skin
    depth = thickness * (0.4 + 0.6 * np.exp(-edge / 0.012))
    inner = vertices - depth[:, None] * normals
    a, b = rim[:, 0], rim[:, 1]
    near = edge[faces].min(1) < 0.05  # the inside is drawn only where one can look in
    walls = np.concatenate([np.stack([b, a, a + count], 1), np.stack([b, a + count, b + count], 1)])
    faces = np.concatenate([faces, faces[near][:, ::-1] + count, walls])
    vertices = np.concatenate([vertices, inner])
    extra = np.concatenate([data[:, :3], edge[:, None]], 1)
    return (
        vertices,
        faces,
        np.concatenate([data[:, 3:]] * 2),
        np.concatenate([extra, extra]),
    )
