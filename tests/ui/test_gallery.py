"""Finished avatars are read and shown, however little is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from svad.ui.gallery import compare, read_examples
from svad.ui.result_view import make_sheet


def test_examples_are_read_in_order(examples: Path):
    found = read_examples(examples)
    assert list(found) == ["ada", "ben"]
    ada = found["ada"]
    assert ada.key == "example:ada" and ada.name == "Ada" and ada.seconds == 12.3
    assert "wave" in ada.motions
    assert {p.name for p in ada.downloads} >= {"turntable.mp4", "viewer.splat"}


def test_the_one_that_says_so_comes_first(tmp_path: Path):
    for name, first in (("a", False), ("b", True), ("c", False)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "example.json").write_text(json.dumps({"first": first}))
        Image.new("RGB", (8, 8)).save(tmp_path / name / "photo.png")
    assert list(read_examples(tmp_path)) == ["b", "a", "c"]


def test_no_examples_is_no_error(tmp_path: Path, make_studio):
    assert read_examples(tmp_path / "nowhere") == {}
    sheet = make_sheet(None, make_studio().shelf, 6)
    assert sheet.archive is None and "examples are not installed" in sheet.video


def test_a_broken_card_is_named(tmp_path: Path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "example.json").write_text("{")
    with pytest.raises(ValueError, match=r"x/example\.json is not valid"):
        read_examples(tmp_path)


def test_an_example_with_little_in_it_can_be_shown(tmp_path: Path, make_studio):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "example.json").write_text("{}")
    Image.new("RGB", (8, 8)).save(tmp_path / "x" / "photo.png")
    studio = make_studio(examples=tmp_path)
    sheet = make_sheet(studio.examples["x"], studio.shelf, 6)
    assert sheet.pair is None and sheet.archive is None and "is not here" in sheet.video


def test_photo_and_render_have_one_size(examples: Path, tmp_path: Path):
    pair = compare(read_examples(examples)["ada"], tmp_path)
    sizes = {Image.open(path).size for path in pair}
    assert len(sizes) == 1
