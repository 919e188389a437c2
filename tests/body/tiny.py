"""The small synthetic body (a torus with 55 joints) behind the golden arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from svad.body.model import BodyModel, make_body
from tests.fill import seed_of, tensor

BETAS, EXPRESSIONS = 100, 50


def read_tiny(folder: Path) -> BodyModel:
    """Rebuild it from its mesh file and the fill rule."""
    seed = seed_of(folder)
    with np.load(folder / "tiny_body.npz") as archive:
        template, faces = (torch.from_numpy(archive[k]) for k in ("v_template", "faces"))
        parents = (-1, *(int(p) for p in archive["parents"][1:]))
    count = len(template)
    ids = {"head": (0, 30), "face": (5, 20), "left_hand": (40, 52), "right_hand": (60, 72)}
    ids |= {"cavity": (6, 10)}
    lists = {name: torch.arange(*ids.get(name, (0, 0))) for name in LISTS}
    empty = {"landmark_faces": torch.zeros(68).long(), "landmark_weights": torch.zeros(68, 3)}
    empty |= {"mesh_faces": torch.zeros(478).long(), "mesh_weights": torch.zeros(478, 3)}
    return make_body(
        name="tiny",
        template=template,
        faces=faces.long(),
        shape_dirs=0.004 * tensor("tiny.shapedirs", (count, 3, BETAS), seed),
        expression_dirs=0.003 * tensor("tiny.exprdirs", (count, 3, EXPRESSIONS), seed),
        expression_names=tuple(f"expression{i}" for i in range(EXPRESSIONS)),
        weights=torch.softmax(3 * tensor("tiny.weights", (count, 55), seed), 1),
        parents=parents,
        regressor=torch.softmax(2 * tensor("tiny.J", (55, count), seed), 1),
        flip=torch.arange(count),
        lists=lists,
        landmarks=empty,
        pose_dirs=0.0005 * tensor("tiny.posedirs", (486, count * 3), seed),
        joints_follow_expression=True,
    )


LISTS = (
    *("left_hand", "right_hand", "left_foot", "right_foot", "left_eye", "right_eye"),
    *("head", "face", "cavity", "keypoints"),
)
