"""Checkpoints are read without running anything in them, and converted without loss."""

from __future__ import annotations

import collections
import pickle
import random
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from svad.weights.convert import convert, in_words, read_checkpoint
from svad.weights.errors import NoRoom, UnsafeFile


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.trace,))


def tensors() -> dict[str, torch.Tensor]:
    base = torch.arange(12.0).reshape(3, 4)
    return {
        "conv.weight": base,
        "tied.weight": base,
        "turned": base.T,
        "half": torch.ones(2, dtype=torch.float16),
        "brain": torch.ones(2, dtype=torch.bfloat16),
        "count": torch.tensor(7),
    }


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_becomes_safetensors_without_loss(tmp_path: Path, zipped: bool) -> None:
    source, target = tmp_path / "net.pth", tmp_path / "net.safetensors"
    torch.save(collections.OrderedDict(tensors()), source, _use_new_zipfile_serialization=zipped)
    convert(source, target)
    for read in (read_checkpoint(source), read_checkpoint(target)):
        assert set(read) == set(tensors())
        for name, value in tensors().items():
            assert read[name].dtype == value.dtype and torch.equal(read[name], value)
    assert [p.name for p in tmp_path.iterdir() if p not in (source, target)] == []


def test_the_part_with_the_tensors_is_found_by_its_key(tmp_path: Path) -> None:
    source, target = tmp_path / "net.ckpt", tmp_path / "net.safetensors"
    torch.save({"state_dict": tensors(), "epoch": 3, "rates": [0.1, None]}, source)
    assert set(read_checkpoint(source, "state_dict")) == set(tensors())
    convert(source, target)
    with safe_open(str(target), framework="pt") as file:
        assert "state_dict.count" in file.keys()
        assert file.metadata()["values"] == '{"epoch": 3, "rates.0": 0.1, "rates.1": null}'
    with pytest.raises(UnsafeFile, match="no part named model"):
        read_checkpoint(source, "model")


@pytest.mark.parametrize("plain", [True, False])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, plain: bool) -> None:
    trace, source = tmp_path / "trace", tmp_path / "net.pth"
    value = {"weight": torch.ones(2), "bomb": Bomb(trace)}
    if plain:
        source.write_bytes(pickle.dumps(value, protocol=2))
    else:
        torch.save(value, source)
    with pytest.raises(UnsafeFile, match="could run code"):
        convert(source, tmp_path / "net.safetensors")
    assert not trace.exists() and not (tmp_path / "net.safetensors").exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, suffix: str, content: bytes) -> None:
    source = tmp_path / f"net{suffix}"
    source.write_bytes(content)
    with pytest.raises(UnsafeFile, match="damaged"):
        read_checkpoint(source)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_is_damaged_ends_in_one_kind_of_error(tmp_path: Path, zipped: bool) -> None:
    good, source, refused = tmp_path / "good.pth", tmp_path / "net.pth", 0
    torch.save(tensors(), good, _use_new_zipfile_serialization=zipped)
    data, chance = good.read_bytes(), random.Random(0)
    for _ in range(60):
        flipped = bytearray(data[: chance.randrange(1, len(data))])
        flipped[chance.randrange(min(len(flipped), 600))] ^= 1 << chance.randrange(8)
        source.write_bytes(flipped)
        try:
            read_checkpoint(source)
        except UnsafeFile:
            refused += 1
    assert refused > 40


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "net.pth")
    with pytest.raises(UnsafeFile, match="no tensors"):
        read_checkpoint(tmp_path / "net.pth")


def test_room_for_the_copy_is_checked_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(tensors(), tmp_path / "net.pth")
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(NoRoom, match="free disk"):
        convert(tmp_path / "net.pth", tmp_path / "net.safetensors")
    assert not (tmp_path / "net.safetensors").exists()


def test_sizes_in_words() -> None:
    sizes = (None, 0, 999, 4_300, 217_000_000, 3_440_000_000, 10_600_000_000)
    words = ["?", "0 B", "999 B", "4.30 kB", "217 MB", "3.44 GB", "11 GB"]
    assert [in_words(size) for size in sizes] == words
