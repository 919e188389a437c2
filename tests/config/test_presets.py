"""The presets, and settings that do not go together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from svad.config.avatar import TrainConfig
from svad.config.change import changed
from svad.config.diffusion import DiffusionConfig
from svad.config.film import FilmConfig
from svad.config.preset import as_photo, settings_of
from svad.config.presets import CLIP, PAPER, PHOTO_PRESETS, PRESETS, PREVIEW, QUICK, with_video
from svad.config.restoration import TileConfig
from svad.config.subject import SubjectConfig
from svad.core.errors import SettingError


def test_the_paper_is_as_published() -> None:
    found = PAPER.diffusion
    assert (found.width, found.height, found.steps, found.guidance) == (1024, 1024, 20, 3.5)
    assert (found.context, found.overlap, found.seed, found.solver) == (48, 4, 99, "ddim")
    assert all(found.guides(k) for k in range(20)) and found.frames == 189
    assert found.fit == "keypoints" and QUICK.diffusion.fit == "body"


def test_quick_fits_two_windows_and_guides_in_the_middle() -> None:
    from svad.diffusion.windows import padded_frames, windows

    c = QUICK.diffusion
    assert padded_frames(c.frames, c.context, c.overlap) == c.frames  # no work on padding
    assert len(windows(c.frames, c.context, c.overlap)) == 2
    guided = [c.guides(k) for k in range(c.steps)]
    assert not guided[0] and not guided[-1] and sum(guided) == 6


def test_every_preset_can_be_built_on() -> None:
    assert list(PHOTO_PRESETS) == ["preview", "quick", "paper"]
    assert list(PRESETS) == [*PHOTO_PRESETS, "clip"]
    assert PREVIEW.diffusion is None and PREVIEW.avatar.frames == 0


def test_words_and_estimates_are_no_settings() -> None:
    other = replace(QUICK, title="Fast", note="In a moment.", gpu_seconds={"diffusion": 1})
    assert other == QUICK and settings_of(other) == settings_of(QUICK)
    assert {"name", "seed", "diffusion"} <= set(settings_of(QUICK))
    assert settings_of(replace(QUICK, seed=1)) != settings_of(QUICK)


def test_the_presets_with_a_video_model() -> None:
    assert with_video() == ["quick", "paper"]


def test_every_nth_frame_is_held_out_but_never_the_front() -> None:
    assert FilmConfig(holdout=5).held_out(12) == [5, 10]
    assert FilmConfig(holdout=2).held_out(1) == [] == FilmConfig().held_out(60)
    with pytest.raises(SettingError, match="0 or a whole number from 2 to 1,000, not 1"):
        FilmConfig(holdout=1)


def test_a_single_picture_is_taken_as_the_preview_takes_a_photo() -> None:
    one = as_photo(CLIP)
    assert one.film is None and one.avatar == PREVIEW.avatar and one.subject == CLIP.subject


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SubjectConfig(person_height=640.0), "whole number from 128 to 2,048, not 640.0"),
        (lambda: SubjectConfig(person_height=True), "not True"),
        (lambda: SubjectConfig(person_height=None), "not None"),
        (lambda: DiffusionConfig(guided=()), "guided must be 2 numbers.*not nothing"),
        (lambda: DiffusionConfig(guided=[0.0, 1.0]), "guided must be"),
        (lambda: DiffusionConfig(guided=0.5), "guided must be"),
        (lambda: DiffusionConfig(squash="yes"), "squash must be true or false, not yes"),
        (lambda: DiffusionConfig(turn=3), "turn must be one of paper, even"),
        (lambda: TrainConfig(robust="much"), "robust must be a number"),
        (lambda: replace(PREVIEW, seed=-1), "seed must be"),
        (lambda: replace(PREVIEW, body="mannequin"), "body must be one of default"),
    ],
)
def test_a_value_of_another_kind_is_a_sentence(make: Callable, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        make()


def test_numbers_of_numpy_are_numbers() -> None:
    assert SubjectConfig(person_height=np.int64(300)).person_height == 300
    assert TrainConfig(photo=np.float32(0.5), robust=2).photo == 0.5


def test_settings_that_do_not_go_together_are_refused_when_all_are_known() -> None:
    half = changed(PAPER, "diffusion.context=4")  # the overlap is to come
    with pytest.raises(SettingError, match="overlap of 0 to 3"):
        half.require_valid()
    changed(half, "diffusion.overlap=2").require_valid()
    for setting, words in (
        ("restoration.steps=30", "must divide 1000"),
        ("restoration.tiles.tile=64", "overlap less than tile, not 16, 96 and 64"),
        ("diffusion.width=1001", "divide by 8"),
    ):
        with pytest.raises(SettingError, match=words):
            changed(PAPER, setting).require_valid()
    for preset in PRESETS.values():
        preset.require_valid()
    TileConfig(pixels=1, tile=176, overlap=160, blind=70).require_valid()


def test_few_pictures_keep_the_training_inside_its_ranges() -> None:
    heavy = TrainConfig(few=12, smooth_offsets=1e6, smooth_colors=1e6, stay=1e6)
    assert heavy.for_frames(2).stay == 1e6
