"""Compiled loops work wherever the program lies, and whatever their cache holds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numba
import pytest

from svad.compute import compiled

SOURCE = """
from svad.compute.compiled import cached

@cached(nogil=True)
def twice(x):
    return 2 * x
"""

PIECE = """
from svad.compute.compiled import part

@part
def times(x):
    return {n} * x
"""
WHOLE = """
from pieces import times
from svad.compute.compiled import jit_beside

@jit_beside
def many(x):
    return times(x)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of a module with a compiled function; numba keeps nothing anywhere yet."""
    (tmp_path / "loops").mkdir()
    (tmp_path / "loops" / "loops.py").write_text(SOURCE)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    compiled._folder.cache_clear()
    yield tmp_path / "loops"
    compiled._folder.cache_clear()


def module(folder: Path) -> ModuleType:
    """The module, read anew."""
    spec = spec_from_file_location("loops", folder / "loops.py")
    found = module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def kept(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.nb[ci]"))


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same in a place that its user cannot write to."""
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: Path(p) != folder and real(p, mode))
    return folder


def test_what_is_compiled_is_kept_beside_the_source(folder: Path) -> None:
    assert module(folder).twice(3) == 6
    assert {path.suffix for path in kept(folder / "__pycache__")} == {".nbc", ".nbi"}
    again = module(folder)
    assert again.twice(4) == 8 and sum(again.twice.stats.cache_hits.values()) == 1


def test_a_kernel_is_compiled_anew_when_a_piece_beside_it_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    (folder / "loops.py").write_text(WHOLE)
    for n, hits in ((2, 0), (2, 1), (30, 0)):
        (folder / "pieces.py").write_text(PIECE.format(n=n))
        compiled._hash_of.cache_clear()
        sys.modules.pop("pieces", None)
        found = module(folder)
        assert found.many(5) == 5 * n
        assert sum(found.many.stats.cache_hits.values()) == hits


def test_an_installed_one_is_kept_in_our_cache(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVAD_CACHE", str(tmp_path / "cache"))
    assert module(installed).twice(3) == 6
    assert len(kept(tmp_path / "cache" / "compiled")) == 2 and not kept(installed)
    again = module(installed)
    assert again.twice(4) == 8 and sum(again.twice.stats.cache_hits.values()) == 1


def test_where_nothing_can_be_written_it_is_not_kept(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "for_compiled", lambda environ: iter(()))
    assert module(installed).twice(3) == 6 and not kept(tmp_path)


def test_a_damaged_cache_and_a_full_disk_cost_time_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module(folder).twice(3)
    for path in kept(folder):
        path.write_bytes(b"")
    assert module(folder).twice(3) == 6 and "not kept" in caplog.text
    found = module(folder)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    assert found.twice(3.5) == 7.0


def test_every_compiled_loop_goes_through_here() -> None:
    root = Path(compiled.__file__).parents[2]
    files = [*(root / "svad").rglob("*.py"), *(root / "tools").rglob("*.py")]
    direct = [path for path in files if "njit(" in path.read_text(encoding="utf-8")]
    assert direct == [Path(compiled.__file__)]
