"""The default body file: what it must contain, what it must not be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from svad.body.free import DATA_FILE, load_free_body, read_body
from svad.body.model import BodyModel
from svad.body.skeleton import JOINTS, PARENTS
from svad.core.errors import MissingFile

LISTS = (
    *("left_hand", "right_hand", "left_foot", "right_foot", "left_eye", "right_eye"),
    *("head", "face", "cavity", "keypoints"),
)


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_free_body()


def test_file_is_small_and_its_licence_lies_beside_it() -> None:
    assert DATA_FILE.stat().st_size <= 5e6
    assert "CC0 1.0" in (DATA_FILE.parent / "LICENSE-CC0.md").read_text()
    assert "MakeHuman" in (DATA_FILE.parent / "NOTICE.md").read_text()


def test_skeleton_is_one_tree_in_the_standard_order(body: BodyModel) -> None:
    assert body.parents == PARENTS and len(JOINTS) == len(PARENTS) == 55
    assert body.parents.count(-1) == 1
    assert all(parent < joint for joint, parent in enumerate(body.parents))
    wrists = {20: range(25, 40), 21: range(40, 55)}
    for wrist, fingers in wrists.items():
        assert [body.parents[j] for j in fingers[::3]] == [wrist] * 5
    for left in (1, 4, 7, 10, 13, 16, 18, 20, 23):
        assert JOINTS[left].startswith("left_") and body.joint_template[left, 0] > 0


def test_weights(body: BodyModel) -> None:
    assert (body.weights.sum(1) - 1).abs().max() < 1e-6
    assert (body.weights >= 0).all() and ((body.weights > 0).sum(1) <= 4).all()
    assert len(torch.unique(body.weights.argmax(1))) == 55  # each joint leads some vertices
    rebuilt = torch.zeros_like(body.weights).scatter_(1, body.joint_ids, body.joint_weights)
    torch.testing.assert_close(rebuilt, body.weights, atol=1e-6, rtol=0)


def test_joints_lie_inside_the_body(body: BodyModel) -> None:
    assert (body.regressor >= 0).all()
    torch.testing.assert_close(body.regressor.sum(1), torch.ones(55), atol=1e-5, rtol=0)
    low, high = body.template.amin(0), body.template.amax(0)
    assert ((body.joint_template > low) & (body.joint_template < high)).all()
    assert body.joint_template[0].norm() < 1e-5
    for vertices in (body.left_hand, body.right_hand, body.head):
        assert len(vertices) > 1000


def test_mesh_is_closed_and_consistently_turned(body: BodyModel) -> None:
    corners = body.faces
    edges = torch.cat([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    count = len(body.template)
    directed = edges[:, 0] * count + edges[:, 1]
    assert len(torch.unique(directed)) == len(directed)
    reverse = edges[:, 1] * count + edges[:, 0]
    assert torch.equal(torch.sort(directed).values, torch.sort(reverse).values)
    a, b, c = (body.template[corners[:, k]].double() for k in range(3))
    volume = (a * torch.linalg.cross(b, c, dim=1)).sum() / 6
    assert 0.04 < volume < 0.09  # cubic metres, and positive: faces point outward


def test_lists_are_inside_and_where_they_should_be(body: BodyModel) -> None:
    count = len(body.template)
    for name in LISTS:
        ids = getattr(body, name)
        assert len(ids) and ids.min() >= 0 and ids.max() < count, name
        assert name == "keypoints" or len(torch.unique(ids)) == len(ids)
    assert len(body.keypoints) == 21
    assert torch.equal(body.flip[body.flip], torch.arange(count))
    for side in ("hand", "foot", "eye"):
        left, right = getattr(body, f"left_{side}"), getattr(body, f"right_{side}")
        assert torch.equal(torch.sort(body.flip[left]).values, right)
        assert (body.template[left, 0] > 0).all()
    nose, right_eye, left_eye, right_ear, left_ear = body.template[body.keypoints[:5]]
    assert nose[2] > max(left_eye[2], right_eye[2]) > max(left_ear[2], right_ear[2])
    assert left_ear[0] > left_eye[0] > nose[0] > right_eye[0] > right_ear[0]
    mouth = body.landmarks(body.template)[48:]
    inside = body.template[body.cavity]
    assert inside[:, 2].max() < mouth[:, 2].max() and inside[:, 0].abs().max() < 0.05


def test_landmarks_sit_on_the_face(body: BodyModel) -> None:
    points = body.landmarks(body.template)
    assert points.shape == (68, 3)
    for weights in (body.landmark_weights, body.mesh_weights):
        torch.testing.assert_close(weights.sum(1), torch.ones(len(weights)), atol=1e-5, rtol=0)
        assert (weights >= 0).all()
    mirror = points * torch.tensor([-1.0, 1, 1])
    jaw, brows, nose = points[:17], points[17:27], points[27:36]
    torch.testing.assert_close(mirror[:17].flip(0), jaw, atol=2e-3, rtol=0)
    assert (jaw.diff(dim=0)[:, 0] > -0.003).all() and jaw[8, 1] == jaw[:, 1].min()
    assert (brows[:, 1] > points[36:48, 1].max() - 0.005).all()
    assert (nose[:4].diff(dim=0)[:, 1] < 0).all() and nose[3, 2] > jaw[8, 2]
    eyes = points[36:48].view(2, 6, 3).mean(1)
    for eye, ids in zip(eyes, (body.right_eye, body.left_eye), strict=True):
        assert (eye - body.template[ids].mean(0))[:2].norm() < 0.008
    upper, lower = points[48:55, 1].mean(), points[55:60, 1].mean()
    assert nose[:, 1].min() > upper > lower > jaw[8, 1]
    iris = body.mesh_points(body.template)[468:]
    assert (iris[:5, 0] < 0).all() and (iris[5:, 0] > 0).all()


def test_people_differ_as_people_do(body: BodyModel) -> None:
    top, bottom = body.template[:, 1].argmax(), body.template[:, 1].argmin()
    rise = body.shape_dirs[top, 1] - body.shape_dirs[bottom, 1]
    assert 1.55 < body.template[top, 1] - body.template[bottom, 1] < 1.8
    assert 0.065 < rise.norm() < 0.095  # standard deviation of stature, unit normal betas
    female, male = (body.rest(b).vertices for b in body.builds)
    assert male[:, 1].max() > female[:, 1].max() + 0.03
    spread = body.shape_dirs.square().mean((0, 1))
    assert (spread.diff() <= 1e-9).all()  # strongest direction first
    symmetric = (body.shape_dirs[body.flip] * torch.tensor([-1.0, 1, 1])[:, None]) - body.shape_dirs
    assert symmetric[..., :10].norm(dim=1).mean() < 5e-4


def test_no_bust_on_neutral_and_male_bodies(body: BodyModel) -> None:
    female, male = (body.rest(b).vertices for b in body.builds)
    chest = (body.weights[:, 9] > 0.3) & (female[:, 1] > 0.24) & (female[:, 1] < 0.36)
    side = chest & (female[:, 0] > 0.05) & (female[:, 0] < 0.12)
    tip = torch.where(side, female[:, 2], torch.tensor(-1.0)).argmax()
    middle = chest & (female[:, 0].abs() < 0.01) & (female[:, 2] > 0)
    distance = (female[:, 1] - female[tip, 1]).abs()
    bone = torch.where(middle, distance, torch.tensor(1.0)).argmin()

    def bust(vertices: torch.Tensor) -> float:
        """How far the chest stands out before the breastbone, metres."""
        return float(vertices[tip, 2] - vertices[bone, 2])

    assert bust(female) > 0.025
    assert max(bust(body.template), bust(male)) < 0.012


def test_expressions_move_what_their_names_say(body: BodyModel) -> None:
    names = body.expression_names
    assert len(names) == 43 and "jawOpen" in names
    points = body.landmarks(body.template)
    corners = body.faces[body.landmark_faces]

    def moved(name: str) -> torch.Tensor:
        dirs = body.expression_dirs[..., names.index(name)]
        return (dirs[corners] * body.landmark_weights[..., None]).sum(1)

    assert moved("jawOpen")[8, 1] < -0.01  # chin down
    assert moved("mouthSmileLeft")[54, 0] > 0.002 and moved("mouthSmileLeft")[48].norm() < 0.002
    lid = moved("eyeBlinkLeft")
    assert lid[[43, 44], 1].max() < -0.002 and lid[[37, 38]].norm() < 1e-3
    still = torch.ones(len(body.template), dtype=torch.bool)
    still[body.face] = False
    assert body.expression_dirs[still].norm(dim=1).max() < 2e-5
    assert points[:, 1].min() > 0.5


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="tools.body.bake"):
        read_body(tmp_path / "none.npz")
