"""Closed-form refinement of outline and colours."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from svad.avatar.closed.photo import coloured_by_photo
from svad.avatar.closed.refine import facing, fit_colours, fit_silhouette, well_inside
from svad.body.skeleton import Joint
from svad.body.skin import pose_gaussians
from svad.core.errors import Stopped
from svad.geometry.camera import Camera, photo_camera
from svad.splat.gaussians import Gaussians
from svad.splat.render import render
from tests.helpers import tiny_avatar


@pytest.fixture(scope="module")
def drawn() -> tuple[Gaussians, Camera, np.ndarray, np.ndarray]:
    """A person of splats, the camera, and the picture [H, W, 3] and alpha [H, W] of it."""
    avatar = tiny_avatar(4000, width=96, height=128)
    posed = pose_gaussians(avatar, avatar.pose[0])
    with torch.no_grad():
        picture = render(posed, avatar.camera)
    return posed, avatar.camera, picture.image[0].numpy(), picture.alpha[0].numpy()


def alpha_of(gaussians: Gaussians, camera: Camera) -> np.ndarray:  # [H, W]
    with torch.no_grad():
        return render(gaussians, camera).alpha[0].numpy()


def outline_distance(matte: np.ndarray) -> np.ndarray:  # [H, W] px, both sides
    inside = (matte > 0.5).astype(np.uint8)
    return np.maximum(*(cv2.distanceTransform(m, cv2.DIST_L2, 5) for m in (inside, 1 - inside)))


def shrunk(alpha: np.ndarray) -> np.ndarray:  # [H, W] float32
    """The matte of a slightly thinner person."""
    small = cv2.erode((alpha > 0.5).astype(np.float32), np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(small, (0, 0), 0.6)


def test_silhouette_moves_only_splats_near_the_outline(drawn) -> None:
    posed, camera, _, alpha = drawn
    matte = shrunk(alpha)
    fitted = fit_silhouette(posed, camera, matte, 12, lambda k: None)
    pixels = camera.project(posed.means.numpy())
    x, y = np.floor(pixels[:, :2]).astype(int).T
    far = outline_distance(matte)[y, x] > 7  # px
    changed = (fitted.means != posed.means).any(1).numpy()
    changed |= (fitted.opacities != posed.opacities).numpy()
    assert far.sum() > 100 and changed.sum() > 500
    assert not changed[far].any()
    for same in ("scales", "quats", "colors"):
        assert torch.equal(getattr(fitted, same), getattr(posed, same))


def test_silhouette_comes_nearer_to_the_matte(drawn) -> None:
    posed, camera, _, alpha = drawn
    matte = shrunk(alpha)
    fitted = fit_silhouette(posed, camera, matte, 20, lambda k: None)
    before, after = (np.abs(alpha_of(g, camera) - matte).mean() for g in (posed, fitted))
    assert after < 0.6 * before


def test_splats_slide_along_the_picture_and_by_few_pixels(drawn) -> None:
    posed, camera, _, alpha = drawn
    fitted = fit_silhouette(posed, camera, shrunk(alpha), 12, lambda k: None)
    before, after = (camera.project(g.means.numpy()) for g in (posed, fitted))
    np.testing.assert_allclose(before[:, 2], after[:, 2], atol=1e-4)
    assert np.linalg.norm((after - before)[:, :2], axis=1).max() < 4
    assert fitted.opacities.min() >= 0 and (fitted.opacities <= posed.opacities + 1e-6).all()


def test_silhouette_without_an_outline_changes_nothing(drawn) -> None:
    posed, camera, _, _ = drawn
    away = replace(posed, means=posed.means + torch.tensor([0.0, 0.0, -400.0]))  # a dot
    matte = np.zeros((camera.height, camera.width), np.float32)
    matte[:3, :3] = 1
    assert fit_silhouette(away, camera, matte, 3, lambda k: None) is away


def test_colours_reduce_the_error_round_by_round(drawn) -> None:
    posed, camera, image, alpha = drawn
    inside = well_inside(alpha)
    grey = replace(posed, colors=torch.full_like(posed.colors, 0.5))

    def error(rounds: int) -> float:
        fitted = fit_colours(grey, camera, image, inside, rounds, lambda k: None)
        with torch.no_grad():
            now = render(fitted, camera).image[0].numpy()
        return float(np.abs(now - image)[inside].mean())

    errors = [error(k) for k in (0, 1, 3, 6)]
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[3] < 0.25 * errors[0]


def test_colours_stay_in_range_and_leave_all_else(drawn) -> None:
    posed, camera, image, alpha = drawn
    loud = np.where(image > 0.4, 3.0, -2.0).astype(np.float32)
    fitted = fit_colours(posed, camera, loud, well_inside(alpha), 3, lambda k: None)
    assert fitted.colors.min() >= 0 and fitted.colors.max() <= 1
    assert len(fitted) == len(posed)
    for same in ("means", "scales", "quats", "opacities"):
        assert torch.equal(getattr(fitted, same), getattr(posed, same))


def test_what_the_photo_does_not_show_keeps_its_colour(drawn) -> None:
    posed, camera, image, alpha = drawn
    nowhere = fit_colours(posed, camera, image, np.zeros(alpha.shape, bool), 2, lambda k: None)
    torch.testing.assert_close(nowhere.colors, posed.colors, atol=1e-6, rtol=0)
    left = well_inside(alpha)
    left[:, left.shape[1] // 2 - 6 :] = False
    half = fit_colours(posed, camera, np.zeros_like(image), left, 3, lambda k: None)
    pixels = camera.project(posed.means.numpy())
    right = pixels[:, 0] > left.shape[1] / 2
    torch.testing.assert_close(half.colors[right], posed.colors[right], atol=1e-6, rtol=0)
    assert (half.colors < posed.colors - 0.05).any()


def test_what_the_photo_sees_edge_on_takes_none_of_its_colours(drawn) -> None:
    posed, camera, image, alpha = drawn
    taken = (torch.arange(len(posed)) % 2).float()
    fitted = fit_colours(posed, camera, 1 - image, well_inside(alpha), 3, lambda k: None, taken)
    moved = (fitted.colors - posed.colors).abs().amax(1)
    assert (moved[taken == 0] == 0).all() and (moved[taken == 1] > 0.05).any()


def test_facing_is_the_cosine_between_a_splats_plane_and_the_ray() -> None:
    camera = photo_camera(64, 64)
    turns = torch.tensor([0.0, 0.5, 1.2, torch.pi / 2, torch.pi])
    half = turns / 2
    quats = torch.stack([half.cos(), 0 * half, half.sin(), 0 * half], 1)  # about y
    discs = Gaussians(
        torch.tensor([[0.0, 0.0, -3.0]]).repeat(5, 1),
        torch.tensor([[0.1, 0.1, 0.01]]).repeat(5, 1),
        quats, torch.ones(5), torch.zeros(5, 3),
    )  # fmt: skip
    torch.testing.assert_close(facing(discs, camera), turns.cos().abs(), atol=1e-5, rtol=0)
    balls = replace(discs, scales=torch.full((5, 3), 0.1))
    assert (facing(balls, camera) == 1).all()


def test_the_photo_colours_what_it_sees_squarely_heads_and_the_outline() -> None:
    avatar = tiny_avatar(4000, width=96, height=128)
    posed = pose_gaussians(avatar, avatar.pose[0])
    flat = posed.scales * torch.tensor([1.0, 1.0, 0.1])
    edge_on = torch.tensor([0.5**0.5, 0.0, 0.5**0.5, 0.0]).repeat(len(posed), 1)  # about y
    inside = np.ones((128, 96), np.float32)
    flanks = coloured_by_photo(avatar, replace(posed, scales=flat, quats=edge_on), inside)
    share = ((avatar.joint_ids == Joint.HEAD) * avatar.joint_weights).sum(1)
    head, rest = share > 0.5, share < 0.2
    pixels = avatar.camera.project(posed.means.numpy())
    middle = torch.from_numpy((pixels[:, :2] > 9).all(1) & (pixels[:, :2] < (87, 119)).all(1))
    middle &= torch.from_numpy(np.abs(pixels[:, 0] - 48) < 4) & rest  # rays go straight on there
    assert head.any() and (flanks[head] == 1).all()
    assert middle.sum() > 50 and (flanks[middle] < 0.1).all()
    square = coloured_by_photo(avatar, replace(posed, scales=flat), inside)
    assert (square[middle] > 0.9).all()
    narrow = np.zeros_like(inside)
    narrow[:, 44:52] = 1  # all of it is outline
    assert (
        coloured_by_photo(avatar, replace(posed, scales=flat, quats=edge_on), narrow) == 1
    ).all()


def test_flanks_of_arms_leave_the_photo_to_their_dots() -> None:
    avatar = tiny_avatar(4000, width=96, height=128)
    posed = pose_gaussians(avatar, avatar.pose[0])
    turn = torch.tensor([0.4]).acos() / 2  # the cosine at which they are seen
    quats = torch.stack([turn.cos(), 0 * turn, turn.sin(), 0 * turn], 1).repeat(len(posed), 1)
    posed = replace(posed, scales=posed.scales * torch.tensor([1.0, 1.0, 0.1]), quats=quats)
    posed = replace(posed, means=posed.means * torch.tensor([0.0, 0.1, 1.0]))  # straight ahead
    inside = np.ones((128, 96), np.float32)

    def taken(joint: int) -> torch.Tensor:
        bound = torch.full_like(avatar.joint_ids, joint)
        return coloured_by_photo(replace(avatar, joint_ids=bound), posed, inside)

    assert (taken(Joint.LEFT_ELBOW) < 0.1).all() and (taken(Joint.RIGHT_WRIST) < 0.1).all()
    assert (taken(Joint.SPINE1) > 0.9).all() and (taken(Joint.LEFT_KNEE) > 0.9).all()


def test_background_does_not_colour_the_person(drawn) -> None:
    posed, camera, image, alpha = drawn
    green = image + (1 - alpha[..., None]) * np.array([0, 1, 0], np.float32)
    a, b = (
        fit_colours(posed, camera, picture, well_inside(alpha), 2, lambda k: None)
        for picture in (image, np.where(well_inside(alpha)[..., None], image, green))
    )
    torch.testing.assert_close(a.colors, b.colors)


@pytest.mark.parametrize("fit", ["silhouette", "colours"])
def test_every_round_is_told_and_may_stop(drawn, fit: str) -> None:
    posed, camera, image, alpha = drawn
    rounds: list[int] = []

    def tell(k: int) -> None:
        rounds.append(k)
        if k == 2:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        if fit == "silhouette":
            fit_silhouette(posed, camera, alpha, 9, tell)
        else:
            fit_colours(posed, camera, image, well_inside(alpha), 9, tell)
    assert rounds == [0, 1, 2]


def test_core_is_well_inside() -> None:
    matte = np.zeros((20, 20), np.float32)
    matte[4:16, 4:16] = 1
    matte[4:16, 10] = 0.9
    inner = well_inside(matte)
    assert inner[6, 6] and not inner[4].any() and not inner[:, 9:12].any()
