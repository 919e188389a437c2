"""The presets, and single settings changed from outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from svad.config import (
    CLIP,
    PAPER,
    PHOTO_PRESETS,
    PRESETS,
    PREVIEW,
    QUICK,
    FilmConfig,
    SettingError,
    as_photo,
    changed,
    settings_of,
    with_video,
)


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
    with pytest.raises(SettingError, match="at least 2, not 1"):
        FilmConfig(holdout=1).require_valid()
    FilmConfig(holdout=2).require_valid()


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
        ("diffusion.frames=many", "does not fit diffusion.frames, which is 92"),
        ("diffusion.squash=maybe", "which is false"),
        ("diffusion.guided=0.5", "which is 0.1,0.7"),
        ("diffusion.frames.x=1", "diffusion has no setting frames.x"),
        ("identity.fit=3", "Write identity.fit.field=value: steps, rotation_rate"),
        ("identity.fit.pace=3", "identity.fit has no setting pace. It has: steps"),
        ("identity.fit.steps=few", "does not fit identity.fit.steps, which is 300"),
    ],
)
def test_a_wrong_setting_is_a_sentence(setting: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        changed(QUICK, setting)


def test_a_stage_the_preset_leaves_out_has_no_settings() -> None:
    with pytest.raises(SettingError, match="no setting of the preset preview"):
        changed(PREVIEW, "diffusion.frames=48")
