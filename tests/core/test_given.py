"""Files as people name them: read, or refused with a sentence in time."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from svad.core import given
from svad.core.errors import PhotoError, SvadError
from svad.core.given import is_file, is_filled, read_given, require_file
from tests.stranger import as_stranger, closed, public  # noqa: F401
from tests.waiting import WAIT

MOST = 3_000_000


def refusal(path: Path, read: bool = True) -> str:
    with pytest.raises(PhotoError) as error:
        read_given(path, MOST, PhotoError) if read else require_file(path, PhotoError, MOST)
    return str(error.value)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 9000)
    assert read_given(tmp_path / "a", MOST, PhotoError) == bytes(range(256)) * 9000
    (tmp_path / "empty").touch()
    assert read_given(tmp_path / "empty", MOST, PhotoError) == b""
    require_file(tmp_path / "a", PhotoError)
    require_file(tmp_path / "a", PhotoError, MOST)


@pytest.mark.parametrize("read", [True, False])
def test_what_is_no_file_is_a_sentence(tmp_path: Path, read: bool) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    assert "is a device" in refusal(tmp_path / "zero", read)
    assert "is a folder. Please give a single file." in refusal(tmp_path, read)
    assert "There is no file gone.jpg." in refusal(tmp_path / "gone.jpg", read)
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read" in refusal(tmp_path / "loop", read)
    assert "There is no file" in refusal(tmp_path / "zero\0", read)
    (tmp_path / "file").touch()
    assert "There is no file b" in refusal(tmp_path / "file" / "b", read)
    told = refusal(tmp_path / ("x" * 300), read)
    assert "x... cannot be read (File name too long)" in told and len(told) < 200


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "huge.jpg", "wb") as file:
        file.truncate(20 * 10**9)  # takes no room: it is all hole
    assert refusal(tmp_path / "huge.jpg").startswith("huge.jpg is larger than 3 MB.")
    assert "larger than 3 MB" in refusal(tmp_path / "huge.jpg", read=False)


def test_an_endless_pipe_is_read_to_its_cap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given, "WAIT", WAIT)  # a slow machine's pipe pours late
    os.mkfifo(tmp_path / "pipe")

    def pour() -> None:
        with open(tmp_path / "pipe", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(2**16))
            except BrokenPipeError:
                pass

    pouring = threading.Thread(target=pour)
    pouring.start()
    assert "larger than 3 MB" in refusal(tmp_path / "pipe")
    pouring.join()


def test_a_pipe_that_goes_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    given_up = threading.Event()

    def drip() -> None:
        with open(tmp_path / "pipe", "wb", buffering=0) as file:
            file.write(b"a beginning")
            given_up.wait(WAIT)

    dripping = threading.Thread(target=drip)
    dripping.start()
    monkeypatch.setattr(given, "WAIT", 1.0)
    assert "Nothing came out of pipe" in refusal(tmp_path / "pipe")
    given_up.set()
    dripping.join()


@pytest.mark.skipif(not os.path.exists("/proc/kmsg"), reason="there is no such file here")
def test_what_the_system_makes_up_without_end_is_not_read() -> None:
    for path in (Path("/proc/kmsg"), Path("/dev/zero")):
        assert not is_filled(path)
    with suppress(PhotoError):  # it is root's alone, and not everywhere
        assert read_given(Path("/proc/kmsg"), MOST, PhotoError) == b""


def test_a_pipe_is_read_and_one_without_a_writer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(given, "WAIT", WAIT)
    writing = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"a" * 200_000,))
    writing.start()
    assert read_given(tmp_path / "pipe", MOST, PhotoError) == b"a" * 200_000
    writing.join()
    monkeypatch.setattr(given, "WAIT", 0.01)
    assert "Nothing came out of pipe" in refusal(tmp_path / "pipe")
    assert "device or a pipe" in refusal(tmp_path / "pipe", read=False)


def test_where_nobody_may_look_is_a_sentence(closed: Path) -> None:  # noqa: F811
    with as_stranger():
        for path in (closed / "photo.jpg", closed / "gone.jpg"):
            for read in (True, False):
                assert "cannot be read (Permission denied)" in refusal(path, read)
            assert not is_file(path)
    (closed.parent / "mine.jpg").touch(mode=0o000)
    with as_stranger():
        for read in (True, False):
            assert "mine.jpg cannot be read (Permission" in refusal(
                closed.parent / "mine.jpg", read
            )
    assert is_file(closed.parent / "mine.jpg") and issubclass(PhotoError, SvadError)
