"""Hard and impossible photos of people, through the command line with the real first stage."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from svad import cli
from svad.run import pipeline
from svad.run.card import read_card
from tests.fakes import FakeStages
from tests.subject.people import person, pose_of
from tests.ui.bad_photos import TAKEN, noise

EXAMPLES = Path(__file__).parents[1] / "examples"
WARNED = ("greyscale", "two people", "cut at the knees", "cut at the waist")


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """The photo of the first example."""
    with Image.open(sorted(EXAMPLES.glob("*/photo.*"))[0]) as picture:
        return picture.convert("RGB")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[bytes], int]:
    """The command line on a picture; all stages but the first are quick ones."""
    real = pipeline.stage_makers

    def makers(preset):
        first = {name: real(preset)[name] for name in ("look", "subject")}
        return FakeStages(seconds=0).makers() | first

    monkeypatch.setattr(pipeline, "stage_makers", makers)

    def call(data: bytes) -> int:
        (tmp_path / "photo.png").write_bytes(data)
        return cli.main([str(tmp_path / "photo.png"), "-o", str(tmp_path / "out")])

    return call


@pytest.mark.parametrize("name", WARNED)
def test_warns_and_goes_on(name: str, run, photo: Image.Image, tmp_path: Path) -> None:
    make, words = TAKEN[name]
    assert run(make(photo)) == 0
    warnings = " ".join(read_card(tmp_path / "out")["warnings"]).lower()
    assert words in warnings, warnings


def test_nobody_in_the_picture(run, photo: Image.Image, tmp_path: Path, capsys) -> None:
    assert run(noise(photo)) == 2
    assert "No person was found" in capsys.readouterr().err


def test_seen_from_behind(run, tmp_path: Path, capsys) -> None:
    picture = io.BytesIO()
    Image.fromarray(person(pose=pose_of({0: (0, 180, 0)})).rgb).save(picture, "PNG")
    assert run(picture.getvalue()) == 2
    assert "from behind" in capsys.readouterr().err
