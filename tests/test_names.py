"""Names in every script and of any length, two runs in one folder, a machine without network."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from svad import cli
from svad.core.errors import JobError
from svad.core.parts import PART
from svad.media.images import save_png
from svad.run import pipeline
from svad.run.card import read_card
from svad.run.pipeline import Pipeline
from svad.run.results import read_result
from tests.fakes import FakeStages
from tests.helpers import tiny_subject
from tests.waiting import WAIT

# Of a photo, and of the folder for the results; an umlaut in two parts is how macOS writes it.
NAMES = {
    "blanks and umlauts": ("my best photo  of all ", "Gr\u00f6\u00dfe"),
    "umlauts in parts, Chinese": (
        "Gro\u0308\u00dfe",
        "\u6211\u7684\u7167\u7247",
    ),
    "quotes and bytes": ('it\'s "me"; $(touch sprung) & `x`', "\udcff\udcfe"),
    "options and emoji": ("--output", "\U0001f9cd me"),
    "as long as can be": ("x" * 250, "\u5199" * 85),
}


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> FakeStages:
    """Quick stages behind the real reading of photos."""
    fakes = FakeStages(seconds=0)
    monkeypatch.setattr(pipeline, "stage_makers", lambda preset: fakes.makers())
    return fakes


def photo(folder: Path, name: str = "photo.png") -> Path:
    save_png(folder / "a.png", tiny_subject(300, 400).photo.rgb)
    return (folder / "a.png").rename(folder / name)


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_a_name(
    kind: str, fakes: FakeStages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = photo(tmp_path, NAMES[kind][0])  # without a suffix: what it is, its bytes tell
    out = tmp_path / "out" / NAMES[kind][1]
    monkeypatch.chdir(tmp_path)
    assert cli.main(["-o", str(out), "--", str(sent)]) == 0
    assert read_card(out)["state"] == "done" and read_result(out).archive.is_file()
    assert not list(tmp_path.rglob(f"{PART}*")) and not (tmp_path / "sprung").exists()


def test_two_runs_in_one_folder_do_not_meet(
    fakes: FakeStages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second is told so at once, and the first finishes as if it had been alone."""
    sent, out, begun, go = photo(tmp_path), tmp_path / "out", threading.Event(), threading.Event()
    refused: list[str] = []

    def listen(states: object) -> None:
        begun.set()
        go.wait(WAIT)

    def second() -> None:
        begun.wait(WAIT)
        try:
            Pipeline(makers=fakes.makers()).run(sent, out)
        except JobError as error:
            refused.append(str(error))
        finally:
            go.set()

    other = threading.Thread(target=second)
    other.start()
    result = Pipeline(makers=fakes.makers()).run(sent, out, listener=listen)
    other.join()
    assert refused and "Another run is working in this folder" in refused[0]
    assert result.archive.is_file() and read_card(out)["state"] == "done"


def test_without_a_network_nothing_is_missed(
    fakes: FakeStages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert cli.main([str(photo(tmp_path)), "-o", str(tmp_path / "out")]) == 0
