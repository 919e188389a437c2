"""The presets, and single settings changed from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

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
from svad.core.ranges import limits_of


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
    ("setting", "read"),
    [
        ("diffusion.frames=48", lambda p: p.diffusion.frames == 48),
        ("diffusion.squash=true", lambda p: p.diffusion.squash is True),
        ("diffusion.guided=0,0.5", lambda p: p.diffusion.guided == (0.0, 0.5)),
        ("identity.strict = True", lambda p: p.identity.strict is True),
        ("restoration.scale=2", lambda p: p.restoration.scale == 2.0),
        ("diffusion.turn=paper", lambda p: p.diffusion.turn == "paper"),
        ("identity.fit.steps=20", lambda p: p.identity.fit.steps == 20),
        ("restoration.cpu_tiles.tile=256", lambda p: p.restoration.cpu_tiles.tile == 256),
    ],
)
def test_a_setting_can_be_changed(setting: str, read) -> None:
    found = changed(QUICK, setting)
    assert read(found) and found.name == "quick" and not read(QUICK)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("frames=48", "Write stage.field=value"),
        ("diffusion.frames", "Write stage.field=value"),
        ("seed.x=1", "one of these stages: subject"),
        ("diffusion.frame=48", "It has: frames"),
        ("diffusion.frames=many", "diffusion.frames is 92 in this preset; many does not fit"),
        ("diffusion.squash=maybe", "diffusion.squash is false in this preset; maybe"),
        ("diffusion.guided=0.5", "diffusion.guided is 0.1,0.7 in this preset; 0.5"),
        ("diffusion.frames.x=1", "diffusion has no setting frames.x"),
        ("identity.fit=3", "Write identity.fit.field=value: steps, rotation_rate"),
        ("identity.fit.pace=3", "identity.fit has no setting pace. It has: steps"),
        ("identity.fit.steps=few", "identity.fit.steps is 300 in this preset; few"),
    ],
)
def test_a_wrong_setting_is_a_sentence(setting: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        changed(QUICK, setting)


def test_a_stage_the_preset_leaves_out_has_no_settings() -> None:
    with pytest.raises(SettingError, match="no setting of the preset preview"):
        changed(PREVIEW, "diffusion.frames=48")


def settings(group: object, place: str = "") -> dict[str, Any]:
    """Every field below a group of settings, by its path."""
    found = {}
    for entry in fields(group):
        value, path = getattr(group, entry.name), f"{place}{entry.name}"
        found |= settings(value, f"{path}.") if is_dataclass(value) else {path: entry}
    return found


NUMBERS = {
    path: (preset, entry)
    for preset in (PAPER, CLIP)
    for path, entry in settings(preset).items()
    if "." in path
}


def test_every_setting_has_a_range_that_holds_its_value() -> None:
    assert len(NUMBERS) > 90
    for path, (_, entry) in NUMBERS.items():
        limits = limits_of(entry)
        assert limits is not None, path
        assert limits.holds(entry.default), path


NONSENSE = ("nan", "inf", "-inf", "-1", "1e400", "", "9" * 30, "x,y", "0x10")


@pytest.mark.parametrize("value", NONSENSE)
def test_no_setting_takes_nonsense(value: str) -> None:
    for path, (preset, _) in NUMBERS.items():
        with pytest.raises(SettingError, match=path):
            changed(preset, f"{path}={value}")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("subject.person_height=0", "subject.person_height must be .* from 128 to 2,048, not 0."),
        ("subject.head_density=0", "subject.head_density must be"),
        ("package.turntable_frames=0", "package.turntable_frames must be .* from 1 to"),
        ("package.viewer_limit=-1", "package.viewer_limit must be a whole number"),
        ("diffusion.guided=0,nan", "diffusion.guided must be 2 numbers, each from 0 to 1"),
        ("diffusion.guided=,", "diffusion.guided is 0.1,0.7 in this preset; , does not fit"),
        ("diffusion.solver=euler", "diffusion.solver must be one of ddim, dpm2m, not euler"),
        ("avatar.train.start=", "avatar.train.start must be one of relief, body, not nothing"),
        ("restoration.tiles.tile=0", "restoration.tiles.tile must be"),
        ("avatar.train.photo=1", "avatar.train.photo must be a number from 0 to 0.99, not 1.0"),
        ("subject.person_height=" + "7" * 5000, r"person_height .* 7+\.\.\. does not"),
    ],
)
def test_a_value_outside_its_range_is_a_sentence(setting: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        changed(PAPER if "guided=," not in setting else QUICK, setting)


def test_training_of_a_preset_without_one_cannot_be_changed() -> None:
    with pytest.raises(SettingError, match=r"This preset does without avatar.train"):
        changed(PREVIEW, "avatar.train.steps=3")


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
