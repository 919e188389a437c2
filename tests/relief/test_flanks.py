"""Flanks have the mirror image of what lies before them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch

from svad.body.skeleton import Joint
from svad.geometry.camera import photo_camera
from svad.relief.flanks import with_flanks
from svad.relief.points import BACK, RIM, SIGMA, Points, Sheet, sheet_points
from svad.splat.gaussians import Gaussians
from svad.splat.render import render

H, W, RADIUS = 80, 120, 40.0  # px
CAMERA = photo_camera(W, H)
DISTANCE = 4.0  # metres of the middle
STEP = DISTANCE / CAMERA.focal[0]  # metres of a pixel there


def column(slanted: float = 0.0) -> Sheet:
    """A round column with upright stripes, eight pixels wide, or stripes that lean."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    off = (x + 0.5 - W / 2) / RADIUS
    mask = np.abs(off) < 1
    bulge = (STEP * RADIUS * np.sqrt(np.maximum(1 - off**2, 0))).astype(np.float32)
    stripe = ((x + slanted * y) // 8 % 2)[..., None].astype(np.float32)
    rgb = np.where(stripe > 0, np.float32([0.9, 0.8, 0.2]), np.float32([0.1, 0.4, 0.2]))
    weights = np.zeros((H, W, 22), np.float32)
    weights[..., Joint.PELVIS] = 1
    return Sheet(
        3, (0.0, 0.0), 1, mask, mask.astype(np.float32), DISTANCE - bulge, DISTANCE + bulge, rgb,
        rgb.copy(), weights, weights, mask,
    )  # fmt: skip


def sides(points: Points) -> np.ndarray:  # [P] bool
    """Those in the middle between front and back."""
    depth = CAMERA.project(points.xyz)[:, 2]
    return (points.side == RIM) & (np.abs(depth - DISTANCE) < 0.45 * RADIUS * STEP)


def test_a_stripe_that_leaves_the_picture_is_no_band_across_the_flank() -> None:
    sheet = column(slanted=0.5)
    before = sheet_points(sheet, CAMERA)
    after = with_flanks(before, [sheet], CAMERA).select(np.arange(len(before)))
    rows = sides(before) & (np.abs(before.pixel[:, 1] - H / 2) < 1)
    rows &= before.pixel[:, 0] > W / 2
    assert np.ptp(before.rgb[rows, 0]) < 0.2  # one colour from front to back
    assert np.ptp(after.rgb[rows, 0]) > 0.5  # stripes again


def test_what_the_photo_shows_steeply_is_a_dot_before_its_flank() -> None:
    sheet = column()
    before = sheet_points(sheet, CAMERA)
    after = with_flanks(before, [sheet], CAMERA)
    dots = after.select(np.arange(len(before), len(after)))
    assert len(dots) > 2 * H and dots.seen.all()
    flank = {tuple(p): k for k, p in enumerate(after.pixel[: len(before)]) if before.seen[k]}
    behind = np.array([flank[tuple(pixel)] for pixel in dots.pixel])
    assert not after.seen[behind].any()
    step = CAMERA.project(dots.xyz)[:, 2] / CAMERA.focal[0]
    assert (before.scales[behind].max(1) > 1.98 * SIGMA * step).all()
    gap = CAMERA.project(after.xyz[behind])[:, 2] - CAMERA.project(dots.xyz)[:, 2]
    assert (gap > 0).all()
    np.testing.assert_allclose(dots.scales[:, 0], SIGMA * step, rtol=1e-4)
    # in the photo nothing changes
    old, new = (picture(points) for points in (before, after))
    inside = cv2.erode(sheet.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.abs(new[..., :3] - old[..., :3])[inside].mean() < 0.01
    assert new[..., 3][inside].min() > 0.99


def test_dots_go_back_no_faster_than_they_go_out() -> None:
    sheet = column()
    before = sheet_points(sheet, CAMERA)
    dots = with_flanks(before, [sheet], CAMERA).select(slice(len(before), None))
    rows = np.floor(dots.pixel[:, 1]) == H // 2
    for side in (dots.pixel[:, 0] < W / 2, dots.pixel[:, 0] > W / 2):
        out = np.abs(dots.pixel[rows & side, 0] - W / 2)
        depth = CAMERA.project(dots.xyz[rows & side])[:, 2]
        depth = depth[np.argsort(out)]
        assert len(depth) > 2
        assert (np.diff(depth) < 1.1 * STEP).all()  # the surface itself: 2 steps and more a pixel


def picture(points: Points) -> np.ndarray:  # [H, W, 4]
    """What the camera sees of points, and its alpha."""
    tensors = (points.xyz, points.scales, points.quats, points.opacity, points.rgb)
    with torch.no_grad():
        drawn = render(Gaussians(*(torch.from_numpy(t).float() for t in tensors)), CAMERA)
    return np.concatenate([drawn.image[0].numpy(), drawn.alpha[0].numpy()[..., None]], -1)


def test_front_and_back_meet_in_one_colour() -> None:
    sheet = column()
    points = with_flanks(sheet_points(sheet, CAMERA), [sheet], CAMERA)
    off = (CAMERA.project(points.xyz)[:, 2] - DISTANCE) / STEP
    rim = (points.side == RIM) & (points.pixel[:, 0] > W / 2) & (np.abs(off) < 8)
    assert np.ptp(points.rgb[rim, 0]) > 0.5
    for y in np.unique(points.pixel[rim, 1]):
        row = rim & (points.pixel[:, 1] == y)
        order = np.argsort(off[row])
        np.testing.assert_allclose(off[row][order], -off[row][order[::-1]], atol=0.1)
        colours = points.rgb[row][order]
        np.testing.assert_allclose(colours, colours[::-1], atol=0.1)


def test_what_the_photo_shows_and_other_layers_keep_their_colours() -> None:
    sheet = column()
    points = sheet_points(sheet, CAMERA)
    found = with_flanks(points, [sheet], CAMERA)
    assert found.seen.sum() == points.seen.sum()
    for pixel, rgb in zip(found.pixel[found.seen], found.rgb[found.seen], strict=True):
        x, y = np.floor(pixel).astype(int)
        assert (rgb == sheet.near_rgb[y, x]).all()
    same = found.select(np.arange(len(points)))
    assert (same.rgb != points.rgb)[points.side == BACK].any()
    assert (with_flanks(points, [replace(sheet, layer=2)], CAMERA).rgb == points.rgb).all()
    head = sheet.near_weights * 0
    head[..., Joint.HEAD] = 1
    skull = replace(sheet, near_weights=head, far_weights=head)
    points = sheet_points(skull, CAMERA)
    assert (with_flanks(points, [skull], CAMERA).rgb == points.rgb).all()
