"""A user's SMPL-X file: read through `smplx`, which is also the yardstick of our skinning."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.body.keypoints import face_mesh, whole_body
from svad.body.model import BodyModel, RestBody
from svad.body.smplx_file import load_smplx_body, mean_hands
from svad.core.errors import MissingFile, SvadError
from tests.body.smplx_form import PELVIS, smplx_order, write_smplx_file

SIZES = {"betas": 10, "expressions": 10}  # what the reader takes from a file of fewer directions


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
    pelvis = torch.from_numpy(PELVIS).float()  # here at the origin
    # 1e-5 m: float32 sums in another order
    torch.testing.assert_close(vertices + pelvis, want.vertices[0], atol=1e-5, rtol=0)
    follow = body.joint_expression_dirs @ expression
    joints = body.posed_joints(rest.joints + follow, rotations, translation)
    wanted = want.joints[0] - pelvis
    torch.testing.assert_close(joints, wanted[:55], atol=1e-5, rtol=0)
    inner, jaw = wanted[76:127], wanted[127:144]
    torch.testing.assert_close(body.landmarks(vertices)[17:], inner, atol=1e-5, rtol=0)
    torch.testing.assert_close(body.landmarks(vertices)[:17], jaw, atol=1e-5, rtol=0)
    torch.testing.assert_close(vertices[body.keypoints], wanted[55:76], atol=1e-5, rtol=0)


def test_same_body_either_way(body: BodyModel) -> None:
    free = load_free_body()
    order = torch.from_numpy(smplx_order(free))
    assert body.parents == free.parents and torch.equal(order[body.faces], free.faces)
    for name in ("left_hand", "right_hand", "left_foot", "head", "left_eye"):
        assert torch.equal(order[getattr(body, name)].sort().values, getattr(free, name)), name
    assert torch.equal(order[body.flip][order.argsort()], free.flip)
    assert torch.equal(order[body.keypoints], free.keypoints)
    points, wanted = body.mesh_points(body.template), free.mesh_points(free.template)
    assert (points - wanted).norm(dim=1).mean() < 1e-3  # carried over by warping


def test_the_pelvis_is_where_that_of_the_default_body_is(body: BodyModel) -> None:
    joints = body.rest_joints(torch.zeros(10))
    assert joints[0].abs().max() < 1e-5
    free = load_free_body()
    torch.testing.assert_close(joints, free.rest_joints(torch.zeros(10)), atol=1e-5, rtol=0)


def test_tracked_points_are_where_the_default_bodys_are(body: BodyModel) -> None:
    free, betas = load_free_body(), torch.zeros(10)
    for table, most in ((whole_body, 1e-4), (face_mesh, 0.003)):  # metres; the latter warped
        ours, theirs = (table(b).points(b.template, b.rest_joints(betas)) for b in (body, free))
        assert (ours - theirs).norm(dim=1).max() < most


def test_missing_file_names_source_and_terms(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="smpl-x.is.tue.mpg.de") as error:
        load_smplx_body(tmp_path / "SMPLX_MALE.npz")
    assert "non-commercial" in str(error.value) and "SMPLX_MALE.npz" in str(error.value)


def test_what_is_no_such_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "SMPLX_NEUTRAL.npz"
    path.write_text("not a zip")
    with pytest.raises(SvadError, match="not a readable"):
        load_smplx_body(path)
    path.write_bytes(b"PK\x03\x04" + b"cut off")
    with pytest.raises(SvadError, match="not a readable"):
        load_smplx_body(path)
    with path.open("wb") as file:
        np.save(file, np.zeros((4, 3)))
    with pytest.raises(SvadError, match="a single array"):
        load_smplx_body(path)
    np.savez(path, v_template=np.zeros((4, 3)))
    with pytest.raises(SvadError, match="lacks f,"):
        load_smplx_body(path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("posedirs", np.zeros((13524, 3, 207)), "posedirs of SMPLX_NEUTRAL.npz is"),
        ("weights", np.zeros((13523, 55)), "weights of SMPLX_NEUTRAL.npz is"),
        ("f", np.full((27036, 3), 13524), "see f,|see f\\."),
        ("kintree_table", np.zeros((2, 55), int), "its skeleton"),
        ("shapedirs", np.zeros((13524, 3, 10)), "shape space"),
    ],
)
def test_arrays_that_do_not_fit_are_named(
    key: str, value: np.ndarray, words: str, tmp_path: Path, file: Path
) -> None:
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(tmp_path / file.name, **(arrays | {key: value}))
    with pytest.raises(SvadError, match=words):
        load_smplx_body(tmp_path / file.name)


class Trap:
    """Pickled, it makes a folder when it is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


def test_nothing_pickled_is_opened(tmp_path: Path, file: Path) -> None:
    path, sprung = tmp_path / "SMPLX_NEUTRAL.npz", tmp_path / "sprung"
    trap = np.array([Trap(sprung)], dtype=object)
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(path, **(arrays | {"v_template": trap}))
    with pytest.raises(SvadError, match="not a readable"):
        load_smplx_body(path)
    np.savez(path, **arrays, part2num=trap)  # what is not needed is not looked at
    assert len(load_smplx_body(path, **SIZES).template) == len(arrays["v_template"])
    assert not sprung.exists()


def test_the_curl_of_the_hands_can_be_read_alone(file: Path, tmp_path: Path) -> None:
    with np.load(file) as archive:
        both = np.concatenate([archive["hands_meanl"], archive["hands_meanr"]])
    assert np.allclose(mean_hands(file).numpy().ravel(), both, atol=1e-7)
    with pytest.raises(SvadError, match="not a readable"):
        mean_hands(tmp_path / "absent.npz")


def test_pose_correctives_work_on_any_device(body: BodyModel) -> None:
    rest = body.rest(torch.zeros(10))
    moved = {
        f.name: value.to("meta") for f in fields(body)
        if isinstance(value := getattr(body, f.name), torch.Tensor)
    }  # fmt: skip
    elsewhere = replace(body, **moved)
    posed = elsewhere.pose_vertices(
        RestBody(rest.vertices.to("meta"), rest.joints.to("meta")),
        torch.zeros(55, 3, device="meta"), torch.zeros(3, device="meta"),
    )  # fmt: skip
    assert posed.device.type == "meta" and posed.shape == rest.vertices.shape
