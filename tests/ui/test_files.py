from __future__ import annotations

import os
import time
from pathlib import Path

from svad.ui.files import Shelf, sweep


def test_private_files_get_an_address_made_of_their_content(tmp_path: Path, cache: Path):
    shelf = Shelf((tmp_path / "public",))
    (tmp_path / "a.txt").write_text("one")
    first = shelf.publish(tmp_path / "a.txt")
    assert cache in first.parents and first.read_text() == "one"
    assert len(first.parent.name) == 64 and shelf.publish(tmp_path / "a.txt") == first
    (tmp_path / "a.txt").write_text("two")
    assert shelf.publish(tmp_path / "a.txt") != first
    assert shelf.publish(tmp_path / "a.txt", "b.txt").name == "b.txt"


def test_public_files_are_served_in_place(tmp_path: Path, cache: Path):
    (tmp_path / "public").mkdir()
    path = tmp_path / "public" / "a b.txt"
    path.write_text("x")
    shelf = Shelf((tmp_path / "public",))
    assert shelf.publish(path) == path.resolve()
    assert shelf.url(path).endswith("/public/a%20b.txt")
    assert not list(cache.iterdir())


def test_sweep_removes_only_what_is_old(tmp_path: Path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    past = time.time() - 1000
    os.utime(tmp_path / "old" / "file", (past, past))
    assert sweep(tmp_path, 500) == 1
    assert [p.name for p in tmp_path.rglob("file")] == ["file"]
    assert (tmp_path / "new" / "file").exists()
