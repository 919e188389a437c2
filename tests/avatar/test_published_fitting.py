"""What the published fit begins with: parity with golden numbers, and what must hold anyway."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from svad.avatar.published.fitting import (
    first_depth,
    keypoint_box,
    smoothed,
    smoothed_turns,
    square_box,
)


@pytest.fixture(scope="module")
def want(golden_root: Path) -> dict[str, np.ndarray]:
    with np.load(golden_root / "avatar" / "fitting_helpers.npz") as archive:
        return {key: archive[key] for key in archive.files}


def test_smoothing_matches_golden_numbers(want: dict[str, np.ndarray]) -> None:
    assert np.allclose(smoothed(want["trans"]), want["trans_smoothed"], atol=1e-5)
    turns = smoothed_turns(torch.from_numpy(want["poses"]).view(30, 2, 3))
    assert np.allclose(turns.view(30, 6), want["poses_smoothed"], atol=1e-5)


def test_boxes_and_depth_match_golden_numbers(want: dict[str, np.ndarray]) -> None:
    box = keypoint_box(want["kpt_xy"], want["kpt_valid"])
    # pixels of some hundreds in float32
    assert np.allclose(box, want["bbox"], atol=1e-3)
    square = square_box(box)
    assert np.allclose(square, want["bbox_square"], atol=1e-3)
    assert first_depth(square, (2000, 2000)) == pytest.approx(want["init_depth"], rel=1e-5)


def test_even_turns_stay_and_do_not_jump_past_half_a_turn() -> None:
    """Half way round the axis-angle turns to its opposite; the quaternions go on."""
    angles = torch.linspace(2.5, 3.9, 30)
    turns = torch.zeros(30, 1, 3)
    turns[:, 0, 1] = torch.where(angles > torch.pi, angles - 2 * torch.pi, angles)
    found = smoothed_turns(turns)[:, 0, 1]
    away = torch.remainder(found - angles + torch.pi, 2 * torch.pi) - torch.pi
    assert away.abs().max() < 1e-3  # a parabola through a sine of so small steps


def test_without_key_points_there_is_no_box() -> None:
    with pytest.raises(ValueError, match="no key point"):
        keypoint_box(np.zeros((3, 2)), np.zeros(3))
