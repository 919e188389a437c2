"""Networks are read once, by whoever asks first; absent files are told or noted."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from svad.core.errors import MissingWeights, Stopped
from svad.weights.lazy import LazyNetworks, PartFiles

PARTS = {"image_encoder": "first_entry", "decoder": "second_entry"}


class Folder:
    """Resolves the entries that lie in a folder."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder, self.asked = folder, []
        for name in names:
            self.put(name)

    def put(self, name: str) -> None:
        save_file({"of": torch.tensor([float(len(name))])}, self.folder / f"{name}.safetensors")

    def __call__(self, name: str) -> Path:
        self.asked.append(name)
        path = self.folder / f"{name}.safetensors"
        if not path.is_file():
            raise MissingWeights(f"{name}.pth", "the Hub", "research only")
        return path


def numbers(files: PartFiles, device: torch.device, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    return {part: files.state(part)["of"].to(device, dtype) for part in PARTS}


def test_networks_are_built_once_on_their_device_and_in_their_type(tmp_path: Path) -> None:
    folder, notes = Folder(tmp_path, *PARTS.values()), []
    networks = LazyNetworks(PARTS, numbers, folder, "cpu", torch.float16)
    assert not folder.asked  # nothing is read before somebody asks
    found = networks(lambda *told: notes.append(told))
    assert networks(lambda *told: notes.append(told)) is found and networks() is found
    assert {value.dtype for value in found.values()} == {torch.float16}
    assert [float(found[part]) for part in PARTS] == [11, 12]
    assert folder.asked == list(PARTS.values())
    assert notes == [(0, 2, "loading the image encoder"), (1, 2, "loading the decoder")]


def test_several_threads_get_the_same_networks(tmp_path: Path) -> None:
    built, found = [], []

    def slowly(*_: object) -> object:
        time.sleep(0.05)
        built.append(object())
        return built[-1]

    networks = LazyNetworks(PARTS, slowly, Folder(tmp_path))
    threads = [threading.Thread(target=lambda: found.append(networks())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1 and found == built * 4


def test_a_missing_file_is_told_and_tried_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "first_entry")
    networks = LazyNetworks(PARTS, numbers, folder)
    with pytest.raises(MissingWeights, match="second_entry.pth is missing. It comes from the Hub"):
        networks()
    folder.put("second_entry")
    assert set(networks()) == set(PARTS)


def test_a_part_that_a_run_can_do_without_is_noted(tmp_path: Path) -> None:
    files = PartFiles(PARTS, Folder(tmp_path, "second_entry"))
    assert files.optional("image_encoder") is None and files.optional("decoder") is not None
    assert files.missing == {"first_entry": "first_entry.pth"}
    with pytest.raises(MissingWeights):
        files.path("image_encoder")


def test_stop_gets_through_while_files_are_read(tmp_path: Path) -> None:
    def report(*_: object) -> None:
        raise Stopped("Stopped.")

    networks = LazyNetworks(PARTS, numbers, Folder(tmp_path, *PARTS.values()))
    with pytest.raises(Stopped):
        networks(report)
    assert set(networks()) == set(PARTS)
