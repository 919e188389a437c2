"""Reads a user's own SMPL-X file into the same body model as the default body."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor

from svad.body.free import load_free_body
from svad.body.model import BodyModel, make_body
from svad.body.regions import skin_regions
from svad.body.skeleton import HEAD_JOINTS, PARENTS
from svad.core.errors import MissingFile, SvadError
from svad.geometry.surface import closest_on_mesh

SOURCE = "https://smpl-x.is.tue.mpg.de (sign up, then download the SMPL-X v1.1 npz files)"
TERMS = "the SMPL-X model licence: non-commercial research only, no redistribution"
# The ring of vertices inside the lips of the published mesh.
CAVITY = (2844, 2855, 8977, 1740, 1730, 1789, 8953, 2892)
PUBLISHED_VERTICES = 10475
# What is read of the file. V vertices, F triangles, D directions of shape and expression.
SHAPES = {
    "v_template": ("V", 3),
    "f": ("F", 3),
    "shapedirs": ("V", 3, "D"),
    "posedirs": ("V", 3, 486),
    "J_regressor": (55, "V"),
    "weights": ("V", 55),
    "kintree_table": (2, 55),
    "hands_componentsl": (45, 45),
    "hands_componentsr": (45, 45),
    "hands_meanl": (45,),
    "hands_meanr": (45,),
    "lmk_faces_idx": (51,),
    "lmk_bary_coords": (51, 3),
    "dynamic_lmk_faces_idx": (79, 17),
    "dynamic_lmk_bary_coords": (79, 17, 3),
}
ADVICE = "Use one of the SMPL-X v1.1 npz files."
# The reader's key point names in the order of `BodyModel.keypoints`.
KEYPOINTS = (
    *("nose", "reye", "leye", "rear", "lear", "LBigToe", "LSmallToe", "LHeel"),
    *("RBigToe", "RSmallToe", "RHeel", "lthumb", "lindex", "lmiddle", "lring", "lpinky"),
    *("rthumb", "rindex", "rmiddle", "rring", "rpinky"),
)


class Published(Protocol):
    """The model as the package reads it. V vertices, F triangles, B shape, E expression values."""

    v_template: Tensor  # [V, 3] metres
    faces_tensor: Tensor  # [F, 3] integers
    shapedirs: Tensor  # [V, 3, B]
    expr_dirs: Tensor  # [V, 3, E]
    posedirs: Tensor  # [486, V * 3]
    J_regressor: Tensor  # [55, V]
    lbs_weights: Tensor  # [V, 55]
    parents: Tensor  # [55] integers
    lmk_faces_idx: Tensor  # [51] integers
    lmk_bary_coords: Tensor  # [51, 3]
    dynamic_lmk_faces_idx: Tensor  # [79, 17] integers, the first row of the head held straight
    dynamic_lmk_bary_coords: Tensor  # [79, 17, 3]


def load_smplx_body(
    path: Path,  # SMPLX_NEUTRAL.npz, SMPLX_MALE.npz or SMPLX_FEMALE.npz
    *,
    betas: int = 100,
    expressions: int = 50,
) -> BodyModel:
    """Read an SMPL-X file through the `smplx` package.

    Flat hands are the zero pose (mean hands are not added). The pelvis of the mean shape is moved
    to the origin, where that of the default body is: a translation for the published mesh becomes
    one for this body when the place of its pelvis is added. The expressions are components without
    a meaning of their own, so authored faces leave them at zero. Nothing is copied or kept.
    Raises MissingFile, with source and terms, when the file or the reader is absent, `SvadError`
    for a file that is no SMPL-X.
    """
    if not path.is_file():
        raise MissingFile(path.name, SOURCE, TERMS, f"Put it at {path}, or use the default body")
    reader = _read(path, betas, expressions)
    regressor = reader.J_regressor.detach().float()
    template = reader.v_template.detach().float()
    template = template - regressor[0] @ template
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
        regressor=regressor,
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


def mean_hands(path: Path) -> Tensor:  # [30, 3] radians, left then right
    """The curl of the resting hands in an SMPL-X file, which `load_smplx_body` leaves out.

    Raises `SvadError` for a file that is no SMPL-X.
    """
    arrays = _arrays(path)
    hands = [torch.from_numpy(arrays[f"hands_mean{side}"]).float() for side in "lr"]
    return torch.cat(hands).view(30, 3)


def _read(path: Path, betas: int, expressions: int) -> Published:
    """Hand a copy without pickled objects to the reader, which would unpickle them otherwise."""
    try:
        from smplx import SMPLX
    except ImportError as error:
        raise MissingFile(
            "the package smplx", "the Python package index", TERMS, "Run `pip install smplx`"
        ) from error
    arrays = _arrays(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "SMPLX_NEUTRAL.npz"
        np.savez(copy, **arrays)
        model = SMPLX(
            str(copy),
            num_betas=betas,
            num_expression_coeffs=expressions,
            use_pca=False,
            flat_hand_mean=True,
            use_face_contour=True,
        )
    return cast(Published, model)  # it keeps its tensors as buffers, whose names no checker sees


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of SHAPES, with nothing unpickled."""
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, NpzFile):
            raise SvadError(f"{path.name} holds a single array, not an SMPL-X body. {ADVICE}")
        with archive:
            arrays = {key: archive[key] for key in SHAPES if key in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise SvadError(f"{path.name} is not a readable SMPL-X npz file: {error}") from error
    absent = [key for key in SHAPES if key not in arrays]
    if absent:
        raise SvadError(f"{path.name} lacks {', '.join(absent)}. {ADVICE}")
    sizes: dict[str, int] = {}
    for key, shape in SHAPES.items():
        found = arrays[key].shape
        letters = zip(shape, found, strict=False)
        wanted = tuple(sizes.setdefault(n, m) if isinstance(n, str) else n for n, m in letters)
        if wanted != found or len(shape) != len(found):
            raise SvadError(f"{key} of {path.name} is {found}, not {shape}. {ADVICE}")
    _check_ids(path.name, arrays)
    return arrays


def _check_ids(name: str, arrays: dict[str, np.ndarray]) -> None:
    """Ids must lie within the mesh, and the mesh must have the reader's key points."""
    vertices, triangles = len(arrays["v_template"]), len(arrays["f"])
    limits = {"f": vertices, "lmk_faces_idx": triangles, "dynamic_lmk_faces_idx": triangles}
    wrong = [key for key, limit in limits.items() if arrays[key].max(initial=0) >= limit]
    if arrays["shapedirs"].shape[2] < 20 or vertices <= max(_keypoint_ids()):
        wrong.append("the size of its mesh or of its shape space")
    if tuple(arrays["kintree_table"][0, 1:].tolist()) != PARENTS[1:]:
        wrong.append("its skeleton")
    if wrong:
        raise SvadError(f"{name} does not hold together: see {', '.join(wrong)}. {ADVICE}")


def _keypoint_ids() -> list[int]:
    """The key points' vertices in the published mesh, as the reader has them."""
    from smplx.vertex_ids import vertex_ids

    return [vertex_ids["smplx"][name] for name in KEYPOINTS]


def _lists(
    template: Tensor,  # [V, 3]
    weights: Tensor,  # [V, 55]
    expression: Tensor,  # [V, 3, E]
) -> dict[str, Tensor]:
    """Vertex lists from skinning weights, as for the default body."""
    lists = {name: torch.from_numpy(ids) for name, ids in skin_regions(weights.numpy()).items()}
    moved = expression.norm(dim=1).amax(1) > 1e-5
    published = len(template) == PUBLISHED_VERTICES
    return lists | {
        "face": lists["head"][moved[lists["head"]]],
        "cavity": torch.tensor(CAVITY if published else (), dtype=torch.int64),
        "keypoints": torch.tensor(_keypoint_ids()),
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
