"""Where a file is found, in which order, and what is said when it is nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

import svad.weights
from svad.core.errors import MissingWeights
from svad.weights.convert import read_checkpoint
from svad.weights.download import download
from svad.weights.errors import ManifestError, UnsafeFile, WrongChecksum
from svad.weights.manifest import load_manifest
from svad.weights.store import Store
from tests.weights.hub_server import COMMIT, Hub, entry, sha256

Make = Callable[..., Store]
PICKLE = {"file": "sub/net.pth", "format": "pickle"}


def pickled(path: Path, value: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"weight": torch.full((3,), value)}, path)
    return path


def weight(path: Path) -> float:
    assert path.suffix == ".safetensors"
    return read_checkpoint(path)["weight"][0].item()


def test_a_missing_file_names_file_source_and_terms(make: Make) -> None:
    with pytest.raises(MissingWeights) as caught:
        make(entry()).resolve("net")
    assert (caught.value.name, caught.value.terms) == ("net.onnx", "be kind")
    assert "https://huggingface.co/some/repo" in str(caught.value)
    assert "svad weights --download" in str(caught.value)
    own = entry(repo="", source="https://example.org/sign-up", gate="user-supplied")
    with pytest.raises(MissingWeights, match="https://example.org/sign-up") as caught:
        make(own).resolve("net")
    assert "--download" not in str(caught.value) and "SVAD_WEIGHTS" in str(caught.value)
    with pytest.raises(ManifestError, match="wheel"):
        make(entry()).resolve("wheel")


def test_the_presets_of_the_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = [e.name for e in svad.weights.missing("quick")]
    assert "yolox_l" in gone and "musepose_motion_module" in gone and "bfrffusion" not in gone
    assert set(gone) < {e.name for e in svad.weights.missing("paper")}
    assert svad.weights.missing("preview") == []
    with pytest.raises(MissingWeights, match="non-commercial research only"):
        svad.weights.resolve("musepose_denoising_unet")


@pytest.mark.parametrize(
    "place", ["net/net.pth", "sub/net.pth", "some/repo/sub/net.pth", "net.pth", "net.safetensors"]
)
def test_own_files_are_found_where_people_put_them(make: Make, tmp_path: Path, place: str) -> None:
    own = tmp_path / "own"
    store = make(entry(**PICKLE), own=own)
    assert store.locate("net") is None
    pickled(own / "else.pth", 2.0)
    path = pickled(own / place.replace(".safetensors", ".pth"), 3.0)
    if place.endswith(".safetensors"):
        store.resolve("net").rename(own / place)
        path.unlink()
    assert weight(store.resolve("net")) == 3.0
    assert store.locate("net").origin == "own file" and store.missing("quick") == []


def test_a_name_that_two_entries_share_needs_a_folder(make: Make, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    names = ("config.json", "unet/config.json")
    one, two = (entry(name=f"c{i}", file=file, format="json") for i, file in enumerate(names, 1))
    store = make(one, two, own=own)
    (own / "config.json").write_text("{}")
    assert store.locate("c1") is None and store.locate("c2") is None
    with pytest.raises(MissingWeights, match="folder as c1/config.json"):
        store.resolve("c1")
    for path in ("c1/config.json", "unet/config.json"):
        (own / path).parent.mkdir()
        (own / path).write_text("{}")
    assert store.resolve("c1") == own / "c1/config.json"
    assert store.resolve("c2") == own / "unet/config.json"


def test_an_own_pickle_is_converted_once_and_again_when_it_changes(
    make: Make, tmp_path: Path
) -> None:
    own = pickled(tmp_path / "own" / "net.pth", 1.0)
    store = make(entry(**PICKLE, path=own))
    first = store.resolve("net")
    stamp = first.stat().st_mtime_ns
    assert store.resolve("net") == first and first.stat().st_mtime_ns == stamp
    pickled(own, 2.0)
    os.utime(own, ns=(1, 1))
    second = store.resolve("net")
    assert weight(second) == 2.0 and not first.exists() and own.exists()
    own.unlink()
    with pytest.raises(MissingWeights, match="Your own list says"):
        store.resolve("net")


def test_a_downloaded_pickle_is_kept_as_safetensors_only(
    hub: Hub, make: Make, tmp_path: Path
) -> None:
    content = pickled(tmp_path / "source.pth", 4.0).read_bytes()
    hub.files["some/repo"] = {"sub/net.pth": content}
    store = make(entry(**PICKLE, sha256=sha256(content), revision=COMMIT))
    notes: list[str] = []
    outcomes = download(
        store,
        store.entries.values(),
        lambda e: lambda done, total, note: notes.append(note),
        endpoint=hub.url,
    )
    assert outcomes[0].error is None and notes[-1] == "done"
    assert "converting to safetensors" in notes
    path = store.resolve("net")
    assert weight(path) == 4.0
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.safetensors", "record.json"]
    assert store.expected(store.locate("net")) == sha256(path.read_bytes())


def test_what_the_hubs_own_cache_holds_is_used(make: Make) -> None:
    content = b"x" * 2000
    for revision in (COMMIT, "d" * 40):
        path = Path(constants.HF_HUB_CACHE, "models--some--repo", "snapshots", revision)
        path.mkdir(parents=True)
        (path / "net.onnx").write_bytes(content)
    store = make(entry(revision=COMMIT, sha256=sha256(content)))
    assert store.locate("net").origin == "Hub cache"
    assert store.resolve("net").read_bytes() == content
    assert make(entry(revision="e" * 40)).locate("net") is None
    assert make(entry()).locate("net") is None  # nobody has said what `main` is
    with pytest.raises(WrongChecksum, match="Delete it"):
        make(entry(revision=COMMIT, sha256=sha256(b"other"))).resolve("net")


def test_the_verdict_about_a_foreign_file_is_kept(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from svad.weights import store as module

    own, hashed = tmp_path / "net.onnx", []
    own.write_bytes(b"one")
    real = module.sha256_of
    monkeypatch.setattr(module, "sha256_of", lambda p, t=None: hashed.append(p) or real(p, t))
    mine = entry(path=own, sha256=sha256(b"one"))
    for _ in range(3):
        assert make(mine).resolve("net") == own
    assert hashed == [own]
    own.write_bytes(b"two")
    os.utime(own, ns=(5, 5))
    with pytest.raises(WrongChecksum):
        make(mine).resolve("net")


def test_python_objects_are_not_opened(make: Make, tmp_path: Path) -> None:
    own = tmp_path / "own"
    values = {"file": "model.pkl", "format": "objects", "repo": "", "source": "https://x.org"}
    pickled(own / "model.pkl")
    store = make(entry(**values), own=own)
    with pytest.raises(UnsafeFile, match="could run code"):
        store.resolve("net")
    (own / "model.npz").write_bytes(b"arrays")
    assert store.resolve("net") == own / "model.npz"


def test_the_environment_says_where_own_files_are(tmp_path: Path) -> None:
    folder, mine = tmp_path / "own", tmp_path / "mine.onnx"
    folder.mkdir()
    mine.write_bytes(b"x")
    (folder / "dw-ll_ucoco_384.onnx").write_bytes(b"y")
    (folder / "weights.yaml").write_text("yolox_l: ../mine.onnx\n")
    store = Store.from_environment({"SVAD_WEIGHTS": str(folder), "XDG_CACHE_HOME": "/c"})
    assert store.resolve("yolox_l").samefile(mine)
    assert store.resolve("dwpose") == folder / "dw-ll_ucoco_384.onnx"
    assert store.cache == Path("/c/svad/weights")
    listed = Store.from_environment({"SVAD_WEIGHTS": str(folder / "weights.yaml")})
    assert listed.locate("yolox_l") and listed.locate("dwpose") is None
    assert listed.cache == Path("~/.cache/svad/weights").expanduser()
    with pytest.raises(ManifestError, match="nothing is there"):
        Store.from_environment({"SVAD_WEIGHTS": str(tmp_path / "absent")})
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ManifestError, match="a device or a pipe"):
            Store.from_environment({"SVAD_WEIGHTS": str(path)})
    assert Store.from_environment({}).entries == load_manifest()
