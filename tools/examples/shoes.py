"""Shoes round the feet: a smooth upper with a collar, and a sole with a welt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from svad.geometry.surface import vertex_normals
from tools.examples.figure import Figure
from tools.examples.tailor import even_border, relaxed
from tools.examples.volume import closed, cut, empty_grid, largest_part, measure, merged, surface

STEP = 0.004  # metres


@dataclass(frozen=True, kw_only=True)
class Shoe:
    """Shape of a shoe; metres."""

    sole: float = 0.022  # thickness; also how far the foot is lifted
    collar: float = 0.075  # height of the opening above the floor at the heel
    rake: float = 0.25  # how much the opening rises towards the toes, metres per metre
    leather: float = 0.006  # thickness of the upper
    toe_room: float = 0.012


@dataclass(frozen=True)
class ShoeMesh:
    """One shoe; `flat` holds along (heel 0 to toe 1), across (-1..1) and the height in metres."""

    vertices: np.ndarray  # [V, 3]
    faces: np.ndarray  # [F, 3]
    flat: np.ndarray  # [V, 3]


def make_shoe(figure: Figure, side: str, shoe: Shoe) -> ShoeMesh:
    """A shoe on the floor y = 0; the figure must have been lifted by the sole."""
    chosen = figure.weight(f"{side}_ankle", f"{side}_foot") > 0.3
    chosen |= (figure.weight(f"{side}_knee") > 0.5) & (figure.vertices[:, 1] < shoe.collar + 0.1)
    points = figure.vertices[chosen]
    normals = vertex_normals(figure.vertices, figure.faces)[chosen]
    foot = points[points[:, 1] < shoe.sole + 0.09]
    heel, toe, across = _axes(foot, figure, side)
    along = (toe - heel) / np.linalg.norm(toe - heel)
    length = np.linalg.norm(toe - heel)
    low, high = points.min(0) - 0.05, points.max(0) + 0.05
    low[1] = -0.03
    low[[0, 2]] = foot.min(0)[[0, 2]] - 0.06
    high[[0, 2]] = foot.max(0)[[0, 2]] + 0.06
    high[1] = shoe.collar + shoe.rake * 0.15 + 0.06
    grid = empty_grid(low, high, STEP)
    skin = closed(measure(grid, points, normals, 0.06), 0.03)  # toes become one
    places = grid.points()
    t = (places - heel) @ along / length
    room = shoe.leather + shoe.toe_room * np.clip((t - 0.55) / 0.4, 0, 1) ** 2
    upper = ndimage.gaussian_filter(skin.values, 1.5) - room
    # the sole is what the foot covers seen from above, standing straight on the floor
    rows = places[0, :, 0, 1]
    used = (rows > shoe.sole) & (rows < shoe.sole + 0.035)
    print_below = ndimage.gaussian_filter(upper[:, used].min(1), 1.5) - 0.004
    wall = np.broadcast_to(print_below[:, None, :], upper.shape)
    top = shoe.sole + 0.004 + 0.006 * np.clip((t - 0.85) / 0.15, 0, 1)  # the toe is wrapped
    spring = 0.010 * np.clip((t - 0.72) / 0.28, 0, 1) ** 2  # toes lift off the floor
    height = np.abs(places[..., 1] - (top + spring) / 2) - (top - spring) / 2
    edge = 0.004
    sole = np.minimum(np.maximum(wall, height) + edge, 0) + np.hypot(
        np.maximum(wall + edge, 0), np.maximum(height + edge, 0)
    ) - edge  # fmt: skip
    upper = np.maximum(upper, shoe.sole * 0.5 - places[..., 1])
    field = np.minimum(upper, sole)
    vertices, faces = surface(grid.with_values(merged(upper, sole, 0.002) * 0.5 + field * 0.5))
    vertices = relaxed(vertices, faces, 2)
    s = (vertices - heel) @ along
    opening = shoe.collar + shoe.rake * (s - 0.06) - vertices[:, 1]
    vertices, faces, _ = cut(vertices, faces, opening)
    vertices, faces, _ = largest_part(vertices, faces)
    vertices = even_border(vertices, faces, 12)
    offset = vertices - heel
    flat = np.stack([offset @ along / length, offset @ across / 0.045, vertices[:, 1]], 1)
    return ShoeMesh(vertices, faces, flat)


def _axes(foot: np.ndarray, figure: Figure, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heel and toe on the floor, and the direction across."""
    along = figure.joint(f"{side}_foot") - figure.joint(f"{side}_ankle")
    along = np.array([along[0], 0, along[2]]) / np.hypot(along[0], along[2])
    across = np.cross([0, 1.0, 0], along)
    middle = foot.mean(0) * [1, 0, 1]
    s = (foot - middle) @ along
    return middle + s.min() * along, middle + s.max() * along, across
