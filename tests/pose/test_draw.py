"""Stick pictures: pixel by pixel as published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from svad.media.images import read_rgb
from svad.pose.draw import draw_figure, frame_sizes, pose_frames, stick_width
from tests.pose.figures import golden_figure, person


def differing_share(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Pixels that differ, as a share of those that are drawn."""
    assert ours.shape == theirs.shape
    return (ours != theirs).any(-1).sum() / max(1, theirs.any(-1).sum())


@pytest.mark.parametrize("face", [False, True], ids=["", "face"])
def test_drawings_match_the_published_ones(golden: Path, draw_case: str, face: bool) -> None:
    with np.load(golden / "draw.npz") as file:
        data = {key: file[key] for key in file.files if key.startswith(draw_case + "/")}
    height, width = (int(v) for v in data[f"{draw_case}/hw"])
    figure = golden_figure(data, f"{draw_case}/", width / height)
    ours = draw_figure(figure, (height, width), face=face)
    expected = read_rgb(golden / f"draw_{draw_case}{'_face' if face else ''}.png")
    assert differing_share(ours, expected) <= 0.01  # 0 with the OpenCV it was made with


def test_the_widths_of_sticks() -> None:
    lengths = [0, 4.99, 5, 9, 10, 20, 40, 80, 160, 319, 320, 5000]
    assert [stick_width(d) for d in lengths] == [1, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 8]


def test_nobody_seen_is_a_black_picture() -> None:
    nobody = replace(
        person(),
        body_seen=np.zeros(18, bool),
        hands_seen=np.zeros((2, 21), bool),
        face_seen=np.zeros(68, bool),
    )
    assert not draw_figure(nobody, (96, 72), face=True).any()


def test_a_mask_hides_points_that_lie_inside() -> None:
    hidden = replace(person(), hands_seen=np.zeros((2, 21), bool))
    with_hands, without = (draw_figure(f, (400, 300)) for f in (person(), hidden))
    changed = (with_hands != without).any(-1)
    x = np.flatnonzero(changed.any(0))
    assert changed.any() and ((x < 80) | (x > 230)).all()  # only around the wrists


def test_frames_have_the_photo_s_shape_and_blue_first() -> None:
    assert frame_sizes((1080, 1080), (1024, 768)) == ((1024, 1024), (768, 576))
    (frame,) = pose_frames([person()], (400, 300), (400, 300))
    assert frame.shape == (768, 576, 3) and frame.dtype == np.uint8
    colors = {tuple(c) for c in frame.reshape(-1, 3)}
    assert (0, 0, 153) in colors  # neck to right shoulder, dimmed
