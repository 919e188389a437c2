"""Files for other programs, from the page: made once, given again, or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from svad.core.errors import JobError, MissingFile
from svad.export.formats import EVERY
from svad.run.job_store import JobStore
from svad.ui import texts
from svad.ui.engine import Engine, Settings
from svad.ui.events import Events
from svad.ui.exporting import export_choices
from svad.ui.studio import Studio
from tests.ui.page_fakes import FakePipeline
from tests.ui.test_pictures import Visitor

Export = Callable[[Path, str, Any], Path]


def write(folder: Path, name: str, report: Any) -> Path:
    report(0, 2, "packing")
    path = folder / EVERY[name].file
    path.write_bytes(b"splats" * 1000)
    return path


@pytest.fixture
def visit(tmp_path: Path, examples: Path, cache: Path, photo: Path):
    """A visitor with a finished avatar, and its key."""

    def start(export: Export) -> tuple[Visitor, str]:
        settings = Settings(jobs=tmp_path / "jobs", examples=examples)
        pipeline = FakePipeline(0.05)
        visitor = Visitor(
            Studio(
                settings,
                lambda s: Engine(pipeline, JobStore(s.jobs), mover=pipeline, export=export),
            ),
            cache,
        )
        job = visitor.drop(visitor.upload(photo))["job"]
        *_, last = visitor.events.create(job, "preview")
        assert last["export"].value is None and last["exported"] == ""
        return visitor, f"job:{job}"

    return start


def test_a_file_is_made_and_given_again(visit) -> None:
    asked: list[str] = []

    def once(folder: Path, name: str, report: Any) -> Path:
        asked.append(name)
        return write(folder, name, report)

    visitor, key = visit(once)
    for _ in range(2):
        *_, last = visitor.events.export("spz", key)
        shown = unescape(last["exported"])
        assert 'download="avatar.spz"' in shown and "6 kB" in shown
        assert EVERY["spz"].title in shown and EVERY["spz"].loses in shown
    assert asked == ["spz"]


def test_what_cannot_be_made_is_said(visit) -> None:
    def absent(folder: Path, name: str, report: Any) -> Path:
        raise MissingFile("gaussforge", "PyPI", "Apache License 2.0", "Install it.")

    visitor, key = visit(absent)
    for name, shown, words in (
        ("sog", key, "gaussforge is missing. It comes from PyPI"),
        ("sog", "", texts.NOTHING_YET),
        (None, key, texts.NOTHING_YET),
        ("fbx", key, texts.NOTHING_YET),
        ("sog", "job:gone", "removed after"),
    ):
        *_, last = visitor.events.export(name, shown)
        assert words in unescape(last["exported"])


def test_an_example_without_its_avatar_says_so(visit) -> None:
    visitor, key = visit(write)
    studio = visitor.events.studio
    light = replace(studio.finished(key), movable=False)
    with pytest.raises(JobError, match="without the avatar itself"):
        list(studio.export(light, "spz"))


def test_every_format_that_is_asked_for_can_be_chosen() -> None:
    names = [name for _, name in export_choices()]
    assert names == [row.name for row in EVERY.values() if row.asked]
    assert {"vrm", "textured", "obj", "spz", "sog", "splat", "ply-full"} == set(names)
    assert hasattr(Events, "export")
