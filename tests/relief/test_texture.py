"""Patches of what the photo shows in place of what it hides or what is on the chest alone."""

from __future__ import annotations

import numpy as np
import pytest

from svad.relief.prints import chest_alone
from svad.relief.texture import synthesised

H, W, HEIGHT = 96, 72, 240.0  # px: a torso of a person of that height
RED, WHITE, BLUE = (0.7, 0.1, 0.1), (1.0, 1.0, 1.0), (0.15, 0.2, 0.6)


@pytest.fixture
def mask() -> np.ndarray:  # [H, W] bool
    out = np.zeros((H, W), bool)
    out[6:90, 6:66] = True
    return out


def checks() -> np.ndarray:  # [H, W, 3]
    y, x = np.indices((H, W)) // 5
    return np.where(((y + x) % 2 == 0)[..., None], BLUE, WHITE).astype(np.float32)


def test_a_hole_in_checks_is_filled_with_checks(mask: np.ndarray) -> None:
    hole = np.zeros((H, W), bool)
    hole[35:55, 25:45] = True
    spoilt = np.where(hole[..., None], np.float32(0.5), checks())
    out = synthesised(spoilt, mask & ~hole, hole, 1)
    np.testing.assert_array_equal(out[~hole], spoilt[~hole])
    inner = out[hole]
    light = np.linalg.norm(inner - WHITE, axis=1) < 0.2
    dark = np.linalg.norm(inner - np.float32(BLUE), axis=1) < 0.2
    assert (light | dark).mean() > 0.7  # the two colours of the cloth and no mud between
    assert 0.25 < light.mean() < 0.75
    assert inner.std(0).min() > 0.7 * checks()[mask].std(0).min()


def test_a_hem_stays_at_its_height(mask: np.ndarray) -> None:
    rgb = np.full((H, W, 3), RED, np.float32)
    rgb[50:] = BLUE
    hole = np.zeros((H, W), bool)
    hole[30:70, 26:46] = True
    out = synthesised(np.where(hole[..., None], np.float32(0.4), rgb), mask & ~hole, hole, 1)
    np.testing.assert_allclose(out[34:44, 30:42].mean((0, 1)), RED, atol=0.05)
    np.testing.assert_allclose(out[57:66, 30:42].mean((0, 1)), BLUE, atol=0.05)


@pytest.mark.parametrize("known", [0, 40])
def test_with_too_little_known_the_first_guess_stays(known: int) -> None:
    rgb = np.full((H, W, 3), RED, np.float32)
    seen = np.zeros((H, W), bool)
    seen[0, :known] = True
    np.testing.assert_array_equal(synthesised(rgb, seen, ~seen, 1), rgb)


def test_nothing_to_fill_is_nothing_done(mask: np.ndarray) -> None:
    rgb = checks()
    assert synthesised(rgb, mask, np.zeros((H, W), bool), 1) is rgb


def test_same_seed_same_picture(mask: np.ndarray) -> None:
    hole = np.zeros((H, W), bool)
    hole[35:55, 25:45] = True
    once, again = (synthesised(checks(), mask & ~hole, hole, 5) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_a_print_is_on_the_chest_alone(mask: np.ndarray) -> None:
    rgb = np.full((H, W, 3), RED, np.float32)
    rgb[30:50, 28:44] = WHITE
    alone = chest_alone(rgb, mask, mask, HEIGHT)
    assert alone[32:48, 30:42].all()
    assert not alone[65:].any() and not alone[:, :18].any()


def test_an_open_jacket_wins_over_its_shirt_up_to_its_edge(mask: np.ndarray) -> None:
    rgb = np.full((H, W, 3), RED, np.float32)
    shirt = np.zeros((H, W), bool)
    shirt[6:90, 27:45] = True
    rgb[shirt] = WHITE
    rgb += np.random.default_rng(0).normal(0, 0.01, rgb.shape).astype(np.float32)
    alone = chest_alone(rgb.clip(0, 1), mask, mask, HEIGHT)
    assert alone[shirt].mean() > 0.97
    beyond = np.flatnonzero(alone[20:76].any(0))  # a margin of some pixels, no more
    assert beyond[0] >= 27 - 10 and beyond[-1] <= 44 + 10


@pytest.mark.parametrize("depth", [0.25, 0.5, 0.75])
def test_folds_in_their_shade_go_on_around_the_body(mask: np.ndarray, depth: float) -> None:
    """Shade keeps the hue of its cloth, unlike what is printed on it."""
    rgb = np.full((H, W, 3), (0.93, 0.72, 0.2), np.float32)
    rgb[10:88, 30:38] *= depth
    noise = np.random.default_rng(0).normal(0, 0.01, rgb.shape).astype(np.float32)
    assert not chest_alone((rgb + noise).clip(0, 1), mask, mask, HEIGHT).any()
    rgb[40:50, 30:38] = np.array(BLUE) * depth
    alone = chest_alone((rgb + noise).clip(0, 1), mask, mask, HEIGHT)
    assert alone[42:48, 31:37].all() and not alone[60:].any()


def test_checks_and_hems_go_on_around_the_body(mask: np.ndarray) -> None:
    rgb = checks()
    rgb[70:] = BLUE
    assert chest_alone(rgb, mask, mask, HEIGHT)[mask].mean() < 0.02


def test_thin_cords_on_plain_cloth_are_on_the_chest_alone(mask: np.ndarray) -> None:
    rgb = np.full((H, W, 3), (0.45, 0.6, 0.5), np.float32)
    rgb += np.random.default_rng(0).normal(0, 0.004, rgb.shape).astype(np.float32)
    rgb[20:50, 35:37] = (0.78, 0.85, 0.8)
    alone = chest_alone(rgb.clip(0, 1), mask, mask, HEIGHT)
    assert alone[24:46, 35:37].mean() > 0.9 and not alone[65:].any()


def test_what_was_completed_tells_nothing_of_the_flanks(mask: np.ndarray) -> None:
    """A neckline is found though the completed shoulder has its colour by mistake."""
    rgb = np.full((H, W, 3), BLUE, np.float32)
    rgb[14:40, 28:44] = WHITE
    columns = np.flatnonzero(mask.any(0))
    shoulder = np.zeros((H, W), bool)
    shoulder[14:40, columns[0] : columns[0] + 5] = True
    rgb[shoulder] = WHITE
    assert chest_alone(rgb, mask, mask & ~shoulder, HEIGHT)[18:36, 31:41].all()


def test_a_badge_at_one_side_is_on_the_chest_alone(mask: np.ndarray) -> None:
    rgb = np.full((H, W, 3), RED, np.float32)
    rgb[30:44, 14:26] = WHITE
    rgb[50:80, 56:66] = BLUE  # a sleeveless vest's side, which goes on around the body
    alone = chest_alone(rgb, mask, mask, HEIGHT)
    assert alone[32:42, 16:24].all()
    assert not alone[56:74, 60:66].any()
