"""Reads a user's own SMPL-X file into the same body model as the default body."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree
from torch import Tensor

from svad.body.free import load_free_body
from svad.body.model import BodyModel, make_body
from svad.body.placement import closest_on_mesh
from svad.body.skeleton import EYES, HANDS, HEAD_JOINTS, of_side
from svad.core.errors import MissingFile, SvadError

SOURCE = "https://smpl-x.is.tue.mpg.de (sign up, then download the SMPL-X v1.1 npz files)"
TERMS = "the SMPL-X model licence: non-commercial research only, no redistribution"
# The ring of vertices inside the lips of the published mesh.
CAVITY = (2844, 2855, 8977, 1740, 1730, 1789, 8953, 2892)
PUBLISHED_VERTICES = 10475
KEYS = (
    *("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table"),
    *("hands_componentsl", "hands_componentsr", "hands_meanl", "hands_meanr"),
    *("lmk_faces_idx", "lmk_bary_coords", "dynamic_lmk_faces_idx", "dynamic_lmk_bary_coords"),
)
# The reader's key point names in the order of `BodyModel.keypoints`.
KEYPOINTS = (
    *("nose", "reye", "leye", "rear", "lear", "LBigToe", "LSmallToe", "LHeel"),
    *("RBigToe", "RSmallToe", "RHeel", "lthumb", "lindex", "lmiddle", "lring", "lpinky"),
    *("rthumb", "rindex", "rmiddle", "rring", "rpinky"),
)


def load_smplx_body(
    path: Path,  # SMPLX_NEUTRAL.npz, SMPLX_MALE.npz or SMPLX_FEMALE.npz
    *,
    betas: int = 100,
    expressions: int = 50,
) -> BodyModel:
    """Read an SMPL-X file through the `smplx` package.

    Flat hands are the zero pose (mean hands are not added). Nothing is copied or kept. Raises
    MissingFile, with source and terms, when the file or the reader is absent.
    """
    if not path.is_file():
        raise MissingFile(path.name, SOURCE, TERMS, f"Put it at {path}, or use the default body")
    reader = _read(path, betas, expressions)
    template = reader.v_template.detach().float()
    faces = reader.faces_tensor.detach().long()
    weights = reader.lbs_weights.detach().float()
    expression = reader.expr_dirs.detach().float()
    landmarks = torch.cat([reader.dynamic_lmk_faces_idx[0], reader.lmk_faces_idx]).long()
    shares = torch.cat([reader.dynamic_lmk_bary_coords[0], reader.lmk_bary_coords]).float()
    mesh_faces, mesh_weights = _carry_face_mesh(template, faces, landmarks, shares, weights)
    parents = reader.parents.tolist()
    return make_body(
        name="smplx",
        template=template,
        faces=faces,
        shape_dirs=reader.shapedirs.detach().float(),
        expression_dirs=expression,
        expression_names=tuple(f"expression{i}" for i in range(expression.shape[-1])),
        weights=weights,
        parents=(-1, *(int(p) for p in parents[1:])),
        regressor=reader.J_regressor.detach().float(),
        flip=torch.from_numpy(cKDTree(template).query(template.numpy() * (-1, 1, 1))[1]),
        lists=_lists(template, weights, expression),
        landmarks={
            "landmark_faces": landmarks,
            "landmark_weights": shares,
            "mesh_faces": mesh_faces,
            "mesh_weights": mesh_weights,
        },
        pose_dirs=reader.posedirs.detach().float(),
        joints_follow_expression=True,
    )


def _read(path: Path, betas: int, expressions: int) -> torch.nn.Module:
    """Hand a copy without pickled objects to the reader, which would unpickle them otherwise."""
    try:
        from smplx import SMPLX
    except ImportError as error:
        raise MissingFile(
            "the package smplx", "the Python package index", TERMS, "Run `pip install smplx`"
        ) from error
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in KEYS if key in archive.files}
    except (ValueError, OSError) as error:
        raise SvadError(f"{path.name} is not a readable SMPL-X npz file: {error}") from error
    absent = [key for key in KEYS if key not in arrays]
    if absent:
        raise SvadError(f"{path.name} lacks {', '.join(absent)}; use the SMPL-X v1.1 npz files")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "SMPLX_NEUTRAL.npz"
        np.savez(copy, **arrays)
        return SMPLX(
            str(copy),
            num_betas=betas,
            num_expression_coeffs=expressions,
            use_pca=False,
            flat_hand_mean=True,
            use_face_contour=True,
        )


def _lists(
    template: Tensor,  # [V, 3]
    weights: Tensor,  # [V, 55]
    expression: Tensor,  # [V, 3, E]
) -> dict[str, Tensor]:
    """Vertex lists from skinning weights, as for the default body."""
    from smplx.vertex_ids import vertex_ids

    def moved_by(*joints: int) -> Tensor:
        return (weights[:, list(joints)].sum(1) > 0.5).nonzero()[:, 0]

    head = moved_by(*HEAD_JOINTS)
    moved = expression.norm(dim=1).amax(1) > 1e-5
    published = len(template) == PUBLISHED_VERTICES
    return {
        "left_hand": moved_by(*HANDS["left"]),
        "right_hand": moved_by(*HANDS["right"]),
        "left_foot": moved_by(*of_side("left", "ankle", "foot")),
        "right_foot": moved_by(*of_side("right", "ankle", "foot")),
        "left_eye": moved_by(EYES[0]),
        "right_eye": moved_by(EYES[1]),
        "head": head,
        "face": head[moved[head]],
        "cavity": torch.tensor(CAVITY if published else (), dtype=torch.int64),
        "keypoints": torch.tensor([vertex_ids["smplx"][name] for name in KEYPOINTS]),
    }


def _carry_face_mesh(
    template: Tensor,  # [V, 3]
    faces: Tensor,  # [F, 3]
    landmarks: Tensor,  # [68]
    shares: Tensor,  # [68, 3]
    weights: Tensor,  # [V, 55]
) -> tuple[Tensor, Tensor]:  # triangles [478], barycentric weights [478, 3]
    """Bring the face mesh of the default body over by warping its 68 landmarks onto these."""
    free = load_free_body()
    source = free.landmarks(free.template).numpy()
    target = (template[faces[landmarks]] * shares[..., None]).sum(1).numpy()
    warp = RBFInterpolator(source, target - source, smoothing=1e-4)
    points = free.mesh_points(free.template).numpy()
    points = points + warp(points)
    near = (weights[:, list(HEAD_JOINTS)].sum(1) > 0.5).numpy()[faces.numpy()].all(1)
    ids = np.flatnonzero(near)
    triangle, bary = closest_on_mesh(points, template.numpy(), faces.numpy()[ids])
    return torch.from_numpy(ids[triangle]), torch.from_numpy(bary).float()
