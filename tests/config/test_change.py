"""Single settings changed from outside."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from svad.config.change import changed
from svad.config.presets import CLIP, PAPER, PREVIEW, QUICK
from svad.core.errors import SettingError
from svad.core.ranges import limits_of


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
