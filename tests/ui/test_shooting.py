"""What a visitor chooses of a video, and what they cannot choose."""

from __future__ import annotations

from typing import Any

import pytest

from svad.core.errors import PhotoError, SettingError
from svad.media.shot import Shot
from svad.ui import texts
from svad.ui.api_moving import numbers
from svad.ui.shooting import BACKGROUNDS, CAMERAS, Filming, asked, filming


def test_without_choices_it_is_the_usual_video() -> None:
    assert filming() == Filming() and filming().usual
    made = filming("orbit", "transparent", size=480, rate=30)
    assert made == Filming(
        Shot(height=480, camera="orbit", background="transparent", fps=30.0), ".webm"
    )
    assert filming(pictures=True).ending == ".zip" and not filming(pictures=True).usual


@pytest.mark.parametrize(
    ("color", "wanted"),
    [("#ff8000", "#ff8000"), ("rgba(254.6, 128.2, 0, 1)", "#ff8000"), ("white", "#ffffff")],
)
def test_a_colour_however_the_picker_writes_it(color: str, wanted: str) -> None:
    assert filming(background="colour", color=color).shot.background == wanted


@pytest.mark.parametrize(
    "choice",
    [
        {"camera": "above"},
        {"background": "/etc/passwd"},
        {"background": "README.md"},
        {"background": "colour", "color": "README.md"},
        {"background": "colour", "color": None},
        {"background": "colour", "color": "rgba("},
        {"background": "colour", "color": "rgba(nan, 1e999, 0)"},
        {"background": "picture", "picture": None},
        {"background": "picture", "picture": {"path": "/etc/passwd"}},
        {"size": 100_000},
        {"rate": 1000},
        {"rate": None},
    ],
)
def test_nothing_else_can_be_asked_for(choice: dict[str, Any]) -> None:
    with pytest.raises((SettingError, PhotoError)):
        filming(**choice)


def test_programs_name_a_colour_as_a_background() -> None:
    assert asked("front", "studio", None, 720).usual
    assert asked("front", "teal", None, 720).shot.background == "#008080"
    assert asked("back", "transparent", None, 480).ending == ".webm"
    assert asked("back", "white", None, 480, pictures=True).ending == ".zip"
    for wrong in (("up", "studio"), ("front", "README.md"), (["front"], {})):
        with pytest.raises(SettingError, match="Cameras: front"):
            asked(*wrong, None, 720)  # type: ignore
    with pytest.raises(PhotoError):
        asked("front", "studio", {"path": "/etc/passwd"}, 720)


def test_a_pose_from_a_program_is_names_and_numbers() -> None:
    assert numbers({"turn": 20, "smile": 0.5}) == {"turn": 20.0, "smile": 0.5}
    for wrong in ({"turn": "far"}, {"turn": True}, {"turn": 10**400}, ["turn"], None):
        with pytest.raises(SettingError, match="names and numbers"):
            numbers(wrong)


def test_every_choice_has_its_words() -> None:
    assert len(texts.FILM_CAMERAS) == len(CAMERAS)
    assert len(texts.FILM_BACKGROUNDS) == len(BACKGROUNDS)
