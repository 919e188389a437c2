"""The command line: exit codes, sentences instead of tracebacks, bars, Ctrl-C."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from svad import cli
from svad.config.preset import Preset
from svad.config.presets import PREVIEW
from svad.core import startup
from svad.core.files import kept_for
from svad.media.images import save_png
from svad.media.video import OWN_FFMPEG, probe, write_mp4
from svad.run import filming, pipeline
from svad.run.card import read_card
from svad.run.commands import animate, track
from svad.run.stages import titles
from svad.terminal.codes import BAD_INPUT
from tests.fakes import FakeStages
from tests.helpers import tiny_subject

ROOT = Path(__file__).parents[1]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> FakeStages:
    """Quick stages in place of the real ones; remembers the preset it was asked for."""
    fakes = FakeStages()

    def makers(preset: Preset) -> dict:
        fakes.preset = preset
        return fakes.makers()

    monkeypatch.setattr(pipeline, "stage_makers", makers)
    return fakes


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    save_png(tmp_path / "photo.png", tiny_subject(300, 400).photo.rgb)
    return tmp_path / "photo.png"


def run(*arguments: object) -> int:
    return cli.main([str(a) for a in arguments])


def test_a_photo_becomes_a_folder(
    fakes: FakeStages, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "-o", tmp_path / "out", "--seed", 3, "--views", 4, "--size", 512) == 0
    shown = capsys.readouterr()
    assert shown.out.strip() == str(tmp_path / "out")
    lines = shown.err.splitlines()
    for place, (_, title) in enumerate(titles(PREVIEW), 1):
        assert any(line.startswith(f"{place}/6 {title}") for line in lines)
    assert sum("100%" in line for line in lines) == 4 and sum("skipped" in x for x in lines) == 2
    preset = fakes.preset
    assert (preset.seed, preset.package.views, preset.subject.person_height) == (3, 4, 512)


def test_a_second_photo_is_announced(
    fakes: FakeStages, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.png"
    save_png(other, np.ascontiguousarray(tiny_subject(300, 400).photo.rgb[:, ::-1]))
    assert run(photo, "-o", tmp_path / "out") == 0
    assert "another photo" not in capsys.readouterr().err
    assert run(other, "-o", tmp_path / "out") == 0
    assert "holds the avatar of another photo" in capsys.readouterr().err
    assert fakes.ran["subject"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("photo.png",),
        ("absent.png", "-o", "out"),
        ("text.png", "-o", "out"),
        ("photo.png", "-o", "text.png"),
        ("photo.png", "-o", "text.png/out"),
        ("photo.png", "-o", "."),
        ("photo.png", "-o", "out", "--views", "-1"),
        ("photo.png", "-o", "out", "--views", "many"),
        ("photo.png", "-o", "out", "--size", "10"),
        ("photo.png", "-o", "out", "--preset", "best"),
        ("animate", "out", "-o", "wave.mp4"),
        ("animate", ".", "--motion", "wave", "-o", "wave.mp4"),
        ("animate", "out", "--motion", "wave", "-o", "wave.gif"),
    ],
)
def test_bad_input_is_a_sentence(
    arguments: tuple[str, ...],
    fakes: FakeStages,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("I am not a picture.")
    (tmp_path / "matte.png").write_text("mine")
    try:
        code = run(*arguments)
    except SystemExit as ended:  # argparse
        code = ended.code
    shown = capsys.readouterr().err
    assert code == 2 and "Traceback" not in shown
    assert shown.splitlines()[-1].startswith(("svad: ", "python -m svad"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["matte.png", "photo.png", "text.png"]


def test_a_defect_is_told_without_a_traceback(
    fakes: FakeStages, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.fail["relief"] = ZeroDivisionError("float")
    assert run(photo, "-o", tmp_path / "out") == 1
    assert "--debug" in capsys.readouterr().err.splitlines()[-1]
    with pytest.raises(ZeroDivisionError):
        run(photo, "-o", tmp_path / "out", "--debug")


def test_animate_writes_a_video(
    fakes: FakeStages, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, video = tmp_path / "out", tmp_path / "walk.mp4"
    assert run(photo, "-o", out) == 0
    assert run("animate", out, "--motion", "walk", "-o", video, "--height", 96) == 0
    info = probe(video)
    assert info.height == 96 and info.frames / info.fps >= 4
    assert capsys.readouterr().out.splitlines() == [str(out), str(video)]
    assert run("animate", out, "--motion", "fly", "-o", video) == 2
    assert "Choose one of: turn, wave" in capsys.readouterr().err


def test_ctrl_c_stops_and_the_same_command_goes_on(
    fakes: FakeStages, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, relief = tmp_path / "out", fakes.relief

    def interrupted(*inputs: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return relief(*inputs)

    fakes.relief = interrupted
    assert run(photo, "-o", out) == 130
    assert "Give the same command again" in capsys.readouterr().err
    assert read_card(out)["state"] == "stopped"
    fakes.relief = relief
    assert run(photo, "-o", out) == 0 and fakes.ran["subject"] == 1
    assert "1/6 Understand the photo     kept" in capsys.readouterr().err


def test_help_is_quick_and_complete() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "svad", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "svad.cli" in imported  # and nothing of what takes its time
    assert not imported & {"numpy", "torch", "cv2", "numba", "scipy", "gradio", "mediapipe"}
    for word in ("PHOTO", "--preset", "--views", "--size", "--seed", "animate"):
        assert word in done.stdout


def test_another_python_is_told_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ((3, 10, 13), (3, 13, 0)):
        monkeypatch.setattr(sys, "version_info", version)
        with pytest.raises(SystemExit, match=r"needs Python 3.11 or 3.12; this is Python 3.1"):
            startup.check_python()
    for version in startup.SUPPORTED:
        monkeypatch.setattr(sys, "version_info", (*version, 1))
        startup.check_python()


@pytest.mark.parametrize(("given", "left"), [("0", None), ("-1", None), ("all", None), ("2", "2")])
def test_a_number_of_threads_that_is_none_goes_before_numba_fails_at_it(
    given: str, left: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(startup.THREADS, given)
    startup.prepare()
    assert os.environ.get(startup.THREADS) == left


def test_a_clip_or_several_photos_take_their_own_preset(
    fakes: FakeStages, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, other = tmp_path / "turn.mp4", tmp_path / "back.png"
    write_mp4(clip, [np.full((64, 48, 3), k * 4, np.uint8) for k in range(48)], fps=24)
    save_png(other, np.ascontiguousarray(tiny_subject(300, 400).photo.rgb[:, ::-1]))
    assert run(clip, "-o", tmp_path / "out", "--holdout", 3, "--seed", 4) == 0
    assert fakes.preset.name == "clip" and fakes.preset.film.holdout == 3
    assert fakes.preset.seed == 4 and (tmp_path / "out/holdout/holdout.json").is_file()
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("1/6 Look through the pictures") for line in lines)
    assert "Note: One arm is never seen." in lines
    assert "that were kept from the training the avatar comes to" in lines[-1]
    assert run(photo, other, "-o", tmp_path / "two", "--set", "footage.height=300") == 0
    assert fakes.preset.footage.height == 300 and fakes.preset.film.holdout == 0
    assert read_card(tmp_path / "two")["pictures"]["kind"] == "photos"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("photo.png", "photo.png"), "photo.png and photo.png are the same photo"),
        (("photo.png", "turn.mp4"), "a clip beside a photo"),
        (("turn.mp4", "--preset", "quick"), "quick makes its own frames from one photo"),
        (("photo.png", "--preset", "clip"), "this is one photo. Choose preview, quick or paper"),
        (("photo.png", "--holdout", "5"), "--holdout keeps frames of a clip"),
        (("turn.mp4", "--holdout", "1"), "1 is not a whole number from 2"),
        (("photo.png",) * 5, "5 photos; at most 4"),
    ],
)
def test_pictures_that_do_not_go_together_are_a_sentence(
    arguments: tuple[str, ...],
    words: str,
    fakes: FakeStages,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_mp4(Path("turn.mp4"), [np.full((64, 48, 3), k * 4, np.uint8) for k in range(48)], fps=24)
    try:
        code = run(*arguments, "-o", "out")
    except SystemExit as ended:  # argparse
        code = ended.code
    assert code == 2 and words in capsys.readouterr().err
    assert not Path("out").exists()


def test_what_the_system_refuses_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied", "/somebody/else")

    monkeypatch.setattr(animate, "run", refuse)
    assert run("animate", "out", "--motion", "wave", "-o", "a.mp4") == BAD_INPUT
    assert "svad: /somebody/else cannot be read or written" in capsys.readouterr().err
    with pytest.raises(PermissionError):
        run("animate", "out", "--motion", "wave", "-o", "a.mp4", "--debug")


@pytest.mark.parametrize("name", ["", " ", "a\0b"])
def test_a_name_that_is_none_is_refused(
    name: str, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photo.parent)
    for words in (
        [photo, "-o", name],
        [name, "-o", "out"],
        ["animate", "out", "--motion", "wave", "-o", name],
        ["animate", name, "--motion", "wave", "-o", "a.mp4"],
        ["track", "a.mp4", "-o", name],
        ["import", "a.pth", "-o", name],
        ["evaluate", "clip", "out", "--truth", "a.mp4", "-o", name],
    ):
        with pytest.raises(SystemExit) as ended:
            run(*words)
        assert ended.value.code == BAD_INPUT
        told = capsys.readouterr().err.splitlines()[-1]
        assert "the name is empty" in told or "zero byte" in told
    assert list(photo.parent.iterdir()) == [photo]


def test_where_a_video_cannot_go_is_said_before_it_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(filming, "motion_video", lambda *_, **__: pytest.fail("it was drawn"))
    monkeypatch.setattr(track, "track", lambda *_, **__: pytest.fail("it was tracked"))
    for name in ("a.mp4", "a.npz"):
        (tmp_path / name).mkdir()
    for words, sentence in (
        (["animate", "out", "--motion", "wave", "-o", tmp_path / "a.mp4"], "a.mp4 is a folder"),
        (["animate", "out", "--motion", "wave", "-o", "/dev/null/a.mp4"], "used as a folder"),
        (["track", "a.mp4", "-o", tmp_path / "a.npz"], "a.npz is a folder"),
        (["track", "a.mp4", "-o", "/proc/none/a.npz"], "cannot be"),
    ):
        assert run(*words) == BAD_INPUT
        assert sentence in capsys.readouterr().err


def test_a_missing_ffmpeg_is_said_before_anything_is_begun(
    fakes: FakeStages,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = tmp_path / "turn.mp4"
    write_mp4(clip, [np.full((64, 48, 3), k * 4, np.uint8) for k in range(48)], fps=24)
    monkeypatch.setenv(OWN_FFMPEG, "/nowhere/ffmpeg")
    for words in (
        [photo, "-o", tmp_path / "out"],
        [clip, "-o", tmp_path / "out"],
        ["animate", tmp_path / "out", "--motion", "wave", "-o", tmp_path / "new" / "wave.mp4"],
    ):
        assert run(*words) == BAD_INPUT
        assert "/nowhere/ffmpeg" in capsys.readouterr().err.splitlines()[-1]
    assert not fakes.ran and sorted(tmp_path.iterdir()) == [photo, clip]


def test_a_new_folder_for_a_video_that_fails_goes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old").mkdir()
    for words in (
        ["animate", "out", "--motion", "wave", "-o", tmp_path / "new" / "er" / "a.mp4"],
        ["animate", "out", "--motion", "wave", "-o", tmp_path / "old" / "er" / ("a" * 300)],
        ["track", tmp_path / "gone.mp4", "-o", tmp_path / "old" / "er" / "a.npz"],
        ["still", "out", "-o", tmp_path / "new" / "a.png"],
    ):
        assert run(*words) == BAD_INPUT
        assert "Traceback" not in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["old"]

    with pytest.raises(KeyboardInterrupt), kept_for(tmp_path / "new" / "a.mp4"):
        (tmp_path / "new" / "mine.txt").write_text("mine")
        raise KeyboardInterrupt
    assert (tmp_path / "new" / "mine.txt").is_file()  # of somebody else


def test_a_current_folder_that_is_gone_is_a_sentence(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(photo, "-o", "out") == cli.BAD_INPUT
    assert "current folder cannot be found" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_end_before_anything_has_begun_is_a_word(name: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have it ignored
        "class Pressed:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == 'svad.cli': signal.raise_signal(signal.{name})\n"
        "sys.meta_path.insert(0, Pressed())\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "svad"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "Stopped before anything was begun.\n")


def test_a_terminal_that_closes_stops_the_run_unless_it_was_told_not_to() -> None:
    before, stop = signal.getsignal(signal.SIGHUP), threading.Event()
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` leaves it
        with cli._interrupts(stop):
            signal.raise_signal(signal.SIGHUP)
        assert not stop.is_set()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with cli._interrupts(stop):
            signal.raise_signal(signal.SIGHUP)
        assert stop.is_set() and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


class Broken(io.StringIO):
    """What a program writes to where the terminal was closed, or the disk behind it is full."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    flush = write  # type: ignore[assignment]


def test_a_run_goes_on_where_nobody_can_read_what_it_says(
    fakes: FakeStages, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    assert run(photo, "-o", tmp_path / "out") == 0
    for name in ("stdout", "stderr"):  # as Python has them where they were closed
        monkeypatch.setattr(sys, name, None)
    assert run(photo, "-o", tmp_path / "out") == 0
    assert run(photo, "-o", photo) == cli.BAD_INPUT


def test_letters_that_a_terminal_does_not_know_are_written_out(
    fakes: FakeStages, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="ascii"))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding="ascii"))
    assert run(photo, "-o", tmp_path / "\u7d50\u679c") == 0
    assert run(tmp_path / "\u7167.png", "-o", tmp_path / "out") == cli.BAD_INPUT
    sys.stderr.flush()
    assert rb"\u7d50\u679c" in out.getvalue() and rb"no file \u7167.png" in err.getvalue()


def test_a_full_disk_behind_the_output_is_told_once() -> None:
    code = "from svad.terminal.streams import flush; print('x'); flush()"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=-1, check=False
        )
    assert done.returncode == 1 and b"Exception ignored" not in done.stderr  # nothing at exit
