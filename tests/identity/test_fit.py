"""The camera and eye optimisation against the golden runs, and on heads whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from svad.body.flame import Flame, Rest, make_flame
from svad.config.identity import HeadFitConfig
from svad.identity.fit import (
    EyeHead,
    Fit,
    Targets,
    agree,
    fit,
    project,
    regressed_camera,
    resect,
    start_camera,
    start_rotation,
)
from tests.identity.detected import Heads, project_heads, share_identity
from tests.identity.golden import Case, cases
from tests.identity.synth_flame import synth_flame


@pytest.fixture(scope="module")
def flame() -> Flame:
    return make_flame(synth_flame(0))


def test_parity_of_the_first_camera(golden_root) -> None:
    for case in cases(golden_root, "emoca_to_camera*"):
        given = (case.inputs[k] for k in ("globalpose", "points3d", "points2d"))
        case.check("current", regressed_camera(*given))


def test_parity_of_the_detected_mesh(golden_root) -> None:
    for case in cases(golden_root, "vgg_reproject*"):
        head, given = make_flame(synth_flame(case.config["synth_seed"])), case.inputs
        mesh, points = project_heads(
            head, Heads.of(given), given["normalize.padding"], given["normalize.scale"]
        )
        case.check("vertices", mesh[:, ::11])
        case.check("landmarks", points)


def test_parity_of_the_optimisation(golden_root) -> None:
    for case in cases(golden_root, "tracker_optim*"):
        _compare(case)


def _compare(case: Case) -> None:
    flame, given = make_flame(synth_flame(case.config["synth_seed"])), case.inputs
    seen = {k.removeprefix("vgg_results."): v for k, v in given.items()}
    mesh, points = project_heads(
        flame, Heads.of(seen), seen["normalize.padding"], seen["normalize.scale"]
    )
    face = {k.removeprefix("emica_results."): v for k, v in given.items()}
    shape = share_identity(face["shapecode"]) if case.config["share_id"] else face["shapecode"]
    rest, jaw = flame.express(flame.identity(shape), face["expcode"]), face["jawpose"]
    pose = torch.cat([torch.zeros_like(jaw), jaw], 1)
    vertices = flame.pose(rest, pose, torch.zeros_like(pose))
    landmarks = seen["lmks_2d70"]
    targets = Targets(landmarks, points[:, :68], agree(landmarks, points), mesh)
    steps, found = case.config["steps"], {}

    def note(step: int, result: Fit) -> None:
        if step in steps:
            found[step] = result

    start = start_camera(regressed_camera(face["globalpose"], vertices, mesh))
    fit(flame, rest, jaw, start, targets, HeadFitConfig(steps=max(steps)), note)
    for step in steps:
        case.check(f"eyecode_step{step}", found[step].eyes)
        case.check(f"transform_matrix_step{step}", found[step].camera)
    case.check("shapecode", shape)
    case.check("posecode", pose)


def turned(angle: float) -> Tensor:  # [1, 3, 4]
    """A camera in front of a head that looks aside."""
    rotation = start_rotation(torch.tensor([[0.1, angle, -0.05]]))
    return torch.cat([rotation, torch.tensor([[[0.05], [-0.03], [8.6]]])], -1)


def person(flame: Flame, seed: int = 1) -> Rest:
    generator = torch.Generator().manual_seed(seed)
    shape, expression = (torch.randn(1, n, generator=generator) for n in (300, 100))
    return flame.express(flame.identity(shape), expression)


@pytest.mark.parametrize("angle", [0.0, 0.6, -0.6])
def test_resection_finds_the_translation(flame: Flame, angle: float) -> None:
    camera, few = turned(angle), flame.for_landmarks()
    points = few.landmarks(few.pose(person(few), torch.zeros(1, 6), torch.zeros(1, 6)))
    found = resect(camera[..., :3], points, project(points, camera))
    assert torch.allclose(found, camera[..., 3], atol=1e-3)


def test_landmarks_alone_bring_camera_and_eyes_back(flame: Flame) -> None:
    few, jaw = flame.for_landmarks(), torch.tensor([[0.2, 0.0, 0.0]])
    rest, camera = person(few), turned(0.4)
    eyes = torch.tensor([[0.05, -0.1, 0.0, 0.05, -0.1, 0.0]])
    pose = torch.cat([torch.zeros(1, 3), jaw], 1)
    seen = project(few.landmarks(few.pose(rest, pose, eyes)), camera)
    start = turned(0.43)
    start = torch.cat([start[..., :3], start[..., 3:] + torch.tensor([0.1, 0.1, 0.4])[:, None]], -1)
    targets = Targets(seen, seen[:, :68], torch.tensor([True]))
    found = fit(few, rest, jaw, start, targets)
    again = project(few.landmarks(few.pose(rest, pose, found.eyes)), found.camera)
    before = project(few.landmarks(few.pose(rest, pose, torch.zeros(1, 6))), start)
    assert (before - seen).norm(dim=-1).mean() > 10
    assert (again - seen).norm(dim=-1).mean() < 1.0  # px


def test_few_vertices_give_what_the_whole_head_gives(flame: Flame) -> None:
    rest, jaw, start = person(flame), torch.zeros(1, 3), turned(0.1)
    vertices = flame.pose(rest, torch.zeros(1, 6), torch.zeros(1, 6))
    seen = project(flame.landmarks(vertices), turned(0.0))
    targets = Targets(seen, seen[:, :68], torch.tensor([True]), contour=False)
    few, short = flame.for_landmarks(), HeadFitConfig(steps=5)
    whole = fit(flame, rest, jaw, start, targets, short)
    part = fit(few, person(few), jaw, start, targets, short)
    assert torch.allclose(whole.camera, part.camera, atol=1e-5)
    assert torch.allclose(whole.eyes, part.eyes, atol=1e-5)


def test_eyes_move_only_what_hangs_on_them(flame: Flame) -> None:
    """On a head whose eyes move few vertices only these are turned, with the same result."""
    weights = flame.weights.clone()
    weights[500:, 3:] = 0
    directions = flame.pose_directions.clone()
    directions[18:, 500:] = 0
    head = replace(flame, weights=weights, pose_directions=directions)
    jaw, eyes = torch.full((1, 3), 0.1), torch.full((1, 6), 0.2)
    turner = EyeHead(head, person(head), jaw)
    want = head.pose(person(head), torch.cat([torch.zeros(1, 3), jaw], 1), eyes)
    assert len(turner.rows) == 500
    assert torch.allclose(turner.vertices(eyes), want, atol=1e-6)


def test_a_net_that_is_not_trusted_has_no_say(flame: Flame) -> None:
    few, jaw, start = flame.for_landmarks(), torch.zeros(1, 3), turned(0.2)
    points = project(
        few.landmarks(few.pose(person(few), torch.zeros(1, 6), torch.zeros(1, 6))), turned(0.1)
    )
    found = [
        fit(
            few,
            person(few),
            jaw,
            start,
            Targets(net, points[:, :68], torch.tensor([False])),
            HeadFitConfig(steps=3),
        )
        for net in (points, points + 100)
    ]
    assert torch.equal(found[0].camera, found[1].camera)
    assert not torch.equal(found[0].camera, start)


def test_sources_agree_by_the_inner_points(flame: Flame) -> None:
    generator = torch.Generator().manual_seed(0)
    points = 500 * torch.rand(2, 70, 2, generator=generator)
    other = points.clone()
    other[:, :17] += 300  # the contour is not asked
    other[1, 17:] += 8.0
    assert agree(points, other).tolist() == [True, False]
