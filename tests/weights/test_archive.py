"""Single files come out of an archive; nothing is written anywhere else."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from svad.weights.archive import unpack
from svad.weights.convert import read_checkpoint
from svad.weights.errors import UnsafeFile
from svad.weights.store import Store
from tests.weights.hub_server import entry

Make = Callable[..., Store]
MEMBER = "emica/net.pt"


def checkpoint(value: float = 1.0) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.full((3,), value)}, buffer)
    return buffer.getvalue()


def archive(path: Path, files: dict[str, bytes | tarfile.TarInfo]) -> Path:
    """A tar with files, or with whatever a TarInfo says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                tar.addfile(info)
    return path


def link(name: str, to: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


@pytest.mark.parametrize("before", ["", "./", "track_resources/", "a/b/"])
def test_one_file_is_taken_and_no_other(tmp_path: Path, before: str) -> None:
    files = {f"{before}{MEMBER}": b"wanted", f"{before}emica/other.pt": b"x", "net.pt": b"y"}
    source = archive(tmp_path / "all.tar", files)
    unpack(source, MEMBER, tmp_path / "out" / "net.pt")
    assert (tmp_path / "out" / "net.pt").read_bytes() == b"wanted"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["all.tar", "net.pt", "out"]


@pytest.mark.parametrize("name", ["/etc/net.pt", "../net.pt", "a/../../net.pt", "a\\..\\net.pt"])
def test_an_archive_that_points_outside_is_refused(tmp_path: Path, name: str) -> None:
    source = archive(tmp_path / "all.tar", {MEMBER: b"wanted", name: b"x"})
    with pytest.raises(UnsafeFile, match="points outside"):
        unpack(source, MEMBER, tmp_path / "net.pt")
    assert os.listdir(tmp_path) == ["all.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_are_not_followed(tmp_path: Path, kind: bytes) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"private")
    source = archive(tmp_path / "all.tar", {MEMBER: link(MEMBER, str(secret), kind)})
    with pytest.raises(UnsafeFile, match="is a link or no plain file"):
        unpack(source, MEMBER, tmp_path / "net.pt")
    assert not (tmp_path / "net.pt").exists()


def test_what_is_not_there_or_twice_there_is_said(tmp_path: Path) -> None:
    twice = {f"a/{MEMBER}": b"1", f"b/{MEMBER}": b"2"}
    for files, words in (({}, f"no file {MEMBER}"), (twice, "2 files")):
        with pytest.raises(UnsafeFile, match=words):
            unpack(archive(tmp_path / "all.tar", files), MEMBER, tmp_path / "net.pt")


@pytest.mark.parametrize("kept", [0, 700, 1100])
def test_a_damaged_archive_is_said_to_be_one(tmp_path: Path, kept: int) -> None:
    source = archive(tmp_path / "all.tar", {MEMBER: b"w" * 5000})
    source.write_bytes(source.read_bytes()[:kept])
    with pytest.raises(UnsafeFile, match="damaged"):
        unpack(source, MEMBER, tmp_path / "net.pt")
    assert os.listdir(tmp_path) == ["all.tar"]


def test_the_store_hands_out_members_as_safetensors(make: Make, tmp_path: Path) -> None:
    own = tmp_path / "own"
    source = archive(own / "all.tar", {MEMBER: checkpoint(2.0), "x/other.onnx": b"graph"})
    store = make(entry(file="all.tar", format="tar"), own=own)
    first = store.resolve(f"net:{MEMBER}")
    assert read_checkpoint(first)["weight"][0] == 2.0 and first.suffix == ".safetensors"
    stamp = first.stat().st_mtime_ns
    assert store.resolve(f"net:{MEMBER}") == first and first.stat().st_mtime_ns == stamp
    assert store.resolve("net:x/other.onnx").read_bytes() == b"graph"
    assert store.resolve("net") == source
    archive(source, {MEMBER: checkpoint(3.0)})
    os.utime(source, ns=(1, 1))
    assert read_checkpoint(store.resolve(f"net:{MEMBER}"))["weight"][0] == 3.0
    assert not first.exists() and len(list(first.parent.glob("net-*"))) == 1


@pytest.mark.parametrize("place", [f"net/{MEMBER}", MEMBER])
def test_a_member_may_be_unpacked_by_hand(make: Make, tmp_path: Path, place: str) -> None:
    path = tmp_path / "own" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(checkpoint(5.0))
    store = make(entry(file="all.tar", format="tar"), own=tmp_path / "own")
    found = store.resolve(f"net:{MEMBER}")
    assert read_checkpoint(found)["weight"][0] == 5.0 and path.exists()
    found.rename(path.with_suffix(".safetensors"))
    assert store.resolve(f"net:{MEMBER}") == path.with_suffix(".safetensors")


def test_code_in_a_member_is_not_run(make: Make, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "trace",))

    archive(tmp_path / "own" / "all.tar", {MEMBER: pickle.dumps({"x": Bomb()}, protocol=2)})
    store = make(entry(file="all.tar", format="tar"), own=tmp_path / "own")
    with pytest.raises(UnsafeFile, match="could run code"):
        store.resolve(f"net:{MEMBER}")
    assert not (tmp_path / "trace").exists() and not any((tmp_path / "cache").rglob("*.pt"))
