"""Still pictures: straight alpha, sizes, framing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.body.poser import Poser
from svad.body.skin import pose_gaussians
from svad.export.stills import draw_front, draw_poses, draw_views, over_white
from svad.splat.cutout import cutout
from svad.splat.gaussians import isotropic
from svad.splat.render import render
from tests.helpers import tiny_avatar, tiny_subject


def test_front_is_the_photo_camera_with_straight_alpha() -> None:
    avatar = tiny_avatar()
    front = draw_front(avatar, 192, 256)
    assert front.shape == (256, 192, 4) and front.dtype == np.uint8
    drawn = render(pose_gaussians(avatar, avatar.pose[0]), avatar.camera)
    back = front[..., :3] / 255 * (front[..., 3:] / 255)  # premultiplied again
    assert np.abs(back - drawn.image[0].numpy()).max() < 0.01
    matte = tiny_subject().matte > 127
    mine = front[..., 3] > 127
    assert (matte & mine).sum() > 0.97 * matte.sum()  # soft Gaussians reach a little farther
    assert (matte & mine).sum() > 0.7 * mine.sum()
    with pytest.raises(ValueError, match="192 x 256"):
        draw_front(avatar, 100, 256)


def test_colour_goes_on_where_nothing_is() -> None:
    avatar = tiny_avatar(3000)
    red = torch.tensor([0.8, 0.2, 0.1]).expand(3000, 3)
    g = pose_gaussians(avatar, avatar.pose[0])
    front = cutout(isotropic(g.means, g.scales[:, 0], red, opacity=0.9), avatar.camera)
    solid, empty = front[..., 3] > 250, front[..., 3] == 0
    around = np.zeros_like(solid)
    for dy, dx in ((0, 6), (0, -6), (6, 0), (-6, 0)):
        around |= np.roll(solid, (dy, dx), (0, 1))
    around[:10] = around[-10:] = False
    ring = front[around & empty][:, :3].astype(int)
    assert len(ring) > 50 and np.abs(ring - (204, 51, 26)).max() < 20


def test_views_go_around_in_one_framing() -> None:
    avatar = tiny_avatar()
    g = pose_gaussians(avatar, avatar.pose[0])
    views = list(draw_views(g, 4, 240))
    assert len({v.shape for v in views}) == 1 and views[0].shape[0] == 240
    assert views[0].shape[1] % 2 == 0
    front, left, back, right = (v.astype(int) for v in views)

    def nose(view: np.ndarray) -> int:
        red = (view[..., 0] > 150) & (view[..., 1] < 100) & (view[..., 3] > 200)
        return int(red.sum())

    assert nose(front) > 10 and nose(back) == 0
    rows = [np.flatnonzero((v[..., 3] > 127).any(1)) for v in (front, left, back, right)]
    tops, feet = {r[0] for r in rows}, {r[-1] for r in rows}
    assert max(tops) - min(tops) < 6 and max(feet) - min(feet) < 9  # the same size everywhere
    assert min(tops) > 3 and max(feet) < 236
    # seen from the person's left, the nose points to the left of the picture
    mask = left[..., 3] > 127
    toes = np.flatnonzero(mask[max(feet) - 3])
    shins = np.flatnonzero(mask[max(feet) - 60])
    assert toes.mean() < shins.mean()


def test_poses_are_named_and_differ() -> None:
    pictures = dict(draw_poses(Poser.of(tiny_avatar()), 160))
    assert set(pictures) == {"arms_up", "squat", "walk"}
    for picture in pictures.values():
        assert picture.shape[0] == 160 and picture.shape[2] == 4
        assert 0.02 < (picture[..., 3] > 127).mean() < 0.6

    def shape(name: str) -> float:
        rows, columns = np.nonzero(pictures[name][..., 3] > 127)
        return np.ptp(rows) / np.ptp(columns)

    assert shape("squat") < shape("arms_up")


def test_over_white() -> None:
    picture = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 51]]], np.uint8)
    assert over_white(picture)[0].tolist() == [[10, 20, 30], [255, 255, 255], [204, 204, 204]]
