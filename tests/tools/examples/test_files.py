"""Tests of the files in the folder of examples."""

from __future__ import annotations

import gzip
import json
import re
import zipfile

import pytest
from PIL import Image

from svad.media.video import probe
from tools.examples.make import FOLDER
from tools.examples.others import EVERYBODY, EXAMPLES
from tools.examples.results import KEPT, LIMIT, VIEWER_LEAST, VIEWER_MOST

TOTAL = 30_000_000  # bytes, all examples together


def test_all_examples_together_fit_a_repository():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert files and sum(path.stat().st_size for path in files) < TOTAL


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_complete(name):
    folder, person = FOLDER / name, EVERYBODY[name]
    missing = [file for file in KEPT if not (folder / file).is_file()]
    assert not missing
    assert sum((folder / file).stat().st_size for file in KEPT) <= LIMIT
    with Image.open(folder / "photo.jpg") as photo:
        assert photo.size == (person.width, person.height) and photo.mode == "RGB"
    with Image.open(folder / "front.webp") as front:
        assert front.mode == "RGBA"
        assert abs(front.width / front.height - person.width / person.height) < 0.01
    header = gzip.decompress((folder / "viewer.rig").read_bytes())[:20_000]
    shape = re.search(rb'"places":\{"dtype":"U16","shape":\[(\d+),3\]', header)
    assert shape is not None and VIEWER_LEAST <= int(shape[1]) <= VIEWER_MOST


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_card_tells_how_it_was_made(name):
    card = json.loads((FOLDER / name / "example.json").read_text("utf-8"))
    assert card["title"] and card["shows"] and card["licence"] == "CC0-1.0"
    assert card["preset"] == "preview" and card["seed"] == 0 and name in card["made_by"]
    assert 0 < sum(card["stages"].values()) <= card["seconds"] + 1
    assert {"svad", "python", "torch"} <= set(card["versions"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_videos_play_and_the_archive_opens(name):
    turntable = probe(FOLDER / name / "turntable.mp4")
    assert turntable.codec == "h264" and turntable.height == 720 and turntable.frames >= 72
    assert turntable.faststart
    with zipfile.ZipFile(FOLDER / name / "avatar.zip") as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert {"README.txt", "LICENSE-AND-CONSENT.txt", "job.json", "avatar.glb"} <= names
        assert archive.read("avatar.glb")[:4] == b"glTF"
