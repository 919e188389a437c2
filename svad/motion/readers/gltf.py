"""Animations of glTF 2.0 files (.glb, .gltf) and of VRM (.vrma): skeletons with a person's names.

Names are those of the nodes, or of the humanoid map of VRM. A file with several animations plays
its first, or the one that is named: `FILE#NAME`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from svad.face.expressions import ARKIT
from svad.motion.performer import Performer
from svad.motion.readers.curves import Curve, curve_of
from svad.motion.readers.faces import of_vrm
from svad.motion.readers.files import MotionError
from svad.motion.readers.gltf_file import GltfFile, vector
from svad.motion.readers.names import bones_of
from svad.motion.recorded import FASTEST, Recorded
from svad.motion.retarget import retargeted

LONGEST = 60_000  # frames at 30 a second
MOST = 20_000  # nodes
WIDTH = {"rotation": 4, "translation": 3, "scale": 3}
SEVERAL = (
    "The file holds {count} motions: {names}. The one called {name} is played; {file}#NAME picks "
    "another."
)
AVATAR = (
    "{name} is a VRM avatar: a person without a motion. Give what it should move by: a .vrma, a "
    ".bvh, or a .glb with an animation."
)


@dataclass
class Animation:
    """One animation: curves by node and property."""

    curves: dict[tuple[int, str], Curve] = field(default_factory=dict)
    start: float = np.inf
    end: float = -np.inf


def read_gltf(
    path: Path,
    joints: np.ndarray,  # [55, 3] rest joints of the body that takes the motion, metres
    name: str | None = None,  # of one of several animations
) -> Recorded:
    """The motion of a file; expressions of its mesh, or of VRM, come along where we know them.

    Raises `MotionError` with a sentence where there is no motion of a person.
    """
    file = GltfFile(path)
    rows = _animations(file)
    names, parents = _named(file), _parents(file)
    kept = _kept(names, parents)
    chosen, warnings = _chosen(file, rows, name, set(kept))
    animation = _animation(file, chosen)
    if not animation.curves or not animation.end > animation.start:
        raise MotionError(f"The animation in {path.name} does not move. Save it again.")
    count = int((animation.end - animation.start) * FASTEST + 1e-3) + 1
    if count > LONGEST:
        raise MotionError(f"The animation in {path.name} is longer than half an hour.")
    times = animation.start + np.arange(max(count, 2)) / FASTEST
    body = _performer(file, names, parents, kept, animation, times)
    faces = _faces(file, animation, times)
    return retargeted(body, joints, faces, y_up=True).warned(*warnings)


def _animations(file: GltfFile) -> list[dict[str, Any]]:
    """All animations; raises `MotionError` where there is none."""
    rows = file.rows("animations")
    if not rows and any(_dig(file.document, "extensions", one) for one in ("VRMC_vrm", "VRM")):
        raise MotionError(AVATAR.format(name=file.name))
    if not rows:
        raise MotionError(
            f"There is no animation in {file.name}. Save it again with one: in Blender, Animation "
            "under File > Export > glTF 2.0."
        )
    return rows


def _chosen(
    file: GltfFile, rows: list[dict[str, Any]], name: str | None, bones: set[int]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The animation of a name, or the first that moves bones of a person."""
    names = [str(row.get("name", place)) for place, row in enumerate(rows)]
    listed = ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")
    if name is None:
        moving = [k for k, row in enumerate(rows) if _moves(row, bones)]
        first = moving[0] if moving else 0
        words = SEVERAL.format(count=len(rows), names=listed, name=names[first], file=file.name)
        return rows[first], (words,) if len(rows) > 1 else ()
    if name not in names:
        raise MotionError(f"There is no motion {name} in {file.name}; it has {listed}.")
    return rows[names.index(name)], ()


def _moves(animation: dict[str, Any], bones: set[int]) -> bool:
    """Whether an animation turns any of the bones: others move cameras, or faces alone."""
    targets = [_dig(channel, "target") for channel in _listed(animation.get("channels"))]
    return any(_index(one) in bones and _dig(one, "path") == "rotation" for one in targets)


