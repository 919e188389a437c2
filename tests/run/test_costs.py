"""What a preset costs here: the table first, then what this machine's runs took."""

from __future__ import annotations

from pathlib import Path

import pytest

from svad.config.presets import CLIP, PREVIEW, QUICK
from svad.run.costs import LEARNED, RUNS, cost, learn
from svad.run.stages import stage


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


@pytest.mark.parametrize("wrong", [card("preview", 3.0, state="stopped"), card("preview"), {}])
def test_unfinished_runs_teach_nothing(tmp_path: Path, wrong: dict) -> None:
    learn(wrong, tmp_path)
    assert not (tmp_path / LEARNED).exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"preview": 3}', '{"preview": ["x", -1]}'])
def test_a_damaged_table_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / LEARNED).write_text(text)
    assert cost(PREVIEW, tmp_path).runs == 0
    learn(card("preview", 4.0), tmp_path)
    assert cost(PREVIEW, tmp_path).seconds == 4.0
