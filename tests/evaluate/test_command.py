"""`evaluate synthetic` on the command line: lines, table, sentences."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from svad import cli
from svad.core.errors import Stopped, SvadError
from svad.evaluate import truth as truth_module
from svad.evaluate.command import parser, run
from svad.evaluate.methods import Methods, methods
from svad.evaluate.truth import Truth, chosen, drawn
from tests.helpers import tiny_avatar, tiny_subject


class Lines:
    """A screen that remembers."""

    def __init__(self) -> None:
        self.bars, self.said = [], []

    def show(self, states) -> None:
        self.bars += states

    def say(self, text: str) -> None:
        self.said.append(text)

    def end(self) -> None:
        pass


@pytest.fixture
def two_people(monkeypatch: pytest.MonkeyPatch, truth: Truth) -> None:
    monkeypatch.setattr(truth_module, "people", lambda: ("one", "two"))
    monkeypatch.setattr(truth_module, "drawn", lambda name, count, size, report: truth)


def test_lines_table_and_pictures(
    two_people: None, fake_methods: Methods, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["synthetic", "--people", "2", "--count", "6", "--size", "96", "--pictures"]
    options = parser().parse_args([*words, str(tmp_path)])
    screen = Lines()
    assert run(options, threading.Event(), screen, lambda frames, steps: fake_methods) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["method"] for line in lines] == ["closed", "trained"] * 2 + ["trained"]
    assert lines[-1]["case"] == "mean" and lines[-1]["frames"] == "perfect"
    assert lines[-1]["held_out"]["psnr"] == pytest.approx(lines[1]["held_out"]["psnr"])
    assert screen.bars and len(screen.said) == 1 and screen.said[0].count("\n") == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "one-perfect.jpg", "two-perfect.jpg",
    ]  # fmt: skip


def test_stop_reaches_the_measurement(two_people: None, fake_methods: Methods):
    stop = threading.Event()
    stop.set()
    options = parser().parse_args(["synthetic", "--count", "6", "--size", "96"])
    with pytest.raises(Stopped):
        run(options, stop, Lines(), lambda frames, steps: fake_methods)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--count", "4"], "At least 5 frames"),
        (["--size", "10"], "of 10 px"),
        (["--steps", "0"], "at least one step"),
        (["--people", "3"], "There are 1 to 2 people"),
        (["--people", "one", "carl"], "no person named carl"),
    ],
)
def test_options_that_do_not_work_get_a_sentence(two_people: None, words, sentence: str):
    with pytest.raises(SvadError, match=sentence):
        run(parser().parse_args(["synthetic", *words]), threading.Event(), Lines())


def test_people_by_name_by_number_or_all(two_people: None):
    assert chosen(["two", "Two"]) == ("two",)
    assert chosen(["1"]) == ("one",)
    assert chosen([]) == ("one", "two")


def test_without_the_source_tree_there_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "tools", None)
    for name in [name for name in sys.modules if name.startswith("tools.")]:
        monkeypatch.delitem(sys.modules, name)
    assert cli.main(["evaluate", "synthetic"]) == cli.BAD_INPUT
    assert "needs the project's source tree" in capsys.readouterr().err
    with pytest.raises(SvadError, match="source tree"):
        drawn("ada", 6, 96, lambda *_: None)


def test_the_pipelines_own_training_is_what_is_measured(truth: Truth):
    clip = replace(truth.turning, start=tiny_avatar())
    trained = methods("perfect", steps=4).train(
        tiny_avatar(), tiny_subject(), clip, lambda *_: None
    )
    assert not torch.equal(trained.gaussians.colors, tiny_avatar().gaussians.colors)
