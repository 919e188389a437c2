"""Skinning: properties, and parity with published numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body import lbs
from svad.body.skeleton import PARENTS
from svad.geometry import rotation as rot
from tests.fill import seed_of, tensor

TOLERANCE = 1e-5  # float32 forward values


def golden(root: Path, name: str) -> dict[str, torch.Tensor]:
    with np.load(root / "avatar" / f"{name}.npz") as archive:
        return {key: torch.from_numpy(archive[key]) for key in archive.files}


def some_rotations(count: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, 3, generator=generator, dtype=torch.float64)


def test_rigid_chain_matches_published_numbers(golden_root: Path) -> None:
    want = golden(golden_root, "lbs")
    seed = seed_of(golden_root / "avatar")
    joints = tensor("rt.joints", (55, 3), seed)
    angles = 0.5 * tensor("rt.pose", (55, 3), seed)
    turn, place = lbs.rigid_chain(rot.rodrigues(angles), joints, PARENTS)
    torch.testing.assert_close(place, want["rigid_posed_joints"], atol=TOLERANCE, rtol=0)
    transforms = lbs.joint_transforms(angles, joints, PARENTS)
    torch.testing.assert_close(
        transforms, want["rigid_rel_transforms"][:, :3], atol=TOLERANCE, rtol=0
    )
    assert turn.shape == (55, 3, 3)


def test_chain_and_skin_gradients() -> None:
    generator = torch.Generator().manual_seed(3)
    joints = torch.randn(55, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    points = torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    ids = torch.randint(0, 55, (4, 4), generator=generator)
    weights = torch.rand(4, 4, generator=generator, dtype=torch.float64)
    angles = some_rotations(55, scale=0.3).requires_grad_()

    def forward(points: torch.Tensor, joints: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
        return lbs.skin(points, ids, weights, lbs.joint_transforms(angles, joints, PARENTS))

    assert torch.autograd.gradcheck(forward, (points, joints, angles), fast_mode=True)


def test_batches_equal_single_poses() -> None:
    generator = torch.Generator().manual_seed(4)
    joints = torch.randn(55, 3, generator=generator, dtype=torch.float64)
    points = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    ids = torch.randint(0, 55, (6, 4), generator=generator)
    weights = torch.rand(6, 4, generator=generator, dtype=torch.float64)
    angles = some_rotations(3 * 55, scale=0.5).view(3, 55, 3)
    together = lbs.skin(points, ids, weights, lbs.joint_transforms(angles, joints, PARENTS))
    for pose, result in zip(angles, together, strict=True):
        alone = lbs.skin(points, ids, weights, lbs.joint_transforms(pose, joints, PARENTS))
        torch.testing.assert_close(result, alone)


def test_children_before_parents_are_refused() -> None:
    with pytest.raises(ValueError, match="before its parent"):
        lbs.rigid_chain(torch.eye(3).expand(2, 3, 3), torch.zeros(2, 3), (1, -1))
