"""What gsplat is asked for; its pictures are held to ours in `test_render`."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from svad.geometry.camera import orbit_camera
from svad.splat.gaussians import Gaussians
from svad.splat.render import render
from tools.bench.reference import project
from tools.bench.scene import body_like_scene


def test_projection_is_that_of_gsplat():
    """The reference's centres and covariances against the PyTorch code of the installed gsplat."""
    gsplat = pytest.importorskip("gsplat.cuda._torch_impl")
    gaussians, _ = body_like_scene(200, 64, seed=12, sigma=(0.5, 20.0))
    camera = orbit_camera(np.array([0.3, 0.1, -4.0]), 1.5, 0.5, 0.2, 96, 64, 48)
    view = torch.eye(4)
    view[:3, :3], view[:3, 3] = map(torch.from_numpy, (camera.rotation, camera.translation))
    intrinsics = torch.tensor([[96.0, 0, 32], [0, 96.0, 24], [0, 0, 1]])
    covariances, _ = gsplat._quat_scale_to_covar_preci(gaussians.quats, gaussians.scales)
    _, centers, depths, conics, _ = gsplat._fully_fused_projection(
        gaussians.means, covariances, view[None], intrinsics[None], 64, 48
    )
    ours, blurred, z = project(gaussians, camera)
    inverse = torch.linalg.inv(blurred)
    assert (ours - centers[0]).abs().max() < 1e-3 and (z - depths[0]).abs().max() < 1e-5
    packed = torch.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]], -1)
    assert (packed - conics[0]).abs().max() < 1e-4


def test_gsplat_is_asked_the_right_way(monkeypatch):
    """What reaches gsplat; the picture itself needs a GPU."""
    asked = {}

    def rasterization(means, quats, scales, opacities, colors, viewmats, Ks, *size, **options):
        asked.update(locals())
        picture = torch.zeros(*viewmats.shape[:-2], size[1], size[0], colors.shape[-1])
        return picture, picture[..., :1], {}

    monkeypatch.setitem(sys.modules, "gsplat", SimpleNamespace(rasterization=rasterization))
    gaussians, camera = body_like_scene(20, 32)
    gaussians.means[3] = float("nan")
    drawn = render(gaussians, [camera, camera], torch.ones(20, 7), backend="gsplat")
    assert drawn.image.shape == (2, 32, 32, 7) and drawn.alpha.shape == (2, 32, 32)
    assert asked["means"].isfinite().all() and asked["opacities"][3] == 0
    assert torch.equal(asked["opacities"][4:], gaussians.opacities[4:])
    assert torch.equal(asked["quats"][4:], gaussians.quats[4:])
    placed = torch.cat([gaussians.means[4:], torch.ones(16, 1)], 1) @ asked["viewmats"][1].T
    pixels = placed[:, :3] @ asked["Ks"][1].T
    expected = camera.project(gaussians.means[4:].numpy())
    np.testing.assert_allclose(pixels[:, :2] / pixels[:, 2:], expected[:, :2], atol=1e-3)
    wanted = {"near_plane": 0.01, "eps2d": 0.3, "rasterize_mode": "classic", "channel_chunk": 32}
    assert asked["options"] == wanted and asked["size"] == (32, 32)
    matrices = torch.eye(3).expand(20, 3, 3).clone()
    matrices[5] = float("inf")
    render(gaussians, camera, covariances=matrices, near=0.2, backend="gsplat")
    assert asked["options"]["near_plane"] == 0.2
    given = asked["options"]["covars"]
    assert torch.equal(given[6:], matrices[6:]) and given.isfinite().all()
    assert asked["opacities"][5] == 0
    moved = gaussians.means + torch.zeros(2, 1, 1)
    posed = Gaussians(**vars(gaussians) | {"means": moved})
    assert render(posed, [camera, camera], backend="gsplat").image.shape == (2, 32, 32, 3)
    assert asked["options"]["packed"] is False and asked["viewmats"].shape == (2, 1, 4, 4)
    assert asked["means"].shape == (2, 20, 3) and asked["colors"].shape == (2, 20, 3)
