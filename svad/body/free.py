"""Loads the default body, made from CC0 MakeHuman data and shipped with this project."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch

from svad.body.model import BodyModel, make_body
from svad.body.skeleton import JOINTS
from svad.core.errors import MissingFile

DATA_FILE = Path(__file__).parent / "data" / "body.npz"


@cache
def load_free_body() -> BodyModel:
    """The default body on the CPU; read once per process."""
    return read_body(DATA_FILE)


def read_body(path: Path) -> BodyModel:
    """Read a body file that `tools.body.bake` wrote."""
    if not path.exists():
        raise MissingFile(
            str(path), "this project's repository", "CC0 1.0", "Run `python -m tools.body.bake`"
        )
    with np.load(path, allow_pickle=False) as archive:
        data = {name: archive[name] for name in archive.files}
    count = len(data["template"])
    names = tuple(str(name) for name in data["expression_names"])
    expression = torch.zeros(count, 3, len(names))
    moved = torch.from_numpy(data["expression_ids"].astype(np.int64))
    expression[moved] = torch.from_numpy(data["expression_dirs"].astype(np.float32))
    regressor = torch.zeros(len(JOINTS), count)
    rows, columns = (
        torch.from_numpy(data[f"regressor_{axis}"].astype(np.int64)) for axis in ("rows", "columns")
    )
    regressor[rows, columns] = torch.from_numpy(data["regressor_values"])
    joint_ids = torch.from_numpy(data["joint_ids"].astype(np.int64))
    joint_weights = torch.from_numpy(data["joint_weights"])
    lists = {
        name.removeprefix("list_"): torch.from_numpy(value.astype(np.int64))
        for name, value in data.items()
        if name.startswith("list_")
    }
    landmarks = {
        name: torch.from_numpy(
            value.astype(np.int64) if value.dtype.kind == "u" else value.astype(np.float32)
        )
        for name, value in data.items()
        if name.startswith(("landmark_", "mesh_"))
    }
    return make_body(
        name="free",
        template=torch.from_numpy(data["template"]),
        faces=torch.from_numpy(data["faces"].astype(np.int64)),
        shape_dirs=torch.from_numpy(data["shape_dirs"].astype(np.float32)),
        expression_dirs=expression,
        expression_names=names,
        weights=torch.zeros(count, len(JOINTS)).scatter_(1, joint_ids, joint_weights),
        parents=tuple(int(p) for p in data["parents"]),
        regressor=regressor,
        flip=torch.from_numpy(data["flip"].astype(np.int64)),
        lists=lists,
        landmarks=landmarks,
        builds=torch.from_numpy(data["builds"]),
    )
