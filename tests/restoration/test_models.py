"""Which networks are there: absent files are named, present ones are read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from svad.core.errors import MissingWeights
from svad.restoration import models
from svad.restoration.models import DETECTOR, PARSER, RESTORER, UPSAMPLER, lazy_models
from svad.weights.store import Store
from svad.weights.strict import WeightsMismatch
from tests.restoration.clips import micro_restorer
from tests.restoration.golden import Golden


class Shelf:
    """Resolves the files that lie in a folder, and counts how often it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, 0
        self.store = Store.from_environment({"SVAD_CACHE": str(folder / "cache")})

    def __call__(self, name: str) -> Path:
        self.asked += 1
        entry, path = self.store.entry(name), self.folder / f"{name}.safetensors"
        if not path.is_file():
            raise MissingWeights(entry.file, entry.where, entry.terms)
        return path

    def put(self, name: str, shapes: dict[str, list[int]]) -> None:
        zeros = {key: torch.zeros(shape, dtype=torch.float16) for key, shape in shapes.items()}
        save_file(zeros, self.folder / f"{name}.safetensors")


def test_without_files_everything_is_missing_by_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    found = lazy_models(shelf, "cpu")()
    assert found.restorer is found.upsampler is found.detector is found.parser is None
    assert found.missing == {name: shelf.store.entry(name).file for name in (UPSAMPLER, RESTORER)}


def test_what_is_there_is_read_once(
    tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "load_restorer", lambda state, dtype: micro_restorer())
    shelf = Shelf(tmp_path)
    shelf.put(RESTORER, {"some": [1]})
    shelf.put(PARSER, golden.schema("parsing_parsenet.pth")["tensors"])
    networks = lazy_models(shelf, "cpu")
    found, asked = networks(), shelf.asked
    assert networks() is found and shelf.asked == asked
    assert found.restorer is not None and found.parser is not None
    assert found.detector is None and found.landmarks is None
    assert set(found.missing) == {UPSAMPLER, DETECTOR} and not found.on_gpu


def test_a_wrong_file_is_an_error_and_not_an_absent_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(UPSAMPLER, {"conv_first.weight": [64, 12, 3, 3]})
    with pytest.raises(WeightsMismatch, match="RealESRGAN"):
        lazy_models(shelf, "cpu")()
