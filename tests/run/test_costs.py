"""What a preset costs here: the table first, then what this machine's runs took."""

from __future__ import annotations

from pathlib import Path

import pytest

from svad.compute.engine import MOST_SECONDS
from svad.config.presets import CLIP, PREVIEW, QUICK
from svad.run.costs import cost, expected, learn
from svad.run.learned import (
    LEARNED,
    LEAST_ASKED,
    MACHINE,
    RUNS,
    TRUSTED,
    Table,
    call_name,
    to_ask,
)  # fmt: skip
from svad.run.makers.on_gpu import asked_seconds
from svad.run.offers import offer
from svad.run.stages import asked, stage


def card(preset: str, *seconds: float, state: str = "done") -> dict:
    stages = [{"name": f"s{k}", "state": "done", "seconds": s} for k, s in enumerate(seconds)]
    skipped = {"name": "identity", "state": "skipped", "seconds": 0.0}
    return {"preset": preset, "state": state, "stages": [*stages, skipped]}


def test_before_the_first_run_the_table_tells(tmp_path: Path) -> None:
    found = cost(PREVIEW, tmp_path)
    rows = [stage(name) for name in ("subject", "relief", "avatar", "package")]
    assert found.seconds == sum(row.seconds or 0 for row in rows) and found.runs == 0
    assert cost(QUICK, tmp_path).seconds is None  # nobody has measured its networks here
    more = stage("avatar").more_seconds
    assert (cost(CLIP, tmp_path).seconds or 0) > more


def test_what_runs_took_is_learned_by_preset_and_one_slow_run_says_little(tmp_path: Path) -> None:
    for seconds in (10.0, 12.0, 500.0):
        learn(card("preview", seconds, 1.0), tmp_path)
    learn(card("quick", 100.0), tmp_path)
    assert cost(PREVIEW, tmp_path).seconds == 13.0 and cost(PREVIEW, tmp_path).runs == 3
    assert cost(QUICK, tmp_path).seconds == 100.0
    for _ in range(2 * RUNS):
        learn(card("preview", 20.0), tmp_path)
    assert cost(PREVIEW, tmp_path).runs == RUNS and cost(PREVIEW, tmp_path).seconds == 20.0


def test_one_run_on_a_busy_machine_does_not_stand_for_ever(tmp_path: Path) -> None:
    told = cost(PREVIEW, tmp_path).seconds
    assert told is not None
    learn(card("preview", 5 * told), tmp_path)
    assert told < cost(PREVIEW, tmp_path).seconds < 5 * told
    learn(card("preview", 0.9 * told), tmp_path)
    assert cost(PREVIEW, tmp_path).seconds == told
    learn(card("preview", 0.9 * told), tmp_path)
    assert cost(PREVIEW, tmp_path).seconds == pytest.approx(0.9 * told, abs=0.1)


def test_the_stages_of_a_run_take_together_what_is_told_before_it(tmp_path: Path) -> None:
    table = expected(PREVIEW, None)
    assert (
        table == expected(PREVIEW, tmp_path) and sum(table.values()) == cost(PREVIEW, None).seconds
    )
    for _ in range(TRUSTED):
        learn(card("preview", 90.0), tmp_path)
    assert sum(expected(PREVIEW, tmp_path).values()) == pytest.approx(90.0)
    learn(card("quick", 100.0), tmp_path)  # of whose stages the table does not know all
    assert expected(QUICK, tmp_path) == expected(QUICK, None)


@pytest.mark.parametrize("wrong", [card("preview", 3.0, state="stopped"), card("preview"), {}])
def test_unfinished_runs_teach_nothing(tmp_path: Path, wrong: dict) -> None:
    learn(wrong, tmp_path)
    assert not (tmp_path / LEARNED).exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"preview": 3}', '{"preview": ["x", -1]}'])
def test_a_damaged_table_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / LEARNED).write_text(text)
    assert cost(PREVIEW, tmp_path).runs == 0
    learn(card("preview", 4.0), tmp_path)
    assert cost(PREVIEW, tmp_path).runs == 1


def networks(preset: str, stage: str, seconds: float, state: str = "done") -> dict:
    """A card in which a stage waited for a GPU, and then worked on it for some seconds."""
    entry = {"name": stage, "state": state, "seconds": 900.0, "gpu_seconds": seconds}
    return {"preset": preset, "state": state, "stages": [entry]}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(MACHINE, "root", tmp_path)
    return tmp_path


def test_what_is_asked_of_the_gpu_follows_what_calls_took(machine: Path) -> None:
    usual = QUICK.gpu_seconds["diffusion"]
    for count in range(1, 4):
        assert asked_seconds("diffusion", QUICK) == usual  # a quick one may be chance
        learn(networks("quick", "diffusion", 20.0), machine)
        assert Table(machine).runs(call_name("quick", "diffusion")) == [20.0] * count
    assert 20 < asked_seconds("diffusion", QUICK) < usual
    before = asked(QUICK), offer(QUICK).fits
    learn(networks("quick", "diffusion", 500.0), machine)  # one slow run says little
    assert (asked(QUICK), offer(QUICK).fits) == before
    assert asked_seconds("diffusion", CLIP) != asked_seconds("diffusion", QUICK)


def test_a_call_that_was_ended_for_taking_long_gets_more_the_next_time(machine: Path) -> None:
    for _ in range(RUNS):
        learn(networks("quick", "diffusion", 20.0), machine)
    asked_then = asked_seconds("diffusion", QUICK)
    learn(networks("quick", "diffusion", float(asked_then), state="paused"), machine)
    assert 1.5 * asked_then < asked_seconds("diffusion", QUICK) <= MOST_SECONDS
    refused = {"name": "diffusion", "state": "paused", "seconds": 3.0}  # it had no GPU at all
    known = Table(machine).runs(call_name("quick", "diffusion"))
    learn({"preset": "quick", "state": "paused", "stages": [refused]}, machine)
    assert Table(machine).runs(call_name("quick", "diffusion")) == known


def test_what_is_asked_stays_between_a_least_and_the_most() -> None:
    assert to_ask([0.1] * 5, 30, fills=False) == LEAST_ASKED
    assert to_ask([90.0], 30, fills=False) == MOST_SECONDS == to_ask([], 300, fills=False)
    assert to_ask([90.0] * 5, 30, fills=True) == 30  # it takes what it is given
    assert to_ask([8.0] * 5, 30, fills=True) < 30
