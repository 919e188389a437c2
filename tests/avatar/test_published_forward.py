"""The published avatar in a pose: parity with golden numbers, forward and backward."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from svad.avatar.published.forward import FramePose
from svad.avatar.published.layer import Identity
from svad.avatar.published.method import IMPROVED
from tests.avatar.golden import PARTS, Golden, golden
from tests.fill import seed_of, tensor

SLICES = {"root": 0, "body": slice(1, 22), "jaw": 22, "leye": 23, "reye": 24}
SLICES |= {"lhand": slice(25, 40), "rhand": slice(40, 55)}
FORWARD, GRADIENT = 1e-5, 1e-3  # absolute; relative to the largest entry of a gradient


@pytest.fixture(scope="module")
def made(golden_root: Path) -> Golden:
    return golden(golden_root / "avatar")


@pytest.fixture(scope="module")
def want(golden_root: Path) -> dict[str, Tensor]:
    with np.load(golden_root / "avatar" / "human_forward.npz") as archive:
        return {key: torch.from_numpy(archive[key]) for key in archive.files}


def close(found: Tensor, wanted: Tensor, what: str, atol: float = FORWARD) -> None:
    torch.testing.assert_close(
        found, wanted, atol=atol, rtol=0, msg=lambda text: f"{what}: {text}"
    )


def square(transforms: Tensor) -> Tensor:
    last = torch.tensor([0, 0, 0, 1.0]).expand(len(transforms), 1, 4)
    return torch.cat([transforms, last], 1)


def test_the_rest_person_matches_golden_numbers(made: Golden, want: dict[str, Tensor]) -> None:
    rest = made.avatar.rest(made.person)
    close(rest.mesh, want["mesh_neutral_pose"], "mesh")
    close(rest.coarse, want["mesh_neutral_pose_wo_upsample"], "coarse mesh")
    close(rest.joints, want["joint_zero_pose"], "joints in the zero pose")
    close(square(rest.unposed), want["transform_mat_neutral_pose"], "to the zero pose")


def test_both_branches_match_golden_numbers(
    made: Golden, want: dict[str, Tensor], golden_root: Path
) -> None:
    avatar = made.avatar
    features = avatar.network.features(made.buffers)
    close(features[::8], want["tri_feat_every8"], "features")
    with torch.no_grad():
        rest = avatar.rest(made.person)
        posed = avatar.posed(rest, made.frame, made.view)
    close(posed.offset, want["mean_offset"], "offset")
    close(posed.pose_offset, want["mean_offset_offset_masked"], "pose offset")
    assert torch.equal(posed.nearest, want["nn_vertex_idxs"].long())
    for name, branch in (("", posed.base), ("_refined", posed.refined)):
        close(branch.means, want[f"mean_3d{name}"], f"means{name}")
        close(branch.scales, want[f"scale{name}"], f"scales{name}")
        close(branch.colours, want[f"rgb{name}"], f"colours{name}")
    close(posed.scale_offset[:, None], want["scale_offset"], "scale offset")
    close(posed.colour_offset, want["rgb_offset"], "colour offset")
    close(posed.offset + posed.correction, want["combined_offset"], "offsets")
    with np.load(golden_root / "avatar" / "human_forward_worldcoord.npz") as archive:
        wanted = torch.from_numpy(archive["mean_3d_every4"])
    with torch.no_grad():
        close(avatar.posed(rest, made.frame).base.means[::4], wanted, "in the camera")


def test_gradients_match_golden_numbers(
    made: Golden, want: dict[str, Tensor], golden_root: Path
) -> None:
    seed, avatar = seed_of(golden_root / "avatar"), made.avatar
    person = Identity(
        made.person.betas.clone().requires_grad_(),
        made.person.joint_offset.clone().requires_grad_(),
        made.person.face_offset,
    )
    inputs = (made.frame.rows, made.frame.expression, made.frame.translation)
    rows, expression, translation = (value.clone().requires_grad_() for value in inputs)
    frame = FramePose(rows, expression, translation)
    refined = avatar.posed(avatar.rest(person), frame, made.view).refined
    count = len(refined.means)
    parts = (refined.means, refined.colours, refined.scales[:, None])
    weights = (tensor(f"w.{n}", (count, c), seed) for n, c in (("mean", 3), ("rgb", 3), ("scale", 1)))
    scalar = sum(((p * w).sum() for p, w in zip(parts, weights, strict=True)), torch.zeros(()))
    torch.testing.assert_close(scalar.detach(), want["grad_scalar"], rtol=1e-4, atol=0)
    planes = (avatar.network.triplane, avatar.network.triplane_face)
    wanted = {"shape_param": person.betas, "joint_offset": person.joint_offset}
    wanted |= {"smplx.expr": expression, "smplx.trans": translation}
    found = torch.autograd.grad(scalar, [*wanted.values(), rows, *planes])
    grads = dict(zip(wanted, found, strict=False))
    grads |= {f"smplx.{part}_pose": found[4][SLICES[part]] for part in PARTS}
    for name, grad in grads.items():
        golden_grad = want[f"grad.{name}"]
        error = (grad - golden_grad).abs().max() / golden_grad.abs().max()
        assert error < GRADIENT, f"{name}: {error:.1e}"
    for name, grad in zip(("triplane", "triplane_face"), found[5:], strict=True):
        torch.testing.assert_close(grad.norm(), want[f"grad_{name}_norm"], rtol=GRADIENT, atol=0)