def _named(file: GltfFile) -> list[str]:
    """A name for each node; where VRM says which bone is which, only those have one."""
    nodes = file.rows("nodes")
    if len(nodes) > MOST:
        raise file.broken("it has too many nodes")
    bones = _humanoid(file)
    if not bones:
        return [str(node.get("name", "")) for node in nodes]
    out = [""] * len(nodes)
    for bone, index in bones.items():
        file.row("nodes", index)
        out[index] = bone
    return out


def _humanoid(file: GltfFile) -> dict[str, int]:
    """The humanoid map of a VRM animation or model (VRM 1.0 and 0.x)."""
    for extension in ("VRMC_vrm_animation", "VRMC_vrm", "VRM"):
        told = _dig(file.document, "extensions", extension, "humanoid", "humanBones")
        if isinstance(told, dict):
            return {name: _dig(row, "node") for name, row in told.items()}
        if isinstance(told, list):  # VRM 0.x
            return {str(_dig(row, "bone")): _dig(row, "node") for row in told}
    return {}


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _index(row: Any) -> int:
    node = _dig(row, "node")
    return node if isinstance(node, int) else -1


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _parents(file: GltfFile) -> list[int]:
    nodes = file.rows("nodes")
    parents = [-1] * len(nodes)
    for place, node in enumerate(nodes):
        for child in _listed(node.get("children")):
            file.row("nodes", child)
            parents[child] = place
    for place in range(len(nodes)):
        seen, above = 0, place
        while above >= 0:
            seen, above = seen + 1, parents[above]
            if seen > len(nodes):
                raise file.broken("its nodes hang in a circle")
    return parents


def _kept(names: list[str], parents: list[int]) -> list[int]:
    """The nodes of the skeleton, parents first: the bones, all above them, and one tip below."""
    found = set(bones_of(names).values())
    kept: set[int] = set()
    for bone in found:
        place = bone
        while place >= 0:
            kept.add(place)
            place = parents[place]
        if bone in parents:
            kept.add(parents.index(bone))

    def depth(place: int) -> int:
        deep = 0
        while place >= 0:
            deep, place = deep + 1, parents[place]
        return deep

    return sorted(kept, key=depth)


