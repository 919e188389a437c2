"""Unfinished files: a killed run's are swept up by the next, and nobody else's are touched."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from svad.core import parts
from svad.core.errors import OutputError
from svad.core.files import require_writable, write_bytes, writing
from svad.core.parts import PART, is_alive, is_left, part_of

ROOT = Path(__file__).parents[2]


def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def named(folder: Path, machine: str, process: int) -> Path:
    path = folder / f"{PART}{machine}-{process}-0123abcd-wave.mp4"
    path.write_bytes(b"half")
    return path


def test_a_killed_writer_leaves_a_part_that_the_next_sweeps_up(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from svad.core.files import writing\n"
        "with writing(Path('wave.mp4')) as part:\n"
        "    part.write_bytes(b'half'); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(PART) and left.suffix == ".mp4"
    write_bytes(tmp_path / "dance.mp4", b"whole")  # another name in the same folder
    assert [path.name for path in tmp_path.iterdir()] == ["dance.mp4"]


def test_parts_of_the_living_and_of_other_machines_stay(tmp_path: Path) -> None:
    here = parts._machine()
    living = named(tmp_path, here, os.getppid())
    other = named(tmp_path, "0000" if here != "0000" else "1111", ended())
    mine = tmp_path / f"{PART}notes.txt"  # of nobody's making
    mine.touch()
    dead, reused = named(tmp_path, here, ended()), named(tmp_path, here, os.getpid())
    assert is_left(dead) and is_left(reused)  # our own number, but not one that we are writing
    write_bytes(tmp_path / "a", b"")
    assert living.exists() and other.exists() and mine.exists()
    assert not dead.exists() and not reused.exists()
    os.utime(other, (time.time() - parts.QUIET - 1,) * 2)
    write_bytes(tmp_path / "a", b"")
    assert not other.exists()


def test_two_writers_of_one_name_do_not_meet(tmp_path: Path) -> None:
    with writing(tmp_path / "a") as one:
        one.write_bytes(b"one")
        write_bytes(tmp_path / "a", b"two")
        assert one.exists()
    assert (tmp_path / "a").read_bytes() == b"one" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("letter", ["x", "ü", "写"])
def test_the_longest_names_have_parts(letter: str, tmp_path: Path) -> None:
    name = letter * (250 // len(letter.encode())) + ".mp4"
    assert part_of(tmp_path / name).suffix == ".mp4"
    write_bytes(tmp_path / name, b"whole")
    assert (tmp_path / name).read_bytes() == b"whole"
    require_writable(tmp_path / name)
    with pytest.raises(OutputError, match="File name too long"):
        require_writable(tmp_path / ("x" * 300))


def test_what_cannot_be_written_is_said_before(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(OutputError, match=r"a\.mp4 is a folder. Name the file in it"):
        require_writable(tmp_path / "a.mp4")
    with pytest.raises(OutputError, match="cannot be used as a folder"):
        require_writable(Path("/dev/null/a.mp4"))
    require_writable(tmp_path / "new" / "b.mp4")
    assert not list((tmp_path / "new").iterdir())


def test_processes_that_cannot_be_are_not_alive() -> None:
    assert is_alive(os.getpid()) and not is_alive(ended())
    assert not is_alive(0) and not is_alive(-1) and not is_alive(10**30)
