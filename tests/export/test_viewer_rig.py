"""The compact avatar for the viewer: what the documented reader finds in it is the avatar."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svad.body.skin import pose_gaussians
from svad.export.viewer_rig import thinned_avatar, viewer_rig_bytes
from svad.geometry.rotation import quaternion_to_axis_angle, quaternion_to_matrix
from svad.motion.authored import authored
from svad.splat.gaussians import Gaussians
from svad.types import Avatar, Pose
from tests.helpers import tiny_avatar

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
COUNT = 1500


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    """With tilted, uneven Gaussians, each on four joints."""
    made = tiny_avatar(COUNT)
    random = torch.Generator().manual_seed(2)
    quats = torch.nn.functional.normalize(torch.randn(COUNT, 4, generator=random), dim=1)
    scales = made.gaussians.scales * (0.3 + torch.rand(COUNT, 3, generator=random))
    weights = made.joint_weights + 0.2 * torch.rand(COUNT, 4, generator=random)
    return replace(
        made,
        gaussians=replace(made.gaussians, quats=quats, scales=scales),
        joint_weights=weights / weights.sum(1, keepdim=True),
    )


@pytest.fixture(scope="module")
def read(avatar: Avatar, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """What the page's code reads."""
    path = tmp_path_factory.mktemp("viewer") / "viewer.rig"
    path.write_bytes(viewer_rig_bytes(avatar))
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    return names["load_viewer"](path)


def test_numbers_come_back_within_their_rounding(avatar: Avatar, read: tuple[Any, ...]) -> None:
    about, data, cloud, dirs = read
    light = thinned_avatar(avatar, COUNT)  # the same Gaussians in the file's order
    g = light.gaussians
    span = max(about["span"])
    assert np.abs(cloud["means"] - g.means.numpy()).max() <= 0.51 * span / 65535 + 1e-6
    step = about["log_sizes"][1] / 255
    assert np.abs(np.log(cloud["scales"] / g.scales.numpy())).max() <= 0.51 * step
    same = np.abs((cloud["quats"] * g.quats.numpy()).sum(1))
    assert np.degrees(2 * np.arccos(same.clip(0, 1))).max() < 1.0  # 127 steps, four of them
    for name, value in (("colors", g.colors), ("opacities", g.opacities)):
        assert np.abs(cloud[name] - value.numpy()).max() <= 0.51 / 255
    assert (data["weights"].sum(1) == 255).all() and (
        np.diff((data["weights"] > 0).astype(int)) <= 0
    ).all()
    moved = np.zeros((2, COUNT, *dirs.shape[1:]))
    moved[0, data["face_splats"]], moved[1, light.expression_ids] = dirs, light.expression_dirs
    lost = max(5e-5, 0.51 * max(about["face_steps"]))  # metres; smaller directions are left out
    assert np.abs(moved[0] - moved[1]).max() <= lost


def test_it_moves_as_the_avatar_does(avatar: Avatar, read: tuple[Any, ...]) -> None:
    about, data, cloud, dirs = read
    light = thinned_avatar(avatar, COUNT)
    small = {k: torch.from_numpy(v).float() for k, v in cloud.items()}
    packed = replace(
        light,
        gaussians=Gaussians(**{k: small[k] for k in vars(light.gaussians)}),
        joint_ids=small["joint_ids"].long(),
        joint_weights=small["joint_weights"],
        expression_ids=torch.from_numpy(data["face_splats"].astype(np.int64)),
        expression_dirs=torch.from_numpy(dirs),
    )
    frame = 50
    turns, faces = data["wave.turns"][frame] / 32767, data["wave.faces"][frame] / 4096
    rotations = quaternion_to_axis_angle(torch.from_numpy(turns))
    shift = torch.from_numpy(data["wave.shifts"][frame])
    pose = Pose(rotations.float(), shift, torch.from_numpy(faces).float())
    ours = authored()["wave"].for_avatar(avatar).poses[frame]
    a, b = pose_gaussians(light, ours), pose_gaussians(packed, pose)
    # weights of 8 bits: 1/510 of what two joints differ by, half a metre at most
    assert (a.means - b.means).norm(dim=1).max() < 2e-3
    assert (quaternion_to_matrix(a.quats) - quaternion_to_matrix(b.quats)).abs().max() < 0.04
    assert [one["name"] for one in about["motions"]] == ["stand", *authored()]
    assert about["motions"][1]["frames"] == len(data["turn.turns"])


def test_it_is_small(avatar: Avatar) -> None:
    """25 bytes each before gzip, and the motions: 360,000 stay below 10 MB with a whole face."""
    light, lighter = (len(opened(avatar, limit)) for limit in (COUNT, COUNT // 2))
    directions = avatar.expression_ids.numel() * (4 * len(avatar.expression_names) + 5)
    assert light - lighter <= 25 * (COUNT - COUNT // 2) + directions + 64
    assert 25 * 360_000 + lighter + directions < 10e6
    assert len(viewer_rig_bytes(avatar)) < 0.8 * light


def opened(avatar: Avatar, limit: int = COUNT) -> bytes:
    return gzip.decompress(viewer_rig_bytes(avatar, limit))


def test_faces_stay_whole_where_heads_are_too_many(avatar: Avatar) -> None:
    ids = avatar.expression_ids[:20]
    few = replace(avatar, expression_ids=ids, expression_dirs=avatar.expression_dirs[:20])
    thin = thinned_avatar(few, 2 * int(len(avatar.expression_ids) * 0.8))
    assert len(thin.expression_ids) == 20
    assert len(thin.gaussians) < COUNT and thin.gaussians.scales.max() > 0
    size = avatar.gaussians.scales[ids].sort(dim=0).values
    assert torch.allclose(thin.gaussians.scales[thin.expression_ids].sort(dim=0).values, size)


def test_what_is_not_finite_is_left_out_and_the_rest_is_the_same(avatar: Avatar) -> None:
    means = avatar.gaussians.means.clone()
    means[7] = torch.nan
    broken = replace(avatar, gaussians=replace(avatar.gaussians, means=means))
    assert viewer_rig_bytes(broken) == viewer_rig_bytes(broken)
    data = opened(broken)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["places"]["shape"] == [COUNT - 1, 3]
    assert np.isfinite(json.loads(header["__metadata__"]["viewer"])["low"]).all()
