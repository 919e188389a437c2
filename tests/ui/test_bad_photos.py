"""Bad photos through the page's own callback, with the real look at them."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gradio_client.utils import is_valid_file
from PIL import Image

from svad.config.presets import CLIP, PREVIEW
from svad.run.job_store import JobStore
from svad.run.pipeline import Pipeline
from svad.ui.engine import Engine, Settings
from svad.ui.events import Events
from svad.ui.inputs import PICTURES, VIDEOS
from svad.ui.parts import Given
from svad.ui.studio import Studio
from tests.ui.bad_photos import REFUSED, TAKEN, encoded

EXAMPLES = Path(__file__).parents[2] / "examples"


class Names:
    """Stands for the page's components: each is its own name."""

    def __getattr__(self, name: str) -> str:
        return name


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(PREVIEW)


@pytest.fixture(scope="module")
def person() -> Image.Image:
    """The photo of the first example."""
    found = sorted(EXAMPLES.glob("*/photo.*"))
    if not found:
        pytest.skip("no examples are installed")
    with Image.open(found[0]) as photo:
        return photo.convert("RGB")


@pytest.fixture
def drop(tmp_path: Path, cache: Path, pipeline: Pipeline):
    """Drops a file on the page; gives the last value of each part that changed."""
    settings = Settings(jobs=tmp_path / "jobs", examples=tmp_path / "none")
    clips = Pipeline(CLIP, {"footage": lambda: SimpleNamespace(run=None)})  # none comes so far
    engine = Engine(pipeline, JobStore(settings.jobs), {CLIP.name: clips})
    events = Events(Studio(settings, lambda _: engine), Names())

    def upload(data: bytes) -> dict[str, Any]:
        path = cache / "photo.png"
        path.write_bytes(data)
        shown: dict[str, Any] = {}
        gallery = [{"image": {"path": str(path)}}]
        for updates in events.look(gallery, Given(), "", PREVIEW.name):
            shown |= updates
        return shown

    return upload


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_a_sentence(drop, person: Image.Image, name: str):
    make, words = REFUSED[name]
    shown = drop(make(person))
    assert 'role="alert"' in shown["check"] and words in shown["check"]
    assert "Nothing was lost" in shown["check"] and "Code" not in shown["check"]
    assert shown["job"] == "" and "photo" not in shown


@pytest.mark.parametrize("name", TAKEN)
def test_taken_with_a_word_where_it_is_needed(drop, person: Image.Image, name: str):
    make, words = TAKEN[name]
    shown = drop(make(person))
    assert 'role="alert"' not in shown["check"], shown["check"]
    assert words in shown["check"].lower()
    assert shown["job"] and Path(shown["photo"][0]).is_file()


def test_a_full_disk_is_said(drop, person: Image.Image, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("svad.ui.inputs.shutil.copyfile", full)
    shown = drop(encoded(person))
    assert 'role="alert"' in shown["check"] and "no room left" in shown["check"]
    assert shown["job"] == ""


PICKED = ("IMG.HEIC", "a.heif", "a.hif", "a.avif", "a.jpg", "A.MOV", "a.mkv")


@pytest.mark.parametrize("name", PICKED)
def test_the_file_picker_takes_what_can_be_read(name: str):
    assert is_valid_file(name, PICTURES)
    assert is_valid_file(name, VIDEOS) == name.lower().endswith((".mov", ".mkv"))
