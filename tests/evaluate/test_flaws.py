"""What the eye objects to: each figure grows with its own fault and with no other."""

from __future__ import annotations

import numpy as np
import pytest

from svad.evaluate.flaws import crumbs, flaws, iou, pinholes, ragged

SIZE = 240


@pytest.fixture
def person() -> np.ndarray:  # [H, W] bool
    """An upright ellipse."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    return ((x - 120) / 50) ** 2 + ((y - 120) / 105) ** 2 < 1


def textured(shape: np.ndarray, down: float) -> np.ndarray:  # [H, W, 3] uint8
    """Noise over white, stretched along the rows by so many pixels."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (SIZE, SIZE))
    kernel = np.ones(int(down)) / down**0.5
    noise = np.apply_along_axis(np.convolve, 1, noise, kernel, "same")
    grey = np.where(shape, np.clip(128 + 20 * noise, 0, 255), 255)
    return np.repeat(grey[..., None], 3, -1).astype(np.uint8)


def test_a_whole_person_has_none(person):
    assert pinholes(person) == crumbs(person) == 0
    assert ragged(person) == pytest.approx(1, abs=0.05)  # outlines run along pixels


def test_small_holes_count_and_gaps_between_limbs_do_not(person):
    holed = person.copy()
    holed[100:104, 100:104] = False
    assert pinholes(holed) == pytest.approx(16 / holed.sum())
    holed[140:180, 105:135] = False
    assert pinholes(holed) == pytest.approx(16 / holed.sum())


def test_loose_pieces_are_crumbs(person):
    loose = person.copy()
    loose[20:24, 200:204] = True
    assert crumbs(loose) == pytest.approx(16 / loose.sum())
    assert crumbs(np.zeros_like(person)) == 0


def test_a_frayed_outline_is_ragged(person):
    frayed = person.copy()
    frayed[::3, :118] = np.roll(person, 5, 1)[::3, :118]
    assert ragged(frayed) > 1.2


def test_a_striped_and_dull_back_is_told_from_the_front(person):
    front, back = textured(person, 1), textured(person, 12)
    mattes = np.repeat((255 * person).astype(np.uint8)[None], 4, 0)
    same = flaws(np.stack([front] * 4), mattes)
    assert same["streaks"] == pytest.approx(1) and same["back_dull"] == pytest.approx(1)
    assert flaws(np.stack([front, front, back, front]), mattes)["streaks"] > 1.5
    flat = np.where(person[..., None], 128, 255).astype(np.uint8).repeat(3, -1)
    assert flaws(np.stack([front, front, flat, front]), mattes)["back_dull"] == 0


def test_overlap_of_silhouettes(person):
    matte = (255 * person).astype(np.uint8)
    assert iou(matte, matte) == 1 and iou(0 * matte, 0 * matte) == 1
    half = matte.copy()
    half[120:] = 0
    assert iou(np.stack([matte, half]), matte)[1] == pytest.approx(0.5, abs=0.01)
