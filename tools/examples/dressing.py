"""Shared parts of all outfits: what is hidden under cloth, and shoes on both feet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.geometry.surface import vertex_normals
from tools.examples.cloth import border
from tools.examples.figure import Figure
from tools.examples.picture import Material, Piece
from tools.examples.shoes import Shoe, make_shoe
from tools.examples.tailor import Garment, Tailor


@dataclass(frozen=True)
class Outfit:
    """Clothes ready to be drawn."""

    pieces: list[Piece]
    hidden: np.ndarray  # [V] bool, skin that needs not be drawn


def hidden_skin(figure: Figure, garments: list[Garment]) -> np.ndarray:  # [V] bool
    """Skin well inside a garment, away from its edges."""
    out = np.zeros(len(figure.vertices), bool)
    for garment in garments:
        normals = vertex_normals(garment.vertices, garment.faces)
        edge = np.unique(border(garment.faces))
        rim = cKDTree(garment.vertices[edge])
        distance, near = cKDTree(garment.vertices).query(figure.vertices)
        inside = ((figure.vertices - garment.vertices[near]) * normals[near]).sum(1) < 0.004
        past = np.isin(near, edge)
        out |= inside & ~past & (distance < 0.05) & (rim.query(figure.vertices)[0] > 0.03)
    return out


def shoes(tailor: Tailor, shoe: Shoe, material: Material, name: str = "shoe") -> list[Piece]:
    """Both shoes; trousers draped afterwards fall on them."""
    figure = tailor.figure
    out = []
    for side in ("left", "right"):
        mesh = make_shoe(figure, side, shoe)
        tailor.add(mesh.vertices, mesh.faces)
        flat = np.concatenate([mesh.flat, np.zeros((len(mesh.flat), 1))], 1)
        inner = mesh.vertices - 0.004 * vertex_normals(mesh.vertices, mesh.faces)
        count = len(mesh.vertices)
        out.append(
            Piece(
                name=f"{side} {name}",
                vertices=np.concatenate([mesh.vertices, inner]),
                faces=np.concatenate([mesh.faces, mesh.faces[:, ::-1] + count]),
                extra=np.concatenate([flat, flat]),
                material=material,
            )
        )
    return out


def hip_middle(figure: Figure) -> np.ndarray:  # [3]
    """Half way between the hip joints."""
    return (figure.joint("left_hip") + figure.joint("right_hip")) / 2
