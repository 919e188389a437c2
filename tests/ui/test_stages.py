"""The list of steps: words, bars, seconds, escaping."""

from __future__ import annotations

from pathlib import Path

import pytest

from svad.config.presets import PRESETS
from svad.run.stages import titles
from svad.types import StageState
from svad.ui import stages


def state(name: str, state: str, **more) -> StageState:
    values = {"done": 0, "total": 4, "note": "", "seconds": 0.0, "remaining": None}
    return StageState(name, name.title(), state, **(values | {"thumbnail": None} | more))


def url(path: Path) -> str:
    return f"at:{path.name}"


@pytest.mark.parametrize("preset", PRESETS)
def test_before_a_run_all_stages_of_the_preset_wait(preset: str):
    html = stages.step_list((), url, preset)
    shown = [title for _, title in titles(PRESETS[preset])]
    assert html.count("<li") == len(shown) == html.count("Waiting")
    places = [html.index(f"<b>{title}</b>") for title in shown]
    assert places == sorted(places)


def test_every_state_is_a_word_with_a_bar_and_seconds():
    running = state("b", "running", done=1, seconds=2.5, remaining=7.6)
    html = stages.step_list((state("a", "done", seconds=1.25), running, state("c", "kept")), url)
    assert all(word in html for word in ("Done", "Working", "Kept from before"))
    assert 'value="0.250"' in html and html.count("<progress") == 3
    assert "2.5 s · about 8 s left" in html


def test_whatever_comes_from_outside_is_escaped():
    bad = '<img src=x onerror="alert(1)">'
    one = state("a", "running", note=bad, thumbnail=Path('x"><script>.jpg'))
    for html in (stages.step_list((one,), url), stages.note(bad), stages.status((one,), 1)):
        assert "<script" not in html and "<img src=x" not in html


def test_status_adds_up_what_is_left():
    left = (state("a", "running", remaining=2.0), state("b", "waiting", remaining=3.0))
    assert stages.remaining((state("z", "done"), *left)) == 5
    assert stages.remaining((state("a", "running"), left[1])) is None
    html = stages.status((state("z", "done"), *left), 4.4)
    assert "Step 2 of 3" in html and "4 s so far" in html and "about 5 s left" in html
