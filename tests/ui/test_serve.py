"""Starting the page as a person does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from svad.config.preset import Preset
from svad.config.presets import PAPER
from svad.core.errors import JobError
from svad.ui import serve
from svad.ui.headers import HEADERS
from svad.ui.page.blocks import Page
from tests.waiting import WAIT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(tmp_path: Path):
    """`python app.py` on a port that was free; should it be taken meanwhile, on the next."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"GRADIO_SERVER_PORT": str(port), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    quiet = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"}
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=quiet | own,
        stdout=subprocess.PIPE,
        text=True,
        # a shell that runs the tests in the background lets them ignore Ctrl-C, and all they start
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    hangs = threading.Timer(3 * WAIT, process.kill)  # its first word is waited for without a limit
    hangs.start()
    yield process
    hangs.cancel()
    process.kill()
    process.wait()


def test_the_page_answers_and_ends_on_ctrl_c(app, tmp_path: Path):
    """How soon it answers, the bench measures."""
    told = next((line for line in app.stdout if "The page is open on" in line), "")
    url = told.split()[-1] if told else pytest.fail("it did not open")
    answer = urllib.request.urlopen(url, timeout=WAIT)
    page = answer.read().decode()
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert 'analytics_enabled":false' in page.replace(" ", "")
    assert (tmp_path / f"svad-{os.getuid()}").stat().st_mode & 0o077 == 0
    app.send_signal(signal.SIGINT)
    app.wait(timeout=WAIT)


def test_warming_up_survives_a_broken_engine(make_studio, monkeypatch, caplog):
    monkeypatch.setattr(serve, "GRACE", 0)
    studio = make_studio()
    monkeypatch.setattr(studio, "engine", lambda: 1 / 0)
    serve.warm_up(studio)
    assert "Warming up failed" in caplog.text


def test_a_wrong_list_of_files_is_a_sentence_not_a_traceback(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SVAD_WEIGHTS", str(tmp_path / "gone"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit, match="svad: .*SVAD_WEIGHTS is"):
        serve.serve()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("GRADIO_SERVER_PORT", "abc", "GRADIO_SERVER_PORT must be"), ("", "", "Set TMPDIR")],
)
def test_what_keeps_the_page_from_opening_is_a_sentence(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
):
    if name:
        monkeypatch.setenv(name, value)
    else:
        monkeypatch.setattr(tempfile, "tempdir", "/dev/null")
    with pytest.raises(SystemExit, match=f"svad: .*{words}"):
        serve.serve()


def test_a_page_that_its_own_computer_cannot_reach_is_a_sentence(
    tmp_path: Path, examples: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("When localhost is not accessible, a link must be created. Set share.")

    monkeypatch.setattr(Page, "launch", refuse)
    with pytest.raises(SystemExit, match=r"svad: The page does not answer .*GRADIO_ROOT_PATH"):
        serve._open(tmp_path, examples, hosted=False, wanted=serve.free_port(7860, "127.0.0.1"))


def test_on_zero_files_and_networks_are_there_before_the_page_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The platform packs what is on the GPU when the page is launched."""
    done: list[str] = []

    def opened(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    for name in ("fetch_at_start", "dispatcher"):
        monkeypatch.setattr(serve, name, lambda name=name: done.append(name))
    monkeypatch.setattr(serve, "on_zero", lambda: True)
    monkeypatch.setattr(serve, "offer", lambda preset: SimpleNamespace(ready=preset != PAPER))
    monkeypatch.setattr(serve, "preload", lambda preset: done.append(preset.name))
    monkeypatch.setattr(serve, "_open", opened)
    with pytest.raises(KeyboardInterrupt):
        serve.serve()
    assert done[:2] == ["fetch_at_start", "dispatcher"] and "quick" in done[2:]
    assert "paper" not in done


def test_a_file_that_is_wrong_keeps_no_space_from_opening(monkeypatch: pytest.MonkeyPatch, caplog):
    def wrong(preset: Preset) -> None:
        raise JobError("unet.bin is not the file that is pinned.")

    monkeypatch.setattr(serve, "dispatcher", lambda: None)
    monkeypatch.setattr(serve, "offer", lambda preset: SimpleNamespace(ready=True))
    monkeypatch.setattr(serve, "preload", wrong)
    serve.ready_for_zero()
    assert "could not be loaded" in caplog.text
