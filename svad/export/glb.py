"""Writes the skinned, coloured mesh of an avatar as a binary glTF file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from svad.body.skeleton import JOINTS, Joint
from svad.core.files import write_bytes
from svad.export.context import ExportContext
from svad.export.gltf import INDICES, VERTICES, GltfBuilder
from svad.export.names import NAMES
from svad.export.shapes import with_all_shapes
from svad.export.textured import split
from svad.export.visemes import with_visemes
from svad.geometry.rotation import axis_angle_to_quaternion
from svad.geometry.surface import vertex_normals
from svad.media.images import jpg_bytes
from svad.motion.authored import authored
from svad.motion.recorded import Recorded
from svad.types import Avatar, Pose, SkinnedMesh

UNLIT = "KHR_materials_unlit"
QUALITY = 95  # of the picture's jpeg
STILL_TURN = 1e-4  # a joint whose quaternion changes less than this does not move
STILL_SHIFT = 1e-4  # metres; likewise for the root
STILL_FACE = 1e-6  # metres; an expression moves a vertex by more than this


@dataclass(frozen=True)
class Track:
    """A motion to put into the file."""

    name: str
    fps: float
    poses: Pose  # T frames


@dataclass(frozen=True)
class Paint:
    """A mesh that carries a picture."""

    mesh: SkinnedMesh  # U vertices, cut along the charts
    normals: np.ndarray  # [U, 3] float32 unit, those of the mesh before it was cut
    uv: np.ndarray  # [U, 2] float32
    jpeg: bytes


def write_textured(context: ExportContext, path: Path) -> None:
    """The avatar as a closed mesh with a picture, with the bundled motions, as .glb."""
    avatar, paint = painted(context)
    names = NAMES[context.bones]
    moves = tracks(avatar, context.motions)
    write_bytes(path, avatar_glb(avatar, names, moves, "SVAD", paint, lit=context.lit))


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
    mesh, shapes = with_visemes(*with_all_shapes(context.avatar, context.avatar.mesh))
    avatar = replace(context.avatar, mesh=mesh, expression_names=shapes)
    moves = tracks(avatar, context.motions)
    write_bytes(path, avatar_glb(avatar, NAMES[context.bones], moves, "SVAD", lit=context.lit))


def tracks(avatar: Avatar, own: Mapping[str, Recorded] | None = None) -> list[Track]:
    """A person's own motions, then the bundled ones, for this avatar; loops end as they begin.

    Viewers play the first one unasked: it must not show the back, so turning comes last.
    """
    out = []
    for name, recorded in (own or {}).items():
        motion = recorded.for_avatar(avatar, name, name)
        out.append(Track(name, motion.fps, motion.poses))
    for motion in sorted(authored().values(), key=lambda m: (m.name == "turn", m.name != "wave")):
        poses = motion.for_avatar(avatar).poses
        poses = Pose.cat([poses, poses[:1]]) if motion.looped else poses
        out.append(Track(motion.name, motion.fps, poses))
    return out


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
        "POSITION": builder.add(points, target=VERTICES, bounds=True),
        "NORMAL": builder.add(normals, target=VERTICES),
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
        moves = mesh.expression_dirs[:, e].astype(np.float32)  # [K, 3]
        moved = np.flatnonzero(np.abs(moves).max(1, initial=0) > STILL_FACE)
        rows, values = mesh.expression_ids[moved], moves[moved]
        if not len(rows):  # a sparse accessor needs one row
            rows, values = np.zeros(1, np.int32), np.zeros((1, 3), np.float32)
        order = np.argsort(rows)
        sparse = builder.add_sparse(rows[order], values[order], len(mesh.vertices))
        targets.append({"POSITION": sparse})
    return targets


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


def animation(
    builder: GltfBuilder,
    track: Track,
    root: np.ndarray,  # [3] rest place of the root joint
    expressions: int,  # number of morph targets
) -> dict:
    """One glTF animation: rotations of the joints that move, the root's way, the expressions."""
    poses = track.poses
    turns = axis_angle_to_quaternion(poses.rotations.float())
    quats = continuous(turns.numpy(force=True))[..., [1, 2, 3, 0]]
    times = (np.arange(len(poses)) / track.fps).astype(np.float32)
    time = builder.add(times, bounds=True)
    out: dict = {"name": track.name, "samplers": [], "channels": []}

    def channel(node: int, path: str, values: np.ndarray) -> None:
        still = np.ptp(values, 0).max() < (STILL_SHIFT if path == "translation" else STILL_TURN)
        if still and len(times) > 1:  # two keys say the same
            ends = np.array([0, times[-1]], np.float32)
            source, values = builder.add(ends, bounds=True), values[[0, -1]]
        else:
            source = time
        flat = values.reshape(-1) if path == "weights" else values
        output = builder.add(np.ascontiguousarray(flat, np.float32))
        out["samplers"].append({"input": source, "output": output, "interpolation": "LINEAR"})
        target = {"node": node, "path": path}
        out["channels"].append({"sampler": len(out["samplers"]) - 1, "target": target})

    for j in range(len(JOINTS)):
        at_rest = np.abs(quats[:, j] - (0, 0, 0, 1)).max() < STILL_TURN
        if not at_rest:
            channel(j, "rotation", quats[:, j])
    channel(Joint.PELVIS, "translation", poses.translation.numpy(force=True) + root)
    if expressions:
        faces = padded(poses.expression.numpy(force=True), expressions)
        if np.abs(faces).max() > 0:
            channel(len(JOINTS), "weights", faces)
    return out


def padded(
    values: np.ndarray,  # [T, E]
    count: int,
) -> np.ndarray:  # [T, count]
    """Every row cut or filled with zeros to `count`."""
    out = np.zeros((len(values), count), np.float32)
    out[:, : values.shape[1]] = values[:, :count]
    return out


def continuous(
    quats: np.ndarray,  # [T, J, 4] (w, x, y, z)
) -> np.ndarray:  # [T, J, 4]
    """The same rotations without jumps from q to -q; the first has a real part >= 0."""
    dots = (quats[1:] * quats[:-1]).sum(-1)
    first = np.where(quats[:1, :, 0] < 0, -1.0, 1.0)
    signs = np.concatenate([first, np.where(dots < 0, -1.0, 1.0)]).cumprod(0)
    return (quats * signs[..., None]).astype(np.float32)


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
    weights[weights < 1e-5] = 0
    order = np.argsort(-weights, 1, kind="stable")
    ids, weights = np.take_along_axis(ids, order, 1), np.take_along_axis(weights, order, 1)
    if not (weights[:, 0] > 0).all():
        raise ValueError("a vertex of the avatar's mesh is bound to no joint")
    weights = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    # rounding left a few 1e-8: the largest weight takes it
    weights[:, 0] = 1 - weights[:, 1:].astype(np.float64).sum(1)
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
