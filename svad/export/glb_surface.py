"""The surface of an avatar in a glTF file: triangles, colours or a picture, face shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.core.rounding import rounded, rounded_shares
from svad.export.gltf import INDICES, VERTICES, GltfBuilder
from svad.geometry.surface import vertex_normals
from svad.types import SkinnedMesh

UNLIT = "KHR_materials_unlit"
STILL_FACE = 1e-6  # metres; an expression moves a vertex by more than this
PLACE, MOVE = 2**-15, 2**-16  # metres, steps of vertices and of what expressions add: 30, 15 um
NORMAL, WEIGHT = 2**-9, 2**-10  # steps


@dataclass(frozen=True)
class Paint:
    """A mesh that carries a picture."""

    mesh: SkinnedMesh  # U vertices, cut along the charts
    normals: np.ndarray  # [U, 3] float32 unit, those of the mesh before it was cut
    uv: np.ndarray  # [U, 2] float32
    jpeg: bytes


def picture(builder: GltfBuilder, jpeg: bytes) -> dict:
    """What a document says of its one picture; 9729 filters it, 9987 with mipmaps, 33071 clamps."""
    return {
        "images": [{"name": "surface", "mimeType": "image/jpeg", "bufferView": builder.raw(jpeg)}],
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
        "textures": [{"name": "surface", "source": 0, "sampler": 0}],
    }


def primitive(
    builder: GltfBuilder,
    mesh: SkinnedMesh,
    lift: np.ndarray,  # [3] metres, added to every vertex
    paint: Paint | None = None,
) -> dict:
    """The triangles of the mesh, lifted; colours become linear.

    A painted one has no vertex colours: programs that know both would multiply them.
    """
    faces = mesh.faces if paint is not None else proper_faces(mesh.faces)
    ids, weights = clean_weights(mesh.joint_ids, mesh.joint_weights)
    index = np.uint16 if len(mesh.vertices) < 65535 else np.uint32
    points = mesh.vertices.astype(np.float32) + lift
    normals = unit_normals(points, faces) if paint is None else paint.normals
    attributes = {
        "POSITION": builder.add(rounded(points, PLACE), target=VERTICES, bounds=True),
        "NORMAL": builder.add(rounded(normals, NORMAL), target=VERTICES),
        "JOINTS_0": builder.add(ids.astype(np.uint8), target=VERTICES),
        "WEIGHTS_0": builder.add(weights, target=VERTICES),
    }
    if paint is None:
        colors = np.full((len(mesh.vertices), 4), 65535, np.uint16)
        colors[:, :3] = np.round(srgb_to_linear(mesh.colors / 255) * 65535)
        attributes["COLOR_0"] = builder.add(colors, target=VERTICES, normalized=True)
    else:
        attributes["TEXCOORD_0"] = builder.add(paint.uv, target=VERTICES)
    indices = builder.add(faces.reshape(-1).astype(index), target=INDICES)
    return {"attributes": attributes, "indices": indices, "material": 0, "mode": 4}


def morph_targets(builder: GltfBuilder, mesh: SkinnedMesh, count: int) -> list[dict]:
    """One sparse target per expression; rows an expression leaves alone are not stored."""
    targets = []
    for e in range(count):
        moves = rounded(mesh.expression_dirs[:, e].astype(np.float32), MOVE)  # [K, 3]
        moved = np.flatnonzero(np.abs(moves).max(1, initial=0) > STILL_FACE)
        rows, values = mesh.expression_ids[moved], moves[moved]
        if not len(rows):  # a sparse accessor needs one row
            rows, values = np.zeros(1, np.int32), np.zeros((1, 3), np.float32)
        order = np.argsort(rows)
        sparse = builder.add_sparse(rows[order], values[order], len(mesh.vertices))
        targets.append({"POSITION": sparse})
    return targets


def material(painted: bool = False, lit: bool = False) -> dict:
    """Unlit, since the colours come from a photo and already hold its light.

    Programs that light it all the same get a rough surface without a shine.
    """
    surface: dict = {
        "baseColorFactor": [1.0, 1.0, 1.0, 1.0],
        "metallicFactor": 0.0,
        "roughnessFactor": 1.0,
    }
    if painted:
        surface["baseColorTexture"] = {"index": 0}
    made = {
        "name": "photo colours",
        "pbrMetallicRoughness": surface,
        "doubleSided": True,  # thin parts such as skirts are seen from inside as well
    }
    return made if lit else made | {"extensions": {UNLIT: {}}}


def clean_weights(
    ids: np.ndarray,  # [V, 4]
    weights: np.ndarray,  # [V, 4]
) -> tuple[np.ndarray, np.ndarray]:  # [V, 4] int32, [V, 4] float32
    """Weights as glTF wants them: sum 1, no joint twice, joint 0 where the weight is 0."""
    ids, weights = ids.astype(np.int32).copy(), weights.astype(np.float64).clip(0).copy()
    for a in range(3):
        for b in range(a + 1, 4):
            same = ids[:, a] == ids[:, b]
            weights[same, a] += weights[same, b]
            weights[same, b] = 0
    order = np.argsort(-weights, 1, kind="stable")
    ids, weights = np.take_along_axis(ids, order, 1), np.take_along_axis(weights, order, 1)
    if not (weights[:, 0] > 0).all():
        raise ValueError("a vertex of the avatar's mesh is bound to no joint")
    weights = rounded_shares(weights / weights.sum(1, keepdims=True), WEIGHT)
    ids[weights == 0] = 0
    return ids, weights


def proper_faces(
    faces: np.ndarray,  # [F, 3]
) -> np.ndarray:  # [G, 3]
    """Faces with three different corners."""
    a, b, c = faces.T
    return faces[(a != b) & (b != c) & (c != a)]


def unit_normals(
    points: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3]
) -> np.ndarray:  # [V, 3] float32
    """Vertex normals as glTF wants them: all of length one, +y where no face tells."""
    normals = vertex_normals(points.astype(np.float64), faces)
    normals[np.linalg.norm(normals, axis=1) < 0.5] = (0, 1, 0)
    return normals.astype(np.float32)


def srgb_to_linear(
    color: np.ndarray,  # [...] in 0..1
) -> np.ndarray:  # [...] in 0..1
    """The sRGB transfer function (IEC 61966-2-1); glTF vertex colours are linear."""
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
