"""The FLAME head: parity, a slow reference, its parts, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from svad.body.flame import (
    EYELIDS,
    PARENTS,
    Flame,
    Rest,
    chain,
    load_flame,
    make_flame,
    rotations,
)
from svad.geometry.rotation import rodrigues_published
from svad.weights.strict import WeightsMismatch
from tests.identity.golden import cases
from tests.identity.synth_flame import synth_flame


@pytest.fixture(scope="module")
def asset() -> dict[str, Tensor]:
    return synth_flame(4)


@pytest.fixture(scope="module")
def flame(asset: dict[str, Tensor]) -> Flame:
    return make_flame(asset)


def parameters(count: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Shape, expression, pose and eyes of a few heads."""
    generator = torch.Generator().manual_seed(seed)
    sizes = ((300, 1.0), (100, 1.0), (6, 0.4), (6, 0.3))
    return tuple(s * torch.randn(count, n, generator=generator) for n, s in sizes)


def plain(asset: dict[str, Tensor], shape, expression, pose, eyes) -> Tensor:  # [V, 3]
    """One head in double precision, with 4 x 4 matrices and a loop over joints."""
    a = {k.split(".")[1]: v.double() for k, v in asset.items() if v.is_floating_point()}
    vertices = a["v_template"] + a["shapedirs"] @ torch.cat([shape, expression]).double()
    joints = a["J_regressor"] @ vertices
    vectors = torch.cat([pose[:3], torch.zeros(3), pose[3:], eyes]).double().view(5, 3)
    turns = [torch.linalg.matrix_exp(_cross(v)) for v in vectors]
    feature = torch.stack([turn - torch.eye(3) for turn in turns[1:]]).flatten()
    vertices = vertices + a["posedirs"] @ feature
    world = []
    for joint, parent in enumerate(PARENTS):
        matrix = torch.eye(4, dtype=torch.float64)
        matrix[:3, :3] = turns[joint]
        matrix[:3, 3] = joints[joint] - (joints[parent] if joint else 0)
        world.append(world[parent] @ matrix if joint else matrix)
    result = torch.zeros_like(vertices)
    for joint, matrix in enumerate(world):
        moved = (vertices - joints[joint]) @ matrix[:3, :3].T + matrix[:3, 3]
        result += a["weights"][:, joint, None] * moved
    return result


def _cross(v: Tensor) -> Tensor:
    x, y, z = v.tolist()
    return torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)


def test_parity(golden_root: Path) -> None:
    for case in cases(golden_root, "flame*"):
        head = make_flame(synth_flame(case.config["synth_seed"]))
        given = case.inputs
        rest = head.express(head.identity(given["shape"]), given["expr"])
        large = head.pose(rest, given["pose"], given["eye"], case.config["scale"])
        small = head.pose(rest, given["pose"], given["eye"], 1.0)
        posed = chain(rotations(given["pose"], given["eye"]), rest.joints)[1]
        case.check("vertices_s5", large[:, ::11])
        case.check("vertices_s1", small[:, ::11])
        case.check("landmarks_s5", head.landmarks(large))
        case.check("landmarks_s1_eyes", head.landmarks(small, eyelids=True))
        case.check("joints", posed)


def test_agrees_with_a_plain_reference(flame: Flame, asset: dict[str, Tensor]) -> None:
    shape, expression, pose, eyes = parameters(2)
    found = flame.pose(flame.express(flame.identity(shape), expression), pose, eyes, 1.0)
    for i in range(2):
        want = plain(asset, shape[i], expression[i], pose[i], eyes[i])
        assert (found[i] - want).abs().max() < 2e-6  # metres


def test_one_person_serves_for_many_frames(flame: Flame) -> None:
    shape, expression, pose, eyes = parameters(3)
    person = flame.identity(shape[:1])
    together = flame.pose(flame.express(person, expression), pose, eyes)
    for i in range(3):
        one = flame.express(flame.identity(shape[:1]), expression[i : i + 1])
        alone = flame.pose(one, pose[i : i + 1], eyes[i : i + 1])
        assert torch.allclose(together[i], alone[0], atol=5e-6)


