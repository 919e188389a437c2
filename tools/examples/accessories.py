"""Small things that make an outfit: jewellery, a watch, glasses, socks."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.keypoints import EARS
from svad.face.landmarks import LEFT_EYE, RIGHT_EYE, Ibug
from svad.geometry.surface import vertex_normals
from tools.examples import fabrics
from tools.examples.figure import Figure
from tools.examples.picture import Material, Piece
from tools.examples.tailor import Garment, Tailor
from tools.examples.trims import ball, buttons, cord, lofted, neck_loop, on_front, patch, piece


def buttons_down(bodice: Garment, waist: float, material: Material) -> list[Piece]:
    """Three buttons below the neckline."""
    front = (np.abs(bodice.vertices[:, 0]) < 0.01) & (bodice.vertices[:, 2] > 0)
    top = bodice.vertices[front][:, 1].max()
    heights = np.linspace(top - 0.025, waist + 0.05, 4)
    place, normal = on_front(bodice, np.stack([0 * heights, heights], 1))
    return [buttons(place, normal, material, 0.0055)]


def jewellery(tailor: Tailor, material: Material) -> list[Piece]:
    """Ear rings."""
    figure = tailor.figure
    out = []
    for sign, ear in zip((-1, 1), figure.lists["keypoints"][EARS], strict=True):
        lobe = figure.vertices[ear] + np.array([0.004 * sign, -0.018, 0.008])
        turn = np.linspace(0, 2 * np.pi, 25)
        ring = np.stack([0.15 * np.sin(turn), np.cos(turn), np.sin(turn)], 1) * 0.012
        out.append(cord(lobe + ring - [0, 0.012, 0], 0.0012, material, "ring"))
    return out


def watch(tailor: Tailor) -> list[Piece]:
    """A wrist watch on the left arm."""
    figure = tailor.figure
    elbow, wrist = figure.joint("left_elbow"), figure.joint("left_wrist")
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    centre = wrist - 0.022 * along
    near = np.abs((figure.vertices - centre) @ along) < 0.008
    near &= np.linalg.norm(figure.vertices - centre, axis=1) < 0.06
    ring = figure.vertices[near]
    middle = ring.mean(0)
    u = np.cross(along, [0, 0, 1.0])
    u /= np.linalg.norm(u)
    v = np.cross(along, u)
    offset = ring - middle
    angle = np.arctan2(offset @ v, offset @ u)
    reach = np.hypot(offset @ u, offset @ v)
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    close = np.abs((angle[None] - turn[:, None] + np.pi) % (2 * np.pi) - np.pi)
    share = np.exp(-((close / 0.35) ** 2))
    radius = (share * reach).sum(1) / share.sum(1) + 0.0035
    way = np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * v
    rows = [
        middle + t * along + (radius - edge)[:, None] * way
        for t, edge in ((-0.010, 0.003), (-0.009, 0), (0.009, 0), (0.010, 0.003))
    ]
    band = lofted(np.stack(rows), closed=True)
    face = way[np.argmax(way @ np.array([0.75, 0.2, 0.65]))]
    spot = middle + float(radius.max()) * face * 0.92
    leather = fabrics.plain("3a2418", 0.5, 0.5)
    return [
        Piece(name="strap", vertices=band.vertices, faces=band.faces, material=leather),
        buttons(spot[None], face[None], fabrics.metal("c9cdd2"), 0.017, "watch"),
    ]


def necklace(tailor: Tailor, garment: Garment, material: Material) -> list[Piece]:
    """A row of pearls just above the neck opening."""
    loop = neck_loop(tailor, garment, 72)
    neck = tailor.figure.joint("neck")
    inward = neck - loop
    inward[:, 1] = 0
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    skin = cKDTree(tailor.points)
    out = []
    for spot in loop + 0.010 * inward + [0, 0.012, 0]:
        distance, near = skin.query(spot)
        normal = tailor.normals[near]
        depth = (spot - tailor.points[near]) @ normal
        out.append(ball(spot + (0.003 - depth) * normal, 0.0046, material))
    return out


def glasses(figure: Figure, material: Material) -> list[Piece]:
    """Round rims, a bridge and temples."""
    marks = figure.landmarks
    right, left = marks[RIGHT_EYE].mean(0), marks[LEFT_EYE].mean(0)
    across = (left - right) / np.linalg.norm(left - right)
    nose = marks[Ibug.NOSE_MIDDLE]
    up = marks[Ibug.NOSE_BRIDGE] - marks[Ibug.NOSE_TIP]
    up -= (up @ across) * across
    up /= np.linalg.norm(up)
    ahead = np.cross(across, up)
    forward = float((nose - (left + right) / 2) @ ahead) + 0.002
    turn = np.linspace(0, 2 * np.pi, 41)
    out = []
    for sign, eye, ear in zip((-1, 1), (right, left), figure.lists["keypoints"][EARS], strict=True):
        centre = eye + forward * ahead - 0.004 * up + sign * 0.003 * across
        ring = centre + 0.0225 * np.cos(turn)[:, None] * across
        ring = ring + 0.0195 * np.sin(turn)[:, None] * up
        out.append(cord(ring, 0.0011, material, "rim"))
        hinge = centre + sign * 0.0225 * across + 0.006 * up
        end = figure.vertices[ear] + 0.012 * up + sign * 0.004 * across
        bow = hinge + sign * 0.007 * across - 0.008 * ahead
        out.append(cord(np.stack([hinge, bow, (bow + end) / 2, end]), 0.0011, material, "temple"))
    middle = (left + right) / 2 + (forward + 0.003) * ahead
    span = np.linspace(-1, 1, 9)
    bridge = middle + np.outer(span * 0.0105, across) + np.outer(0.003 * (1 - span**2), up)
    out.append(cord(bridge, 0.0011, material, "bridge"))
    return out


def socks(tailor: Tailor, height: float) -> list[Piece]:
    """Ribbed white socks up to a height above the floor."""
    figure = tailor.figure
    low = np.flatnonzero(figure.vertices[:, 1] < height + 0.06)
    faces = figure.faces[np.isin(figure.faces, low).all(1)]
    used, faces = np.unique(faces, return_inverse=True)
    normals = vertex_normals(figure.vertices, figure.faces)[used]
    points = figure.vertices[used]
    side = np.where(points[:, 0] > 0, 1.0, -1.0)
    ankle = np.where((side > 0)[:, None], figure.joint("left_ankle"), figure.joint("right_ankle"))
    turn = np.arctan2(points[:, 0] - ankle[:, 0], points[:, 2] - ankle[:, 2])
    shell = Garment(
        vertices=points + 0.0025 * normals,
        faces=faces.reshape(-1, 3),
        flat=np.stack([turn * 0.04, points[:, 1], side], 1),
        rest=figure.rest[used],
    )
    sock = patch(shell, lambda g: [height - g.vertices[:, 1]], 0.0, 1)
    look = fabrics.cloth("f0eee8", hem=0.0, rib=(0.05, 0.006), creases=0.0003, sheen=0.6)
    return [piece("socks", sock, look, thickness=0.003)]
