"""The published terms: parity with golden numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from svad.avatar.published.forward import vertex_normals, warm
from svad.avatar.published.losses import (
    Surroundings,
    cut,
    over_colour,
    photometric,
    regularisers,
    structural_similarity,
)
from svad.avatar.regularisers import (
    arm_colour,
    arm_pairs,
    hand_colour,
    inward_of_hand,
    joint_asymmetry,
    laplacian_change,
    mesh_laplacian,
    mesh_neighbours,
)
from tests.avatar.golden import Golden, golden
from tests.fill import seed_of, tensor

COUNT = 1536
# Forward values: float32 on pictures and positions of order one.
FORWARD = 1e-5


@pytest.fixture(scope="module")
def folder(golden_root: Path) -> Path:
    return golden_root / "avatar"


@pytest.fixture(scope="module")
def made(folder: Path) -> Golden:
    return golden(folder)


@pytest.fixture(scope="module")
def want(folder: Path) -> dict[str, Tensor]:
    with np.load(folder / "losses.npz") as archive:
        return {key: torch.from_numpy(archive[key]) for key in archive.files}


@pytest.fixture(scope="module")
def pictures(folder: Path) -> tuple[Tensor, Tensor, Tensor]:
    seed, shape = seed_of(folder), (1, 3, 40, 36)
    out, target = (tensor(f"loss.{n}", shape, seed).sigmoid() for n in ("out", "target"))
    return out, target, (tensor("loss.mask", (1, 1, 40, 36), seed) > 0).float()


def close(found: Tensor, wanted: Tensor, atol: float = FORWARD) -> None:
    torch.testing.assert_close(found, wanted, atol=atol, rtol=0)


def test_image_terms_match_golden_numbers(
    pictures: tuple[Tensor, Tensor, Tensor], want: dict[str, Tensor]
) -> None:
    out, target, mask = pictures
    x, y, width, height = want["bbox"][0].tolist()
    box = cut((x, y, width, height))
    away, likeness = photometric(out, target, box)
    close(away, want["rgb_bbox"])
    close(likeness, want["ssim_map_bbox"])
    masked, _ = photometric(out, over_colour(target, mask, want["bg"]), box)
    close(masked, want["rgb_bbox_mask_bg"])
    close(photometric(out, target)[0].mean(), want["rgb_full_mean"])
    close(structural_similarity(out, target), want["ssim_map"])
    outside = structural_similarity(out * (1 - mask), target * (1 - mask))
    close(outside, want["ssim_map_mask"])


def test_laplacians_match_golden_numbers(
    made: Golden, want: dict[str, Tensor], folder: Path
) -> None:
    seed = seed_of(folder)
    x, y = (0.1 * tensor(f"lap.{n}", (1, COUNT, 3), seed)[0] for n in "xy")
    near = mesh_neighbours(made.avatar.plans[-1].faces, COUNT)
    change = laplacian_change(x, y, near)
    close(change[::8], want["lap_pair_every8"])
    close(change.mean(), want["lap_pair"])
    close(mesh_laplacian(x, near).square().mean(), want["lap_self"])


def test_hands_arms_and_joints_match_golden_numbers(
    made: Golden, want: dict[str, Tensor], folder: Path
) -> None:
    seed, buffers = seed_of(folder), made.buffers
    mesh = made.avatar.rest(made.person).mesh
    # Normals of small triangles: the golden ones differ by 6e-6 between two orders of summing.
    close(vertex_normals(mesh, made.avatar.plans[-1].faces), want["vertex_normals"], 2e-5)
    offset = 0.01 * tensor("hand.offset", (1, COUNT, 3), seed)[0, buffers.hands]
    normals = made.avatar.normals(mesh)[buffers.hands]
    close(inward_of_hand(offset, normals)[None], want["hand_mean"], 2e-5)
    colours = tensor("lap.rgb", (1, COUNT, 3), seed)[0].sigmoid()
    hands = hand_colour(colours, (buffers.left_hand, buffers.right_hand))
    close(hands.unflatten(0, (2, -1)).sum(0)[None], want["hand_rgb"])
    index = torch.arange(COUNT)
    depth = tensor("arm.z", (COUNT, 1), seed)[:, 0]
    height = tensor("arm.mesh", (COUNT, 2), seed)[:, 1]
    arm = torch.stack([index % 7 * 0.005, 0.3 * height, 0.1 * depth], 1)
    upper, lower = (index >= 100) & (index < 700), (index >= 800) & (index < 860)
    close(arm_colour(colours, arm_pairs(arm, upper, lower))[None], want["arm_rgb"])
    close(joint_asymmetry(0.01 * tensor("sym.jo", (55, 3), seed)), want["joint_sym"])


@pytest.mark.parametrize("warmup", [True, False])
def test_regularisers_match_golden_numbers(made: Golden, folder: Path, warmup: bool) -> None:
    avatar, person = made.avatar, made.person
    rest = avatar.rest(person)
    near = mesh_neighbours(avatar.plans[-1].faces, COUNT)
    nobody = torch.zeros(COUNT, dtype=torch.bool)
    about = Surroundings(
        rest.mesh, avatar.normals(rest.mesh), near,
        arm_pairs(rest.mesh, nobody, nobody), person.joint_offset,
    )  # fmt: skip
    with torch.no_grad():
        posed = avatar.posed(rest, made.frame, made.view)
        drawn = (posed.base.scales, posed.refined.scales)
        drawn = (warm(drawn[0]), warm(drawn[1])) if warmup else drawn
        found = regularisers(posed, drawn, person.joint_offset, made.buffers, about)
    golden_numbers = json.loads((folder / "reg_losses.json").read_text())
    for key, wanted in golden_numbers.items():
        name, _, flag = key.partition("|warmup=")
        if flag == str(warmup):
            # sums of squares weighted by up to 1e5: float32 leaves 1e-5 of their size
            assert found[name].item() == pytest.approx(wanted, rel=1e-4, abs=1e-9), name
