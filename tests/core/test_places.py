"""Folders of this machine, also where there is no home and nothing can be written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from svad.core import places
from svad.core.errors import OutputError
from svad.core.places import cache_folder, expanded, for_compiled, private_folder, writable
from tests.stranger import as_stranger, closed, public  # noqa: F401


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """No HOME, and a user without an entry in the table."""

    def unknown(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)


def test_the_cache_is_where_the_person_wants_it(tmp_path: Path) -> None:
    assert cache_folder({"SVAD_CACHE": "/a/b", "XDG_CACHE_HOME": "/x"}) == Path("/a/b")
    assert cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/svad")
    assert cache_folder({}) == Path.home() / ".cache" / "svad"


def test_without_a_home_there_is_a_private_cache(homeless: None, tmp_path: Path) -> None:
    assert cache_folder({}) == tmp_path / f"svad-{os.getuid()}" / "cache"
    assert cache_folder({"SVAD_CACHE": "~/mine"}) == Path("~/mine") == expanded("~/mine")
    assert cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/svad")


def test_a_folder_others_can_read_is_not_used() -> None:
    first = private_folder()
    assert first.name == f"svad-{os.getuid()}" and private_folder() == first
    first.chmod(0o755)
    other = private_folder()
    assert other != first and other.stat().st_mode & 0o077 == 0


def test_a_file_or_a_link_in_the_private_folders_place_is_not_used(tmp_path: Path) -> None:
    place = tmp_path / f"svad-{os.getuid()}"
    place.write_text("mine")
    assert private_folder().is_dir() and place.read_text() == "mine"
    place.unlink()
    place.symlink_to(tmp_path / "nowhere")
    assert private_folder() != place and not (tmp_path / "nowhere").exists()


def test_no_folder_for_temporary_files_is_a_sentence(
    closed: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with as_stranger(), pytest.raises(OutputError, match="Set TMPDIR to one"):
        private_folder()


def test_compiled_code_goes_to_the_first_folder_that_can_be_written(
    public: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = tmp_path / f"svad-{os.getuid()}" / "compiled"
    assert list(for_compiled({"SVAD_CACHE": str(tmp_path / "c")})) == [tmp_path / "c/compiled", own]
    assert list(for_compiled({"SVAD_CACHE": "/dev/null/c"})) == [own]
    with as_stranger():
        assert not writable(public / "new")
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null")
    assert list(for_compiled({"SVAD_CACHE": str(tmp_path / "c")})) == []  # and it is no error
    assert places.writable(tmp_path)
