"""Clips of people who turn, and of those who do not, looked through by eyes that read cards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from svad.config.footage import FootageConfig
from svad.core.errors import SourceError, Stopped
from svad.core.progress import silent
from svad.footage import sentences as say
from svad.footage.clip import from_clip
from svad.track.watch import OTHERS
from svad.types import Footage
from tests.footage.acted import ANN, BOB, HEIGHT, Card, PaintedEyes, film, paint
from tests.track.posed import angle

COUNT = 30
AROUND = np.linspace(0, 2 * np.pi, COUNT, endpoint=False)
CONFIG = FootageConfig(frames=12, height=120)
NEAR = np.radians(20)  # a bin of the estimate, and what H.264 does to the cards' colours


def looked(path: Path, pictures: list[np.ndarray], eyes: PaintedEyes | None = None) -> Footage:
    return from_clip(film(path / "a.mp4", pictures), CONFIG, eyes or PaintedEyes(), silent)


def turning(yaw: np.ndarray, **card: int) -> list[np.ndarray]:
    return [paint([Card(float(one), **{"x": 80, **card})]) for one in yaw]


def who(footage: Footage) -> list[float]:
    """What the green of each frame's band tells, where the matte is."""
    tops = [np.argwhere(matte > 127)[0, 0] + 6 for matte in footage.matte]
    return [
        float(np.median(rgb[y][matte[y] > 127][:, 1]))
        for y, rgb, matte in zip(tops, footage.rgb, footage.matte, strict=True)
    ]


def test_a_turn_gives_frames_even_over_it_in_the_order_of_time(tmp_path: Path) -> None:
    footage = looked(tmp_path, turning(AROUND))
    count = len(footage.rgb)
    assert 10 <= count <= 13  # the front may be one more
    assert footage.warnings == ()
    assert (np.diff(footage.time) > 0).all()
    true = AROUND[np.round(footage.time * 10).astype(int)]
    assert angle(footage.yaw, true).max() < NEAR
    assert angle(np.diff(footage.yaw), 0.0).max() < 2 * 2 * np.pi / 12 + NEAR
    assert abs(footage.yaw[footage.front]) < 0.35
    assert footage.photo.rgb.shape == (HEIGHT, 160, 3)  # as large as it came
    assert footage.rgb.shape == (count, 120, 96, 3) and footage.matte.shape == (count, 120, 96)
    assert {(c.width, c.height) for c in footage.cameras} == {(96, 120)}
    assert footage.sharpness.max() <= 1 and footage.sharpness.min() > 0
    # points lie where the person is, in pixels of the frames
    hips = footage.keypoints[:, 11:13, :2].mean(1)
    assert np.abs(hips - (48, 60)).max() < 10


def test_left_and_right_that_were_swapped_are_put_in_order(tmp_path: Path) -> None:
    class Confused(PaintedEyes):
        """Takes left for right in every fifth look."""

        looks = 0

        def body(self, rgb, box):
            seen = super().body(rgb, box)
            self.looks += 1
            if seen is not None and self.looks % 5 == 0:
                order = np.arange(133)
                order[5:17] = order[5:17].reshape(6, 2)[:, ::-1].ravel()
                return type(seen)(seen.keypoints[order], seen.depth[order], seen.soft, seen.box)
            return seen

    footage = looked(tmp_path, turning(AROUND), Confused())
    left, right = footage.keypoints[:, 5, 0], footage.keypoints[:, 6, 0]
    true = AROUND[np.round(footage.time * 10).astype(int)]
    clear = np.abs(np.cos(true)) > 0.5
    assert (((left > right) == (np.cos(true) > 0)) | ~clear).all()


def test_who_does_not_turn_is_a_photo(tmp_path: Path) -> None:
    footage = looked(tmp_path, turning(0.1 * np.sin(AROUND)))
    assert len(footage.rgb) == 1 and footage.front == 0
    assert footage.warnings == (say.NO_TURN,)


def test_half_a_turn_is_used_and_said(tmp_path: Path) -> None:
    footage = looked(tmp_path, turning(np.linspace(-1.5, 1.5, COUNT)))
    assert len(footage.rgb) > 8 and footage.warnings == (say.NO_BACK,)
    (tmp_path / "b").mkdir()
    footage = looked(tmp_path / "b", turning(np.linspace(0, np.pi, COUNT)))
    assert len(footage.rgb) > 8 and footage.warnings == (say.HALF_TURN,)


def test_a_person_who_leaves_for_a_moment_or_for_good(tmp_path: Path) -> None:
    pictures = turning(AROUND)
    empty = [paint([], wall=130 + 5 * (k % 2)) for k in range(18)]  # a repeat is no new frame
    footage = looked(tmp_path, pictures[:20] + empty[:4] + pictures[24:])
    assert say.left_out(4) in footage.warnings
    assert not ((footage.time > 1.95) & (footage.time < 2.35)).any()
    (tmp_path / "b").mkdir()
    with pytest.raises(SourceError, match=r"missing in 1\d of 30 frames"):
        looked(tmp_path / "b", pictures[:12] + empty)


def test_a_clip_of_nobody_and_one_upside_down(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No person was found in the clip"):
        looked(tmp_path, [paint([], wall=100 + k) for k in range(COUNT)])
    with pytest.raises(SourceError, match="upside down"):
        looked(tmp_path, turning(AROUND), PaintedEyes(upside_down=True))


def test_the_largest_of_two_is_followed_while_they_cross(tmp_path: Path) -> None:
    places = np.linspace(20, 140, COUNT).round().astype(int)
    pictures = [
        paint([Card(yaw, 160 - x, who=ANN), Card(0.5, x, 60, 90, BOB, 1)])
        for yaw, x in zip(AROUND, places.tolist(), strict=True)
    ]
    footage = looked(tmp_path, pictures)
    assert OTHERS in footage.warnings
    assert np.abs(np.array(who(footage)) - ANN).max() < 40
    middle = footage.keypoints[:, 11:13, 0].mean(1)  # she walks to the left, all the way
    assert (np.diff(middle) < 5).all() and middle[0] - middle[-1] > 0.5 * 96


def test_frames_are_cut_to_a_person_who_is_small_in_them(tmp_path: Path) -> None:
    footage = looked(tmp_path, turning(AROUND, top=60, height=70))
    height, width = footage.rgb.shape[1:3]
    assert height < 100 and width < 60  # never enlarged
    tall = (footage.matte > 127).any(2).sum(1)
    assert (tall > 0.7 * height).all()
    assert np.abs(footage.keypoints[:, 11:13, 0].mean(1) - width / 2).max() < 4
    assert footage.cameras[0].focal == (2 * height, 2 * height)


def test_stop_is_heard_while_the_frames_are_cut_out(tmp_path: Path) -> None:
    eyes = PaintedEyes(stop_at=3)
    with pytest.raises(Stopped):
        looked(tmp_path, turning(AROUND), eyes)
    assert eyes.cut_out <= 6  # no more begin than are waited for, on a machine of any speed
