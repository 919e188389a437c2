"""Writes a body as a file in the form of SMPL-X: same arrays, same places of the key points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from smplx.vertex_ids import vertex_ids

from svad.body.model import BodyModel
from svad.body.smplx_file import KEYPOINTS

PELVIS = np.array([0.003, -0.35, 0.012])  # metres; the published mesh is not centred on it either


def smplx_order(body: BodyModel) -> np.ndarray:  # [V]
    """For each vertex of the file the body's own: its key points sit at the published ids."""
    order = np.arange(len(body.template))
    place = order.copy()
    for vertex, name in zip(body.keypoints.tolist(), KEYPOINTS, strict=True):
        new, old = vertex_ids["smplx"][name], place[vertex]
        other = order[new]
        order[[new, old]] = vertex, other
        place[[vertex, other]] = new, old
    return order


def write_smplx_file(path: Path, body: BodyModel, *, correctives: float = 0.002) -> None:
    """The body in SMPL-X npz form, with made-up pose correctives of some metres per unit."""
    generator = np.random.default_rng(0)
    order = smplx_order(body)
    count = len(order)
    dirs = torch.cat([body.shape_dirs[..., :10], body.expression_dirs[..., :10]], -1)
    pose_dirs = np.zeros((count, 3, 486), np.float32)
    pose_dirs[::40] = correctives * generator.standard_normal((len(pose_dirs[::40]), 3, 486))
    inner = body.landmark_faces[17:].numpy(), body.landmark_weights[17:].numpy()
    jaw = body.landmark_faces[:17].numpy(), body.landmark_weights[:17].numpy()
    np.savez(
        path,
        v_template=body.template.numpy()[order] + PELVIS,
        f=np.argsort(order)[body.faces.numpy()].astype(np.uint32),
        shapedirs=dirs.numpy()[order],
        posedirs=pose_dirs,
        J_regressor=body.regressor.numpy()[:, order],
        weights=body.weights.numpy()[order],
        kintree_table=np.stack([np.array([2**32 - 1, *body.parents[1:]]), np.arange(55)]),
        lmk_faces_idx=inner[0],
        lmk_bary_coords=inner[1],
        dynamic_lmk_faces_idx=np.tile(jaw[0], (79, 1)),
        dynamic_lmk_bary_coords=np.tile(jaw[1], (79, 1, 1)),
        hands_meanl=0.3 * generator.standard_normal(45),
        hands_meanr=0.3 * generator.standard_normal(45),
        hands_componentsl=np.eye(45, dtype=np.float32),
        hands_componentsr=np.eye(45, dtype=np.float32),
    )
