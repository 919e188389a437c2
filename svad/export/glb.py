"""Writes the skinned, coloured mesh of an avatar as a binary glTF file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from svad.body.skeleton import JOINTS, Joint
from svad.core.files import write_bytes
from svad.export.context import ExportContext
from svad.export.glb_motion import Track, animation, tracks
from svad.export.glb_surface import (
    UNLIT,
    Paint,
    material,
    morph_targets,
    picture,
    primitive,
    unit_normals,
)
from svad.export.gltf import GltfBuilder
from svad.export.names import NAMES
from svad.export.shapes import with_all_shapes
from svad.export.textured import split
from svad.export.visemes import with_visemes
from svad.media.images import jpg_bytes
from svad.types import Avatar

QUALITY = 95  # of the picture's jpeg


def write_textured(context: ExportContext, path: Path) -> None:
    """The avatar as a closed mesh with a picture, with the bundled motions, as .glb."""
    avatar, paint = painted(context)
    names, moves = NAMES[context.asked.bones], tracks(avatar, context.asked.motions)
    write_bytes(path, avatar_glb(avatar, names, moves, "SVAD", paint, lit=context.asked.lit))


def painted(context: ExportContext) -> tuple[Avatar, Paint]:
    """The avatar with all face shapes, and its textured mesh as a file holds it."""
    made = context.textured
    mesh, shapes = with_visemes(*with_all_shapes(context.avatar, made.mesh))
    normals = unit_normals(mesh.vertices, mesh.faces)[made.flat.vertex]
    jpeg = jpg_bytes(made.picture, quality=QUALITY)
    paint = Paint(split(replace(made, mesh=mesh)), normals, made.flat.uv, jpeg)
    return replace(context.avatar, expression_names=shapes), paint


def write_glb(context: ExportContext, path: Path) -> None:
    """The avatar of `context` with the bundled motions as .glb."""
    mesh, shapes = context.shaped
    avatar = replace(context.avatar, mesh=mesh, expression_names=shapes)
    moves = tracks(avatar, context.asked.motions)
    write_bytes(
        path, avatar_glb(avatar, NAMES[context.asked.bones], moves, "SVAD", lit=context.asked.lit)
    )


def avatar_glb(
    avatar: Avatar,
    joint_names: Sequence[str],  # 55
    tracks: Sequence[Track] = (),
    generator: str = "",
    paint: Paint | None = None,
    extend: Callable[[dict], None] | None = None,
    *,
    lit: bool = False,
) -> bytes:
    """The avatar's mesh with skeleton, expressions and animations as .glb bytes.

    Metres, y up, facing +z, soles at y = 0. The bind pose is the rest pose (T) with unrotated
    joints, so inverse bind matrices are pure translations. Colours are baked light: the material
    is unlit (KHR_materials_unlit), with a rough one for readers that do not know it. With `paint`
    its mesh and picture take the place of the avatar's mesh and colours. `extend` may add to the
    document before it is packed. `lit`: the rough material alone, for programs that lose the
    picture of an unlit one, as Blender's writer of FBX does.
    """
    mesh = avatar.mesh if paint is None else paint.mesh
    lift = np.array([0, -mesh.vertices[:, 1].min(), 0], np.float32)
    joints = avatar.joints.cpu().numpy().astype(np.float32) + lift
    builder = GltfBuilder()
    # an avatar whose photo shows no face has no face shapes
    shapes = avatar.expression_names if len(mesh.expression_ids) else ()
    targets = morph_targets(builder, mesh, len(shapes))
    part = primitive(builder, mesh, lift, paint)
    body = {"name": "body", "primitives": [part | ({"targets": targets} if targets else {})]}
    if targets:
        body["weights"] = [0.0] * len(targets)
        body["extras"] = {"targetNames": list(shapes)}
    document = {
        "asset": {"version": "2.0"} | ({"generator": generator} if generator else {}),
        "extensionsUsed": [] if lit else [UNLIT],
        "scene": 0,
        # a skinned mesh stands at the root: the transforms of its parents would be ignored
        "scenes": [{"name": "avatar", "nodes": [len(JOINTS), Joint.PELVIS]}],
        "nodes": skeleton_nodes(joints, avatar.parents, joint_names)
        + [{"name": "avatar", "mesh": 0, "skin": 0}],
        "meshes": [body],
        "materials": [material(paint is not None, lit)],
        "skins": [
            {
                "name": "skeleton",
                "skeleton": Joint.PELVIS,
                "joints": list(range(len(JOINTS))),
                "inverseBindMatrices": builder.add(inverse_binds(joints)),
            }
        ],
    }
    if paint is not None:
        document |= picture(builder, paint.jpeg)
    animations = [animation(builder, track, joints[Joint.PELVIS], len(targets)) for track in tracks]
    if animations:
        document["animations"] = animations
    if extend is not None:
        extend(document)
    if not document["extensionsUsed"]:
        del document["extensionsUsed"]  # glTF knows no empty lists
    return builder.pack(document)


def skeleton_nodes(
    joints: np.ndarray,  # [55, 3] metres
    parents: Sequence[int],  # 55, root -1
    names: Sequence[str],  # 55
) -> list[dict]:
    """One node per joint, unrotated, placed relative to its parent."""
    nodes = []
    for j, parent in enumerate(parents):
        offset = joints[j] if parent < 0 else joints[j] - joints[parent]
        node = {"name": names[j], "translation": offset.tolist()}
        children = [k for k, p in enumerate(parents) if p == j]
        nodes.append(node | ({"children": children} if children else {}))
    return nodes


def inverse_binds(
    joints: np.ndarray,  # [55, 3]
) -> np.ndarray:  # [55, 4, 4] float32, column-major
    """World to joint in the bind pose: minus the joint's place, as joints are unrotated."""
    matrices = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
    matrices[:, 3, :3] = -joints  # row 3 in memory = the fourth column
    return matrices
