"""Every command and every piece of code that the documents show is run, parsed, or named here."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from svad import cli
from tests.ui.conftest import cache, examples, launch, make_studio, photo
from tests.waiting import WAIT

__all__ = ["cache", "examples", "launch", "make_studio", "photo"]

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = r"(?:\.venv/bin/)?python -m|make |curl |sudo |pip |svad "
COMMAND = re.compile(rf"^    ((?:[A-Z_]+=\S+ )*(?:{PROGRAMS}).*)$", re.MULTILINE)
INLINE = re.compile(r"`((?:\.venv/bin/)?python -m svad [^`]*)`")
# Code in fences, by page and place, and the test that runs it. A fence that no test can run says
# so in its first line: ```sh not run: the reason.
RUN = {
    ("docs/api.md", 0): "test_the_client_of_python_does_what_the_page_of_the_api_shows",
    ("docs/api.md", 1): "test_three_requests_are_enough",
    ("docs/format.md", 0): "tests/export/test_format_page.py",
    ("docs/format.md", 1): "tests/export/test_format_page.py",
}
# Commands that are not parsed: what they change is not ours, or they are run by another test.
NOT_PARSED = {
    "sudo apt-get install": "of the system",
    "make ": "tests/test_repository.py holds the targets",
    "python -m svad.weights.flame_convert": "tests/weights/test_flame_convert.py runs it",
    "python -m tools.": "run below, with --help",
}


def fences(page: Path) -> list[tuple[str, str]]:
    return FENCE.findall(page.read_text("utf-8"))


def commands() -> list[str]:
    found = []
    for page in PAGES:
        text = FENCE.sub("", page.read_text("utf-8"))
        lines = [*COMMAND.findall(text), *(" ".join(one.split()) for one in INLINE.findall(text))]
        found += [re.sub(r"\s+#.*", "", line).strip() for line in lines]
    return found


def plain(command: str) -> list[str]:
    """A command as somebody would type it: one of several, what may be left out, a number."""
    command = re.sub(r"^(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?python -m svad", "", command)
    command = command.replace("N or NAMES", "2").replace("KIND ...", "standing")
    words = [word.partition("|")[0] for word in re.sub(r"[\[\]]", " ", command).split()]
    return ["5" if word == "N" else word for word in words]


def test_every_piece_of_code_is_run_by_a_test_or_says_why_not() -> None:
    for page in PAGES:
        for place, (kind, _) in enumerate(fences(page)):
            name = page.relative_to(ROOT).as_posix()
            runner = RUN.get((name, place))
            assert runner or "not run:" in kind, f"{name}: fence {place + 1} is run by no test"
            if runner and runner.endswith(".py"):
                assert page.name in (ROOT / runner).read_text("utf-8")
    assert {page for page, _ in RUN} <= {page.relative_to(ROOT).as_posix() for page in PAGES}


def test_every_command_is_one_the_program_takes(capsys: pytest.CaptureFixture) -> None:
    found = commands()
    assert len(found) > 25
    for command in found:
        if any(other in command for other in NOT_PARSED):
            continue
        assert "python -m svad" in command, f"{command}: neither parsed nor named above"
        words = plain(command)
        words += ["--help"] if len(words) == 1 else []  # a command that is only named
        try:
            command, rest = cli.command_of(words)
            command.parser().parse_args(rest)
        except SystemExit as end:
            wants_help = end.code == 0 and "--help" in words
            assert wants_help, f"{command}: {capsys.readouterr().err}"


def test_tools_that_are_shown_are_there() -> None:
    for command in commands():
        if found := re.search(r"python -m (tools\.[\w.]+)", command):
            assert (ROOT / (found[1].replace(".", "/") + ".py")).is_file() or (
                ROOT / found[1].replace(".", "/") / "__main__.py"
            ).is_file()


def code(place: int, url: str, photo: Path) -> str:
    text = fences(ROOT / "docs" / "api.md")[place][1]
    return text.replace("http://127.0.0.1:7860", url.rstrip("/")).replace("photo.jpg", str(photo))


def test_the_client_of_python_does_what_the_page_of_the_api_shows(
    make_studio: Callable, launch: Callable, photo: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "client"))
    names: dict = {}
    exec(code(0, launch(make_studio()), photo), names)
    assert Path(names["video"]).read_bytes()[4:8] == b"ftyp"
    assert Path(names["mesh"]).read_bytes() == b"glTF" and "avatar.zip" in names["files"]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_three_requests_are_enough(make_studio: Callable, launch: Callable, photo: Path) -> None:
    script = code(1, launch(make_studio()), photo)
    told = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=WAIT)
    assert told.returncode == 0 and "event: complete" in told.stdout
    assert "avatar.zip" in told.stdout
