"""Exposure that drifts, brought back to that of the front picture."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from svad.film.exposure import background_gains, evened, garment_gains
from svad.types import Footage
from tests.footage.turning import turning

COUNT = 8
GAINS = 1 + 0.2 * np.sin(np.arange(COUNT)[:, None] + [0.0, 0.4, 0.9])  # [T, 3]
GAINS[2] = 1


def wall(seed: int) -> np.ndarray:  # [200, 150, 3] levels
    noise = np.random.default_rng(seed).uniform(60, 190, (13, 10, 3)).astype(np.float32)
    return cv2.resize(noise, (150, 200), interpolation=cv2.INTER_CUBIC)


def exposed(rgb: np.ndarray, gains: np.ndarray) -> np.ndarray:
    return np.clip(rgb * gains[:, None, None] + 0.5, 0, 255).astype(np.uint8)


def before(walls: list[np.ndarray]) -> Footage:
    """The turning figure before walls, rightly exposed; the front is number 2."""
    footage = turning(COUNT)
    away = footage.matte[..., None] == 0
    rgb = np.where(away, np.clip(np.stack(walls), 0, 255), footage.rgb)
    return replace(footage, rgb=rgb.astype(np.uint8), front=2)


def test_a_drift_is_found_by_what_stands_still_behind() -> None:
    even = before([wall(0)] * COUNT)
    drifting = replace(even, rgb=exposed(even.rgb, GAINS))
    assert background_gains(drifting) == pytest.approx(GAINS, rel=0.02)
    back = evened(drifting)
    unclipped = drifting.rgb < 250
    off = np.abs(back.astype(int) - even.rgb)[unclipped]
    assert off.mean() < 2 and off.max() <= 6
    assert np.array_equal(back[2], even.rgb[2])  # the front is as it was


def test_one_picture_in_which_nothing_can_be_told_keeps_its_light() -> None:
    even = before([wall(0)] * 3 + [wall(7)] + [wall(0)] * 4)
    gains = background_gains(replace(even, rgb=exposed(even.rgb, GAINS)))
    assert (gains[3] == 1).all()  # another wall
    assert gains[4] == pytest.approx(GAINS[4], rel=0.02)
    filled = even.matte.copy()
    filled[5] = 255
    assert (background_gains(replace(even, matte=filled))[5] == 1).all()  # no wall


def test_walls_that_move_tell_nothing() -> None:
    moving = before([wall(k) for k in range(COUNT)])
    assert (background_gains(moving) == 1).all()
    assert np.array_equal(evened(moving), moving.rgb)


def test_bright_colours_do_not_wrap() -> None:
    even = before([wall(0)] * COUNT)
    rgb = even.rgb.copy()
    rgb[:, 90:100, 70:80] = np.arange(246, 256).repeat(3).reshape(10, 1, 3)  # a white button
    dark = exposed(rgb, np.where(np.arange(COUNT)[:, None] == 2, 1.0, 0.75))
    dark[:, 90:100, 70:80] = rgb[:, 90:100, 70:80]
    back = evened(replace(even, rgb=dark))
    assert (back[:, 90:100, 70:80] >= 246).all()
    order = np.argsort(dark[0, :, 3, 0], kind="stable")
    assert (np.diff(back[0, order, 3, 0].astype(int)) >= 0).all()


def photos(colours: list[tuple[int, int, int]]) -> Footage:
    """Standing figures before walls of their own: head, shirt, trousers."""
    count = len(colours) // 3
    footage = turning(count, clip=False)
    rgb = np.stack([wall(k) for k in range(count)])
    matte = np.zeros_like(footage.matte)
    matte[:, 20:180, 50:100] = 255
    for k in range(count):
        for part, (first, last) in enumerate(((20, 54), (54, 110), (110, 180))):
            rgb[k, first:last, 50:100] = colours[3 * k + part]
    return replace(footage, rgb=np.clip(rgb, 0, 255).astype(np.uint8), matte=matte)


FACE, HAIR, SHIRT, JEANS = (200, 160, 140), (60, 40, 30), (150, 60, 50), (60, 70, 120)


def test_photos_are_told_by_the_garments_though_hair_is_no_face() -> None:
    even = photos([FACE, SHIRT, JEANS, HAIR, SHIRT, JEANS])
    gains = np.array([[1, 1, 1], [1.2, 1.15, 1.1]])
    warm = replace(even, rgb=exposed(even.rgb, gains))
    assert garment_gains(warm) == pytest.approx(gains, rel=0.02)
    solid = even.matte > 0
    assert np.abs(evened(warm)[solid].astype(int) - even.rgb[solid]).mean() < 2


def test_a_print_on_the_back_is_no_light() -> None:
    """Where the shirt has other hues behind, the trousers tell."""
    even = photos([FACE, SHIRT, JEANS, HAIR, (40, 150, 60), JEANS])
    gains = np.array([[1, 1, 1], [1.15, 1.15, 1.15]])
    found = garment_gains(replace(even, rgb=exposed(even.rgb, gains)))
    assert found == pytest.approx(gains, rel=0.03)


def test_other_clothes_tell_nothing_and_neither_does_an_empty_matte() -> None:
    other = photos([FACE, SHIRT, JEANS, HAIR, (40, 150, 60), (240, 220, 90)])
    assert (garment_gains(other) == 1).all()
    assert (garment_gains(replace(other, matte=0 * other.matte)) == 1).all()