def test_a_part_of_the_head_is_the_head_there(flame: Flame) -> None:
    shape, expression, pose, eyes = parameters(2)
    rows = torch.tensor([7, 0, 5022, 41])
    part = flame.at(rows)

    def posed(head: Flame) -> Tensor:
        return head.pose(head.express(head.identity(shape), expression), pose, eyes)

    assert torch.allclose(posed(part), posed(flame)[:, rows], atol=5e-6)
    few = flame.for_landmarks()
    assert len(few.template) < 250
    for eyelids in (False, True):
        want = flame.landmarks(posed(flame), eyelids=eyelids)
        assert torch.allclose(few.landmarks(posed(few), eyelids=eyelids), want, atol=5e-6)


def test_eyelid_points_lie_on_the_lids(flame: Flame) -> None:
    vertices = flame.template[None]
    plain, lids = flame.landmarks(vertices), flame.landmarks(vertices, eyelids=True)
    changed = (plain != lids).any(-1)[0].nonzero().flatten().tolist()
    assert changed == list(EYELIDS)
    assert torch.equal(lids[0, 37], vertices[0, [2452, 2454]].mean(0))
    assert torch.equal(lids[0, 44], vertices[0, 1217])


def test_a_turn_of_the_root_turns_the_whole_head(flame: Flame) -> None:
    shape, expression, pose, eyes = parameters(1)
    rest = flame.express(flame.identity(shape), expression)
    still = pose * torch.tensor([0, 0, 0, 1, 1, 1])
    turn, root = rodrigues_published(pose[:, :3])[0], rest.joints[0, 0]
    want = (flame.pose(rest, still, eyes, 1.0)[0] - root) @ turn.T + root
    assert torch.allclose(flame.pose(rest, pose, eyes, 1.0)[0], want, atol=2e-6)


def test_gradients_exist_at_rest(flame: Flame) -> None:
    shape, expression, _, _ = parameters(1)
    eyes = torch.zeros(1, 6, requires_grad=True)
    few = flame.for_landmarks()
    rest = few.express(few.identity(shape), expression)
    few.landmarks(few.pose(rest, torch.zeros(1, 6), eyes)).square().sum().backward()
    assert torch.isfinite(eyes.grad).all() and eyes.grad.abs().sum() > 0


def test_the_published_keys_are_the_ones_it_reads(
    golden_root: Path, asset: dict[str, Tensor]
) -> None:
    table = json.loads((golden_root / "head" / "schema_flame_with_eye.json").read_text())
    parts = ("flame_model", "lmk_embeddings")
    wanted = {f"{p}.{key}": tuple(s) for p in parts for key, s in table[p].items()}
    assert {key: tuple(value.shape) for key, value in asset.items()} == wanted
    zeros = {key: torch.zeros(shape) for key, shape in wanted.items()}
    zeros["flame_model.kintree_table"][0] = torch.tensor(PARENTS)
    assert isinstance(make_flame(zeros).identity(torch.zeros(1, 300)), Rest)


def test_reads_its_file_with_any_width_of_integers(
    tmp_path: Path, flame: Flame, asset: dict[str, Tensor]
) -> None:
    narrow = {k: v if v.is_floating_point() else v.int() for k, v in asset.items()}
    save_file({k: v.contiguous() for k, v in narrow.items()}, tmp_path / "flame.safetensors")
    read = load_flame(tmp_path / "flame.safetensors")
    assert read.faces.dtype == torch.int64 and torch.equal(read.landmark_ids, flame.landmark_ids)
    assert read.to("cpu", torch.float64).template.dtype == torch.float64


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.pop("flame_model.posedirs"), "missing: flame_model.posedirs"),
        (lambda a: a.update(extra=torch.zeros(1)), "not known: extra"),
        (lambda a: a.update({"flame_model.f": a["flame_model.f"][:9]}), "another shape"),
        (lambda a: a.update({"flame_model.f": a["flame_model.f"] + 1}), "points outside"),
        (
            lambda a: a.update({"flame_model.kintree_table": torch.zeros(2, 5).long()}),
            "other joints",
        ),
    ],
)
def test_refuses_another_file(asset: dict[str, Tensor], change, words: str) -> None:
    changed = dict(asset)
    change(changed)
    with pytest.raises(WeightsMismatch, match=words):
        make_flame(changed)
