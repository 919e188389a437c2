"""An export format is a writer and a row: shown on a copy of the tree."""

from __future__ import annotations

import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.growth.copied import copied

ROOT = Path(__file__).parents[2]

WRITER = '''"""Writes how many Gaussians an avatar has."""

from __future__ import annotations

from pathlib import Path

from svad.core.files import write_text
from svad.export.context import ExportContext


def write_census(context: ExportContext, path: Path) -> None:
    """A line of text."""
    write_text(path, f"{len(context.standing)} Gaussians")
'''
IMPORT = """def _census(context: ExportContext, path: Path) -> None:
    from svad.export.census import write_census

    write_census(context, path)


"""
ROW = """    Format(
        name="census",
        file="census.txt",
        title="How many Gaussians it has",
        loses="All but a number.",
        note="Counting",
        write=_census,
        packed=9,
        about="The number {count}, and nothing else.",
        shown=9,
    ),
"""
EXPORT = """
import json, sys, zipfile
from pathlib import Path

from svad.config.package import PackageConfig
from svad.config.presets import PREVIEW
from svad.core.errors import OutputError
from svad.export.stage import PackageStage
from svad.run.jobs import is_own, open_job
from svad.ui.panels import avatar
from svad.ui.files import Shelf
from svad.ui.gallery import read_finished
from tests.helpers import tiny_avatar, tiny_subject

job, foreign = Path(sys.argv[1]), Path(sys.argv[2])
notes = []
result = PackageStage(PackageConfig(turntable_frames=3, turntable_height=64)).run(
    tiny_subject(), tiny_avatar(321), job, lambda done, total, note, picture: notes.append(note)
)
with zipfile.ZipFile(result.archive) as archive:
    packed = {name: archive.read(name).decode() for name in ("census.txt", "README.txt")}
page = avatar.files(read_finished(job, "example:toy", "Toy"), Shelf((job,)), 6)
try:
    with open_job(foreign, "source"):
        refused = ""
except OutputError as error:
    refused = str(error)
facts = {
    "result": result.files["census"].name,
    "notes": notes,
    "packed": packed,
    "page": page,
    "own": is_own("census.txt"),
    "refused": refused,
}
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program and the tests' small avatar, with the toy format put in."""
    copy = tmp_path_factory.mktemp("tree")
    copied(ROOT / "svad", copy / "svad")
    (copy / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "helpers.py", copy / "tests")
    shutil.copy(ROOT / "weights_manifest.yaml", copy)
    (copy / "svad" / "export" / "census.py").write_text(WRITER)
    table = copy / "svad" / "export" / "formats.py"
    text = table.read_text()
    for before, new in (("def _archive(", IMPORT), ('    Format(\n        name="archive"', ROW)):
        assert text.count(before) == 1
        text = text.replace(before, new + before)
    table.write_text(text)
    return copy


@pytest.fixture(scope="module")
def exported(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a run of the export stage in that tree tells."""
    job, foreign = tmp_path_factory.mktemp("job"), tmp_path_factory.mktemp("foreign")
    (foreign / "census.txt").write_text("somebody else's")
    command = [sys.executable, "-c", EXPORT, str(job), str(foreign)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (job / "census.txt").read_text() == "321 Gaussians"
    return json.loads(done.stdout.splitlines()[-1])


def test_two_files_are_touched(tree: Path) -> None:
    files = {p.relative_to(tree) for p in (tree / "svad").rglob("*.py")}
    new = {p.as_posix() for p in files if not (ROOT / p).exists()}
    edited = {
        p.as_posix()
        for p in files
        if (ROOT / p).exists() and not filecmp.cmp(tree / p, ROOT / p, shallow=False)
    }
    assert new == {"svad/export/census.py"} and edited == {"svad/export/formats.py"}
    guide = (ROOT / "docs" / "adding-a-format.md").read_text(encoding="utf-8")
    assert "svad/export/formats.py" in guide


def test_it_is_written_and_in_the_result(exported: dict) -> None:
    assert exported["result"] == "census.txt" and "Counting" in exported["notes"]


def test_it_is_in_the_archive_and_its_readme(exported: dict) -> None:
    assert exported["packed"]["census.txt"] == "321 Gaussians"
    line = "census.txt           The number 321, and nothing else."
    assert line in exported["packed"]["README.txt"].splitlines()


def test_the_page_lists_it(exported: dict) -> None:
    for words in ('download="census.txt"', "How many Gaussians it has", "All but a number."):
        assert words in exported["page"]


def test_the_job_folder_knows_it_as_its_own(exported: dict) -> None:
    assert exported["own"] and "census.txt" in exported["refused"]
