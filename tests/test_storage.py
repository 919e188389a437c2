"""What passes between stages comes back as it went, and nothing else comes in."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svad.core.errors import JobError
from svad.storage import load, save
from svad.types import Avatar, Clip, Closeup, Photo, Subject
from tests.fakes import FakeStages
from tests.helpers import tiny_avatar, tiny_subject


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    if is_dataclass(a):
        names = [f.name for f in fields(a)]
        return type(a) is type(b) and all(same(getattr(a, n), getattr(b, n)) for n in names)
    return type(a) is type(b) and a == b


def clip() -> Clip:
    return FakeStages(seconds=0).relief(tiny_subject(), lambda *_: None)


@pytest.mark.parametrize(
    "value", [tiny_avatar(50), tiny_subject(), clip()], ids=lambda v: str(type(v))
)
def test_round_trip(value: Any, tmp_path: Path) -> None:
    save(value, tmp_path / "value.safetensors")
    assert same(load(type(value), tmp_path / "value.safetensors"), value)


def test_views_of_arrays_and_empty_ones_come_back(tmp_path: Path) -> None:
    rgb = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)[::-1, ::2]
    value = Closeup(rgb=rgb, matte=np.zeros((0, 3), np.uint8), box=(1, 2, 3, 4), density=2)
    save(value, tmp_path / "a")
    assert same(load(Closeup, tmp_path / "a"), value)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save(tiny_subject(), path)
    with pytest.raises(JobError, match="Subject, not a Avatar"):
        load(Avatar, path)
    whole = path.read_bytes()
    for data in (whole[:-1], whole[:100], b"", pickle.dumps("anything")):
        path.write_bytes(data)
        with pytest.raises(JobError, match="damaged"):
            load(Subject, path)
    with pytest.raises(JobError, match="missing"):
        load(Subject, tmp_path / "absent")


def test_a_file_of_an_earlier_form_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """Its poses were arrays of another shape: it would fail somewhere in the middle."""
    from safetensors.numpy import save_file

    tree = {"type": "Pose", "fields": {"rotations": {"array": "Pose.rotations"}}}
    path = tmp_path / "avatar.safetensors"
    save_file({"Pose.rotations": np.zeros((55, 3), np.float32)}, path, {"tree": json.dumps(tree)})
    with pytest.raises(JobError, match="written by another version"):
        load(Avatar, path)


def test_only_known_types_are_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        save(Photo(rgb=object(), alpha=None), tmp_path / "a")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.gpu
@pytest.mark.parametrize("value", [tiny_avatar(50), clip()], ids=lambda v: str(type(v)))
def test_what_lies_on_a_gpu_is_saved_as_if_it_did_not(value: Any, tmp_path: Path) -> None:
    save(value.to("cuda"), tmp_path / "value.safetensors")
    assert same(load(type(value), tmp_path / "value.safetensors"), value)
