"""A file is whole or absent, and a failure to write is a sentence."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from svad.core.errors import OutputError
from svad.core.files import in_short, make_folder, plain, write_bytes, write_json, writing
from svad.core.locks import locked
from tests.stranger import as_stranger, closed, public  # noqa: F401


def test_what_is_written_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.json"
    write_json(path, {"name": "José"})
    write_json(path, [1])
    assert path.read_text() == "[\n  1\n]\n" and [p.name for p in path.parent.iterdir()] == [
        "a.json"
    ]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(RuntimeError), writing(path) as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".bin"
        temporary.write_bytes(b"ne")
        raise RuntimeError
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "no room left"), (errno.EROFS, "cannot be written to")]
)
def test_a_disk_that_refuses_is_a_sentence(code: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=words), writing(tmp_path / "a"):
        raise OSError(code, os.strerror(code))


def test_a_file_in_place_of_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("I am a file")
    with pytest.raises(OutputError, match="cannot be used as a folder"):
        write_bytes(tmp_path / "out" / "a", b"")


def test_a_full_disk_mid_way_leaves_no_half_file(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from svad.core.files import write_bytes\n"
        "try: write_bytes(Path('big'), bytes(100_000))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("OutputError There is no room left") and not os.listdir(tmp_path)


def test_a_disk_that_is_read_only_is_a_sentence_from_lock_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    for name in ("open", "unlink", "replace"):  # such a disk refuses even to remove what is absent
        monkeypatch.setattr(os, name, refuse)
    with pytest.raises(OutputError, match="cannot be written to"), locked(tmp_path / ".lock"):
        pytest.fail("it was locked")
    with pytest.raises(OutputError, match="cannot be written to"), writing(tmp_path / "a") as path:
        refuse(path)


def test_folders_that_cannot_be_made_are_sentences(closed: Path) -> None:  # noqa: F811
    with as_stranger():
        with pytest.raises(OutputError, match="cannot be written to. Choose a folder you own"):
            make_folder(closed.parent / "new" / "er")
        for folder in (closed / "new", closed.parent):
            with pytest.raises(OutputError, match="cannot be written to"):
                write_bytes(folder / "a", b"")
    with pytest.raises(OutputError, match="cannot be used as a folder"):
        make_folder(Path("/dev/null/a"))
    with pytest.raises(OutputError, match="cannot be"):
        make_folder(Path("/proc/a"))


def test_what_the_system_refuses_is_a_sentence_and_a_defect_is_none() -> None:
    refused = PermissionError(errno.EACCES, "Permission denied", "/a/b")
    assert str(plain(refused)).startswith("/a/b cannot be read or written (Permission denied).")
    assert "no room left" in str(plain(OSError(errno.ENOSPC, "full")))
    assert "Too many files are open" in str(plain(OSError(errno.EMFILE, "many")))
    nowhere = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    assert "Set TMPDIR" in str(plain(nowhere))
    assert plain(FileNotFoundError(errno.ENOENT, "none", "/a")) is None
    assert plain(PermissionError(errno.EACCES, "Permission denied")) is None


def test_a_very_long_path_is_told_in_short(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as told:
        make_folder(tmp_path / ("n" * 300))
    assert len(str(told.value)) < 250 and "...nnn" in str(told.value)
    assert in_short(tmp_path) == str(tmp_path)
