"""Pictures without their background, cut to the person."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from svad.avatar.train.views import MARGIN, box_size, make_view, over, shows_person
from svad.body.skin import pose_gaussians
from svad.geometry.camera import photo_camera
from svad.splat.render import render
from tests.avatar.drawn import first_guess, person

GREEN, WHITE, GREY = (0.1, 0.8, 0.2), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5)
SIZE = 120


def disc(center: tuple[float, float] = (62.3, 50.7), radius: float = 23.4) -> np.ndarray:
    """Coverage of a disc with an antialiased edge two pixels wide: [H, W]."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    away = np.hypot(x - center[0], y - center[1]) - radius
    return np.clip(0.5 - away / 2, 0, 1).astype(np.float32)


def before(alpha: np.ndarray, background: tuple[float, ...]) -> np.ndarray:
    """A disc of two colours before a background: [H, W, 3] uint8."""
    color = np.full((SIZE, SIZE, 3), (0.7, 0.2, 0.3), np.float32)
    color[:, SIZE // 2 :] = (0.2, 0.3, 0.9)
    mixed = color * alpha[..., None] + (1 - alpha[..., None]) * np.asarray(background)
    return np.round(mixed * 255).astype(np.uint8)


def bytes_of(alpha: np.ndarray) -> np.ndarray:
    return np.round(alpha * 255).astype(np.uint8)


@pytest.mark.parametrize("size", [SIZE, SIZE // 2], ids=["as it is", "half as large"])
def test_an_edge_is_the_same_before_white_and_before_green(size: int) -> None:
    alpha, camera = disc(), photo_camera(SIZE, SIZE)
    found = [
        make_view(before(alpha, background), bytes_of(alpha), camera, size)
        for background in (WHITE, GREEN, GREY)
    ]
    edge = (found[0].clear > 0.1) & (found[0].clear < 0.9)
    assert edge.sum() > 50
    for other in found[1:]:
        # two bytes rounded, and coverages under CLEAR or over FULL that count as none or all
        assert (found[0].color - other.color).abs().max() < 0.03
        assert torch.equal(found[0].clear, other.clear)
    # what a matte alone would leave of the background is ten times as much
    naive = [before(alpha, b) / 255 * alpha[..., None] for b in (WHITE, GREEN)]
    assert np.abs(naive[0] - naive[1]).max() > 0.2


def test_over_a_background_it_is_the_picture_before_that_background() -> None:
    alpha, camera = disc(), photo_camera(SIZE, SIZE)
    views = [make_view(before(alpha, WHITE), bytes_of(alpha), camera, SIZE, (90, 90))] * 2
    rows, columns = (
        int(camera.center[1] - views[0].camera.center[1]),
        int(camera.center[0] - views[0].camera.center[0]),
    )
    made = over(views, torch.tensor([GREEN, GREY]))
    for picture, background in zip(made.numpy(), (GREEN, GREY), strict=True):
        true = before(alpha, background)[rows : rows + 90, columns : columns + 90] / 255
        assert np.abs(picture - true).max() < 0.03


def test_the_cut_holds_the_person_and_little_more() -> None:
    alpha, camera = disc(), photo_camera(SIZE, SIZE)
    view = make_view(before(alpha, GREY), bytes_of(alpha), camera, SIZE)
    margin = round(MARGIN * SIZE)
    at = np.argwhere(alpha > 0.02)
    assert view.clear.shape[:2] == tuple(np.ptp(at, 0) + 1 + 2 * margin)
    assert (view.camera.height, view.camera.width) == view.clear.shape[:2]
    assert 1 - view.clear.sum() < 0 and (1 - view.clear).sum() == pytest.approx(
        bytes_of(alpha).sum() / 255, abs=1
    )


@pytest.mark.parametrize("center", [(5.0, 60.0), (115.0, 6.0), (60.0, 118.0)])
def test_a_cut_beyond_the_edge_shows_nothing_there(center: tuple[float, float]) -> None:
    alpha, camera = disc(center), photo_camera(SIZE, SIZE)
    view = make_view(before(alpha, GREY), bytes_of(alpha), camera, SIZE, (80, 70))
    assert view.clear.shape == (80, 70, 1) and view.color.shape == (80, 70, 3)
    assert (view.camera.width, view.camera.height) == (70, 80)
    top, left = (round(camera.center[k] - view.camera.center[k]) for k in (1, 0))
    outside = np.ones((80, 70), bool)
    y, x = np.mgrid[top : top + 80, left : left + 70]
    inside = (y >= 0) & (y < SIZE) & (x >= 0) & (x < SIZE)
    outside = torch.from_numpy(~inside)
    assert outside.any()
    assert (view.clear[outside] == 1).all() and (view.color[outside] == 0).all()
    there = 1 - view.clear[..., 0].numpy()[inside]
    np.testing.assert_allclose(there, alpha[y[inside], x[inside]], atol=0.005)


@pytest.mark.parametrize("size", [None, (64, 50)])
def test_the_cuts_camera_sees_the_person_in_the_cut(size: tuple[int, int] | None) -> None:
    avatar, _, clip = person([0.4])
    view = make_view(clip.rgb[0], clip.matte[0], clip.cameras[0], 80, size)
    posed = pose_gaussians(avatar, clip.poses[0])
    with torch.no_grad():
        seen = render(posed, view.camera).alpha[0]
        whole = render(posed, clip.cameras[0]).alpha[0]
    shift = [round(clip.cameras[0].center[k] - view.camera.center[k]) for k in (1, 0)]
    part = whole[
        max(0, shift[0]) : shift[0] + view.camera.height,
        max(0, shift[1]) : shift[1] + view.camera.width,
    ]
    # the splats of the first guess stand where those of the frame do, but for the belly
    assert seen[: part.shape[0], : part.shape[1]].sub(part).abs().max() < 1e-3
    apart = (seen - (1 - view.clear[..., 0])).abs().mean()
    assert apart < 0.02


def test_pictures_are_never_enlarged() -> None:
    alpha, camera = disc(), photo_camera(SIZE, SIZE)
    one, two = (
        make_view(before(alpha, GREY), bytes_of(alpha), camera, size) for size in (SIZE, 4 * SIZE)
    )
    assert one.color.shape == two.color.shape and two.camera.focal == camera.focal


def test_one_size_holds_the_person_of_every_frame() -> None:
    discs = [disc((60, 60), 10), disc((40, 70), 30), disc((80, 30), 20)]
    tall, wide = box_size(np.stack([bytes_of(d) for d in discs]), SIZE)
    margin = round(MARGIN * SIZE)
    at = np.argwhere(discs[1] > 0.02)
    assert (tall, wide) == tuple(np.ptp(at, 0) + 1 + 2 * margin)
    half = box_size(np.stack([bytes_of(d) for d in discs]), SIZE // 2)
    assert abs(half[0] - tall / 2) <= 3


def test_the_outline_is_a_band_of_the_width_asked_for() -> None:
    alpha, camera = disc(), photo_camera(SIZE, SIZE)
    view = make_view(before(alpha, GREY), bytes_of(alpha), camera, SIZE, (SIZE, SIZE), band=4.0)
    top, left = (round(camera.center[k] - view.camera.center[k]) for k in (1, 0))
    y, x = np.mgrid[top : top + SIZE, left : left + SIZE] + 0.5
    away = np.abs(np.hypot(x - 62.3, y - 50.7) - 23.4)
    outline = view.outline[..., 0].numpy()
    assert set(np.unique(outline)) == {0.0, 1.0}
    assert (outline[away < 3] == 0).all()
    assert (outline[away > 4 * np.sqrt(2) + 1.5] == 1).all()  # corners of a square
    plain = make_view(before(alpha, GREY), bytes_of(alpha), camera, SIZE)
    assert (plain.outline == 1).all()


def test_an_empty_matte_is_a_picture_without_a_person() -> None:
    empty, camera = np.zeros((SIZE, SIZE), np.float32), photo_camera(SIZE, SIZE)
    view = make_view(before(empty, GREEN), bytes_of(empty), camera, SIZE)
    assert (view.clear == 1).all() and (view.color == 0).all()
    assert not shows_person(bytes_of(empty))
    speck = cv2.circle(bytes_of(empty), (60, 60), 2, 255, -1)
    assert not shows_person(speck)
    assert shows_person(bytes_of(disc()))


def test_a_matte_without_background_keeps_the_picture() -> None:
    full, camera = np.ones((SIZE, SIZE), np.float32), photo_camera(SIZE, SIZE)
    picture = before(full, GREY)
    view = make_view(picture, bytes_of(full), camera, SIZE)
    np.testing.assert_allclose(view.color.numpy(), picture / 255, atol=1e-6)


def test_the_first_guess_is_another_person_than_the_true_one() -> None:
    """Or the tests of the training would show nothing."""
    avatar, _, clip = person([0.0])
    assert avatar.gaussians.means.shape == first_guess().gaussians.means.shape
    assert clip.rgb.shape == (1, 80, 80, 3) and shows_person(clip.matte[0])
