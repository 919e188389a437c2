"""What the page serves, under which address, and for how long."""

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
    for name in ("old", "new", "kept"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    past = time.time() - 1000
    for name in ("old", "kept"):
        os.utime(tmp_path / name / "file", (past, past))
    assert sweep(tmp_path, 500, frozenset({str(tmp_path / "kept" / "file")})) == 1
    assert {p.parent.name for p in tmp_path.rglob("file")} == {"new", "kept"}


def test_sweep_leaves_the_newest_of_what_has_no_room(tmp_path: Path):
    for age, name in enumerate(("newest", "new", "old", "kept")):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (time.time() - 10 * age, time.time() - 10 * age))
    keep = frozenset({str(tmp_path / "kept")})
    assert sweep(tmp_path, 500, keep, 400) == 0
    assert sweep(tmp_path, 500, keep, 299) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"newest", "kept"}


def test_what_the_page_shows_first_is_kept(make_studio, cache: Path):
    from svad.ui.page.build import build_page
    from svad.ui.page.launch import first_view_files

    kept = {Path(path).name for path in first_view_files(build_page(make_studio()))}
    assert {"avatar-ada.zip", "compare_photo.jpg", "compare_avatar.jpg"} <= kept