def _animation(file: GltfFile, told: dict[str, Any]) -> Animation:
    out = Animation()
    channels, samplers = (_listed(told.get(name)) for name in ("channels", "samplers"))
    for channel in channels:
        index = _dig(channel, "sampler")
        node, path = _dig(channel, "target", "node"), _dig(channel, "target", "path")
        if not isinstance(node, int) or path not in (*WIDTH, "weights"):
            continue
        if not isinstance(index, int) or not 0 <= index < len(samplers):
            raise file.broken("a channel of its animation has no sampler")
        sampler = samplers[index]
        key = file.accessor(_dig(sampler, "input"))[:, 0]
        values = file.accessor(_dig(sampler, "output"))
        if np.any(np.diff(key) <= 0):
            raise file.broken("the times of its animation do not rise")
        way = _dig(sampler, "interpolation")
        count = len(key) * (3 if way == "CUBICSPLINE" else 1)
        width = WIDTH.get(path, values.size // count)
        if values.size != count * width or not width:
            raise file.broken("times and values of its animation do not fit together")
        values = values.reshape(len(key), -1, width)  # [K, 1 or 3, C]
        out.curves[node, path] = curve_of(key, values, way, turn=path == "rotation")
        out.start, out.end = min(out.start, key[0]), max(out.end, key[-1])
    return out


def _performer(
    file: GltfFile,
    names: list[str],
    parents: list[int],
    kept: list[int],
    animation: Animation,
    times: np.ndarray,
) -> Performer:
    """The skeleton at rest and in time. Scales are taken as even in all directions."""
    row = {node: place for place, node in enumerate(kept)}
    above = tuple(row.get(parents[node], -1) for node in kept)
    nodes = file.rows("nodes")
    still = [_transform(nodes[node]) for node in kept]
    moving = []
    for node, (place, turn, scale) in zip(kept, still, strict=True):
        given = {path: animation.curves.get((node, path)) for path in WIDTH}
        at = {path: curve(times) for path, curve in given.items() if curve is not None}
        turns = _matrices(at["rotation"]) if "rotation" in at else turn
        moving.append((at.get("translation", place), turns, at.get("scale", scale)))
    rest = _in_world([tuple(v[None] for v in one) for one in still], above, 1)
    world = _in_world(moving, above, len(times))
    known = tuple(names[node] for node in kept)
    return Performer(known, above, rest[0][0], rest[1][0], world[1], world[0], FASTEST)


def _in_world(
    local: list[tuple[np.ndarray, ...]], parents: tuple[int, ...], count: int
) -> tuple[np.ndarray, np.ndarray]:  # [T, N, 3], [T, N, 3, 3]
    places, turns = np.empty((count, len(local), 3)), np.empty((count, len(local), 3, 3))
    sizes = np.empty((count, len(local)))
    for k, (place, turn, scale) in enumerate(local):
        size, parent = np.mean(np.abs(scale), -1), parents[k]
        if parent < 0:
            places[:, k], turns[:, k], sizes[:, k] = place, turn, size
            continue
        moved = sizes[:, parent, None] * np.broadcast_to(place, (count, 3))
        places[:, k] = places[:, parent] + np.einsum("tij,tj->ti", turns[:, parent], moved)
        turns[:, k] = turns[:, parent] @ turn
        sizes[:, k] = sizes[:, parent] * size
    return places, turns


def _transform(node: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place [3], turn [3, 3] and scale [3] of a node."""
    if "matrix" in node:
        matrix = vector(node, "matrix", tuple(np.eye(4).reshape(-1))).reshape(4, 4).T
        scale = np.maximum(np.linalg.norm(matrix[:3, :3], axis=0), 1e-12)
        return matrix[:3, 3], matrix[:3, :3] / scale, scale
    turn = _matrices(vector(node, "rotation", (0.0, 0.0, 0.0, 1.0))[None])[0]
    return vector(node, "translation", (0.0,) * 3), turn, vector(node, "scale", (1.0,) * 3)


def _matrices(quaternions: np.ndarray) -> np.ndarray:  # [T, 4] (x, y, z, w) -> [T, 3, 3]
    size = np.linalg.norm(quaternions, axis=-1, keepdims=True)
    still = np.array([0.0, 0.0, 0.0, 1.0])
    return Rotation.from_quat(np.where(size > 1e-9, quaternions, still)).as_matrix()


def _faces(file: GltfFile, animation: Animation, times: np.ndarray) -> dict[str, np.ndarray]:
    """Expressions by name: those of meshes as they are called, those of VRM as ours."""
    out: dict[str, np.ndarray] = {}
    for (node, path), curve in animation.curves.items():
        mesh = file.row("nodes", node).get("mesh")
        if path != "weights" or mesh is None:
            continue
        names = _dig(file.row("meshes", mesh), "extras", "targetNames")
        values = curve(times)
        if isinstance(names, list) and len(names) == values.shape[1]:
            out |= {str(name): values[:, k] for k, name in enumerate(names)}
    for name, values in _expressions(file, animation, times, "custom"):
        if name in ARKIT:
            out[name] = values
    given = set(out)
    for name, values in _expressions(file, animation, times, "preset"):
        of_vrm(name, values, out, given)
    return out


def _expressions(
    file: GltfFile, animation: Animation, times: np.ndarray, kind: str
) -> Iterator[tuple[str, np.ndarray]]:  # name, [T]
    """Those of a VRM animation: each is the way of a node along x."""
    told = _dig(file.document, "extensions", "VRMC_vrm_animation", "expressions", kind)
    for name, row in told.items() if isinstance(told, dict) else ():
        curve = animation.curves.get((_index(row), "translation"))
        if curve is not None:
            yield name, np.clip(curve(times)[:, 0], 0, 1)
