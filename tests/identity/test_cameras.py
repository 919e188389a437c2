"""Cameras, the image plane and the drawing of the head against golden arrays."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch

from svad.identity.cameras import NEAR, raster_camera, turntable
from svad.identity.planes import direction_code, image_plane
from svad.splat.covariance import axes, covariances
from svad.splat.gaussians import Gaussians
from svad.splat.render import render
from tests.identity.golden import cases
from tools.bench import reference


def test_image_planes(golden_root: Path) -> None:
    for case in cases(golden_root, "planes*"):
        seen = 0
        for name in case.expected:
            numbers = re.fullmatch(r"(points|dirs)_(\d+)_(\d+)(_sub)?", name)
            assert numbers, name
            kind, camera, size, part = numbers.groups()
            camera = case.inputs["transforms"][int(camera)]
            points, direction = image_plane(camera, int(size), case.config["focal"])
            step = int(re.search(r"0::(\d+)", case.config["sub"]).group(1)) if part else 1
            case.check(name, points[::step] if kind == "points" else direction)
            seen += 1
        assert seen > 2


def test_direction_codes(golden_root: Path) -> None:
    for case in cases(golden_root, "harmonic*"):
        case.check("embed", direction_code(case.inputs["dirs"]))


def test_cameras_are_those_of_the_rasteriser(golden_root: Path) -> None:
    for case in cases(golden_root, "camera*"):
        views = [raster_camera(camera, 512, 512) for camera in case.inputs["transforms"]]
        points = case.inputs["points"].numpy()
        matrices = np.zeros((len(views), 4, 4), np.float32)
        for matrix, view in zip(matrices, views, strict=True):
            matrix[:3, :3], matrix[:3, 3], matrix[3, 3] = view.rotation, view.translation, 1
        case.check("w2c", matrices)
        case.check("view_rowvec", matrices.transpose(0, 2, 1))
        fx, fy = views[0].focal
        cx, cy = views[0].center
        case.check("K", torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]))
        pixels = np.stack([view.project(points)[:, :2] for view in views])
        case.check("uv_gsplat", pixels)
        case.check("screen_p3d", pixels)
        case.check("pix_rasteriser", pixels - 0.5)
        # the published projection matrix says the same, but for the depth
        row = np.concatenate([points, np.ones_like(points[:, :1])], 1)
        clip = row @ case.expected["full_proj_rowvec"].numpy()
        ndc = clip[..., :2] / clip[..., 3:]
        case.check("screen_p3d", (ndc + 1) * 256)


def test_turntable_cameras(golden_root: Path) -> None:
    for case in cases(golden_root, "camera*"):
        azimuths = case.inputs["azimuth_deg"].tolist()
        names = [name for name in case.expected if name.startswith("lookat")]
        assert "lookat" in names
        for name in names:
            distance = name.removeprefix("lookat").removeprefix("_").replace("p", ".")
            case.check(name, turntable(azimuths, *([float(distance)] if distance else [])))


def test_a_turntable_camera_looks_at_the_head_from_its_side() -> None:
    camera = raster_camera(turntable([90.0], distance=10.0, elevation=0.0)[0], 64, 64)
    np.testing.assert_allclose(camera.project(np.zeros((1, 3)))[0], (32, 32, 10), atol=1e-5)
    # the person's left is at +x, so it is near; +z, where the face looks, is on the left
    x, y, z = camera.project(np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]], np.float32)).T
    assert z[0] < 10 and x[1] < 32 and (y < 32).all()


def test_drawing_of_wide_pictures(golden_root: Path) -> None:
    for case in cases(golden_root, "raster*"):
        given, config = case.inputs, case.config
        matrices = covariances(given["scales"], given["rotations_as_given"])
        gaussians = Gaussians(
            given["xyz"], *axes(matrices), given["opacities"][:, 0], given["colors"]
        )
        width, height = config["width"], config["height"]
        camera = raster_camera(given["transform"], width, height, config["focal_ndc"])
        doubles = Gaussians(*(value.double() for value in vars(gaussians).values()))
        centers, blurred, depths = reference.project(doubles, camera)
        drawn = case.expected["radii"] > 0  # nothing is said of the others
        for name, values in {
            "cov3d_xx_xy_xz_yy_yz_zz": upper(matrices),
            "means2d_pixel0": centers - 0.5,
            "cov2d_xx_xy_yy": upper(blurred),
            "conic": upper(torch.linalg.inv(blurred)),
            "depth": depths[:, None],
        }.items():
            expected = case.expected[name].reshape(len(drawn), -1)
            found = torch.where(drawn[:, None], values, expected)
            case.check(name, found.reshape(case.expected[name].shape))

        picture = render(gaussians, camera, near=NEAR)
        case.check("image", picture.image[0].permute(2, 0, 1))
        case.check("final_T", 1 - picture.alpha[0])
        same = render(gaussians, camera, covariances=matrices, near=NEAR)
        case.check("image", same.image[0].permute(2, 0, 1))


def upper(matrices: torch.Tensor) -> torch.Tensor:  # [N, k, k] -> [N, k (k + 1) / 2], row by row
    rows, columns = torch.triu_indices(*matrices.shape[1:])
    return matrices[:, rows, columns]
