"""A user's SMPL-X file: read through `smplx`, which is also the yardstick of our skinning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.body.model import BodyModel
from svad.body.smplx_file import load_smplx_body
from svad.core.errors import MissingFile, SvadError

SIZES = {"betas": 10, "expressions": 10}  # what the reader takes from a file of fewer directions


def write_smplx_file(path: Path, body: BodyModel) -> None:
    """The default body in SMPL-X npz form, with made-up pose correctives."""
    generator = np.random.default_rng(0)
    count = len(body.template)
    dirs = torch.cat([body.shape_dirs[..., :10], body.expression_dirs[..., :10]], -1)
    correctives = np.zeros((count, 3, 486), np.float32)
    correctives[::40] = 0.002 * generator.standard_normal((len(correctives[::40]), 3, 486))
    corners = body.landmark_faces[17:].numpy(), body.landmark_weights[17:].numpy()
    jaw = body.landmark_faces[:17].numpy(), body.landmark_weights[:17].numpy()
    hands = {f"hands_components{s}": np.eye(45, dtype=np.float32) for s in "lr"}
    np.savez(
        path,
        v_template=body.template.numpy(),
        f=body.faces.numpy().astype(np.uint32),
        shapedirs=dirs.numpy(),
        posedirs=correctives,
        J_regressor=body.regressor.numpy(),
        weights=body.weights.numpy(),
        kintree_table=np.stack([np.array([2**32 - 1, *body.parents[1:]]), np.arange(55)]),
        lmk_faces_idx=corners[0],
        lmk_bary_coords=corners[1],
        dynamic_lmk_faces_idx=np.tile(jaw[0], (79, 1)),
        dynamic_lmk_bary_coords=np.tile(jaw[1], (79, 1, 1)),
        hands_meanl=0.3 * generator.standard_normal(45),
        hands_meanr=0.3 * generator.standard_normal(45),
        **hands,
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("smplx") / "SMPLX_NEUTRAL.npz"
    write_smplx_file(path, load_free_body())
    return path


@pytest.fixture(scope="module")
def body(file: Path) -> BodyModel:
    return load_smplx_body(file, **SIZES)


def test_forward_equals_the_reference_reader(file: Path, body: BodyModel) -> None:
    from smplx import SMPLX

    reference = SMPLX(
        str(file), num_betas=10, num_expression_coeffs=10, use_pca=False, flat_hand_mean=True,
        use_face_contour=True,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(1)
    rotations = 0.4 * torch.randn(55, 3, generator=generator)
    rotations[12], rotations[0] = 0, 0  # the jaw line of the reference follows head yaw
    rotations[15] = 0
    betas, expression = torch.randn(2, 10, generator=generator)
    translation = torch.tensor([0.3, -0.2, 4.0])
    parts = {"global_orient": (0, 1), "body_pose": (1, 22), "jaw_pose": (22, 23)}
    parts |= {"leye_pose": (23, 24), "reye_pose": (24, 25)}
    parts |= {"left_hand_pose": (25, 40), "right_hand_pose": (40, 55)}
    with torch.no_grad():
        want = reference(
            betas=betas[None], expression=expression[None], transl=translation[None],
            **{name: rotations[a:b].reshape(1, -1) for name, (a, b) in parts.items()},
        )  # fmt: skip
    rest = body.rest(betas)
    vertices = body.pose_vertices(rest, rotations, translation, expression)
    # 1e-5 m: float32 sums in another order
    torch.testing.assert_close(vertices, want.vertices[0], atol=1e-5, rtol=0)
    follow = body.joint_expression_dirs @ expression
    joints = body.posed_joints(rest.joints + follow, rotations, translation)
    torch.testing.assert_close(joints, want.joints[0, :55], atol=1e-5, rtol=0)
    inner, jaw = want.joints[0, 76:127], want.joints[0, 127:144]
    torch.testing.assert_close(body.landmarks(vertices)[17:], inner, atol=1e-5, rtol=0)
    torch.testing.assert_close(body.landmarks(vertices)[:17], jaw, atol=1e-5, rtol=0)
    torch.testing.assert_close(vertices[body.keypoints], want.joints[0, 55:76], atol=1e-5, rtol=0)


def test_same_body_either_way(body: BodyModel) -> None:
    free = load_free_body()
    assert body.parents == free.parents and torch.equal(body.faces, free.faces)
    for name in ("left_hand", "right_hand", "left_foot", "head", "left_eye"):
        assert torch.equal(getattr(body, name), getattr(free, name)), name
    assert torch.equal(body.flip, free.flip)
    points, wanted = body.mesh_points(body.template), free.mesh_points(free.template)
    assert (points - wanted).norm(dim=1).mean() < 1e-3  # carried over by warping


def test_missing_file_names_source_and_terms(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="smpl-x.is.tue.mpg.de") as error:
        load_smplx_body(tmp_path / "SMPLX_MALE.npz")
    assert "non-commercial" in str(error.value) and "SMPLX_MALE.npz" in str(error.value)


def test_pickled_and_incomplete_files_are_refused(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "SMPLX_NEUTRAL.npz"
    path.write_text("not a zip")
    with pytest.raises(SvadError, match="not a readable"):
        load_smplx_body(path)
    np.savez(path, v_template=np.zeros((4, 3)))
    with pytest.raises(SvadError, match="lacks f,"):
        load_smplx_body(path)
    np.savez(path, v_template=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SvadError, match="not a readable"):
        load_smplx_body(path)
