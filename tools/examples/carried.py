"""What is worn over an outfit: a scarf round the head, a bag on a strap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import ConvexHull, cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.face.landmarks import BROWS, CONTOUR, Ibug
from svad.geometry.surface import vertex_normals
from tools.examples.dressing import hip_middle
from tools.examples.figure import Figure
from tools.examples.hair import Head
from tools.examples.noise import cloud, smoothstep
from tools.examples.picture import Material, Piece
from tools.examples.tailor import Garment, even_border, relaxed
from tools.examples.trims import lofted, piece
from tools.examples.volume import Grid, closed, cut, largest_part, merged, surface, tube

OVER = 0.009  # metres, of the scarf over skin and hair
LAYER = 0.020  # metres more where a shirt lies under it
# folds run down and forward from the crown: long that way, short across
FOLDS = np.array([[1.0, 0, 0], [0, 1.3, 1.0], [0, 1.0, 0.4]])
BAND = 0.036  # metres, width of the bag's strap
BAG = np.array([0.050, 0.105, 0.145])  # metres, half its width, height and length
CORNER = 0.35  # exponent of a superquadric: 1 = an ellipsoid, 0 = a box


def headscarf(
    figure: Figure,
    material: Material,
    step: float = 0.006,  # metres, of the grid it is cut from
) -> list[Piece]:
    """A scarf that leaves the face free, closed under the chin, over the shoulders."""
    head = Head(figure)
    field = closed(head.field(step), 0.022)
    vertices, faces = surface(field.with_values(_wrapped(head, field)))
    vertices = relaxed(vertices, faces, 6)
    for keep in (_below_face, _above_chest):
        vertices, faces, _ = cut(vertices, faces, keep(head, vertices))
        vertices = even_border(vertices, faces)
    vertices, faces, _ = largest_part(vertices, faces)
    folds = cloud(vertices @ FOLDS, 0.05, 2, 23)
    vertices = vertices + 0.007 * folds[:, None] * vertex_normals(vertices, faces)
    near = cKDTree(figure.vertices).query(vertices)[1]
    rest = figure.rest[near] + vertices - figure.vertices[near]
    turn = np.arctan2(vertices[:, 0], vertices[:, 2] - head.shift[2])
    flat = np.stack([0.1 * turn, vertices[:, 1], 0 * turn], 1)
    scarf = Garment(vertices=vertices, faces=faces, flat=flat, rest=rest)
    return [piece("scarf", scarf, material, thickness=0.003, levels=1)]


def _wrapped(head: Head, field: Grid) -> np.ndarray:  # [X, Y, Z] negative inside
    """Over head and neck, hair tied up behind, a roll of cloth that lies round the neck."""
    places, neck = field.points(), head.figure.joint("neck")
    knot = np.linalg.norm(places - head.to_world(np.array([[0, 0.035, -0.105]])), axis=-1) - 0.052
    turn = np.linspace(0, 2 * np.pi, 33)
    ring = [0.082 * np.sin(turn), 0.035 - 0.030 * np.cos(turn), 0.078 * np.cos(turn) + 0.012]
    roll = tube(places, neck + np.stack(ring, 1), 0.024 + 0.008 * np.cos(turn))
    over = OVER + LAYER * smoothstep(neck[1] + 0.05, neck[1] - 0.03, places[..., 1])
    return merged(merged(field.values - over, knot, 0.05), roll, 0.03)


def _below_face(head: Head, points: np.ndarray) -> np.ndarray:  # [P] negative on the face
    own, marks = head.to_head(points), head.marks
    low, high = marks[Ibug.CHIN, 1] - 0.004, marks[BROWS, 1].mean() + 0.046
    wide = np.abs(marks[CONTOUR, 0]).max() + 0.003
    x, y = own[:, 0] / wide, (own[:, 1] - (low + high) / 2) / ((high - low) / 2)
    return np.where(own[:, 2] > 0.0, wide * (np.sqrt(x**2 + y**2 + 1e-9) - 1), 0.05)


def _above_chest(head: Head, points: np.ndarray) -> np.ndarray:  # [P] negative below
    away = (points - head.figure.joint("neck")) / [0.19, 0.21, 0.17]
    below = np.linalg.norm(np.minimum(away, [9, 0, 9]), axis=1)
    level = np.linalg.norm(away[:, [0, 2]], axis=1)
    return np.where(away[:, 1] < 0.3, 0.14 * (1 - np.maximum(below, level)), 0.05)


def shoulder_bag(
    figure: Figure,
    over: Garment,  # the strap lies on it
    leather: Material,
    strap: Material,
) -> list[Piece]:
    """A bag at the left hip on a strap over the right shoulder, drawn tight as a hull."""
    hips, neck = hip_middle(figure), figure.joint("neck")
    level = over.vertices[np.abs(over.vertices[:, 1] - hips[1] - 0.03) < 0.02]
    trunk = level[np.abs(level[:, 0]) < 0.28]
    bag = np.array([trunk[:, 0].max() + BAG[0] - 0.006, hips[1] - 0.06, hips[2] + 0.01])
    top, bottom = neck + [-0.095, 0.0, 0.0], bag + [-0.5 * BAG[0], 0.75 * BAG[1], 0.0]
    down = (bottom - top) * [1, 1, 0]
    down /= np.linalg.norm(down)
    across = np.array([-down[1], down[0], 0.0])
    offset = over.vertices - top
    inside = (np.abs(offset @ across) < 0.012) & (offset @ down > -0.12)
    ends = bottom + np.array([[0, 0, -0.8 * BAG[2]], [0, 0, 0.8 * BAG[2]]])
    points = np.concatenate([over.vertices[inside], ends])
    plane = np.stack([(points - top) @ down, points[:, 2]], 1)
    hull = plane[ConvexHull(plane).vertices]
    loop = _even(hull, 120)
    middle = loop.mean(0)
    loop = loop + 0.005 * (loop - middle) / np.linalg.norm(loop - middle, axis=1, keepdims=True)
    path = top * [1, 1, 0] + loop[:, :1] * down + loop[:, 1:] * [0, 0, 1.0]
    rows = [path + step * across for step in np.linspace(-BAND / 2, BAND / 2, 4)]
    pieces = [
        piece("strap", lofted(np.stack(rows), closed=True), strap, thickness=0.003),
        _case("bag", bag, BAG, leather),
        _case("flap", bag + [0.002, 0.35 * BAG[1], 0], BAG * [1.05, 0.68, 1.02], leather),
    ]
    return [replace(one, trunk=True) for one in pieces]


def _even(polygon: np.ndarray, count: int) -> np.ndarray:  # [count, 2]
    """Evenly spaced points along a closed polygon, its corners rounded."""
    ring = np.concatenate([polygon, polygon[:1]])
    far = np.concatenate([[0], np.linalg.norm(np.diff(ring, axis=0), axis=1).cumsum()])
    at = np.linspace(0, far[-1], count, endpoint=False)
    out = np.stack([np.interp(at, far, ring[:, k]) for k in range(2)], 1)
    for _ in range(4):
        out = 0.5 * out + 0.25 * (np.roll(out, 1, 0) + np.roll(out, -1, 0))
    return out


def _case(name: str, place: np.ndarray, half: np.ndarray, material: Material) -> Piece:
    """A box with round edges."""
    high, turn = np.meshgrid(np.linspace(0.03, np.pi - 0.03, 40), np.linspace(0, 2 * np.pi, 64))

    def bent(x: np.ndarray) -> np.ndarray:
        return np.sign(x) * np.abs(x) ** CORNER

    way = np.stack(
        [bent(np.sin(high)) * bent(np.cos(turn)), bent(np.cos(high)),
         bent(np.sin(high)) * bent(np.sin(turn))], -1,
    )  # fmt: skip
    sheet = lofted(place + half * way)
    return piece(name, sheet, material, thickness=0.002, levels=0)
