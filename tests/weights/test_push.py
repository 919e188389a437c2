"""A person's own files in a private repository of theirs, and back from it on another machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from svad import cli
from svad.core.errors import SettingError, Stopped
from svad.weights import errors
from svad.weights.convert import read_checkpoint
from svad.weights.download import download
from svad.weights.own_repo import store_to_fill
from svad.weights.push import push
from svad.weights.store import Store, named_repository
from tests.weights.hub_api import Account, Repository
from tests.weights.hub_server import COMMIT, Hub

REPO = "me/my-weights"
BODY = b"numbers" * 500


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a checkpoint and a body that were brought by hand."""
    folder = tmp_path / "own"
    folder.mkdir()
    torch.save({"weight": torch.ones(3)}, folder / "checkpoint_BFRffusion_FFHQ.ckpt")
    (folder / "SMPLX_MALE.npz").write_bytes(BODY)
    save_file({"v": torch.zeros(2)}, folder / "FLAME_with_eye.safetensors")
    (folder / "generic_model.pkl").write_bytes(b"objects")
    (folder / "yolox_l.onnx").write_bytes(b"this can be fetched by everybody")
    return folder


def upload(hub: Hub, own: Path, said: list[str] | None = None) -> list[str]:
    store = Store.from_environment({"SVAD_WEIGHTS": str(own), "SVAD_CACHE": str(own / "c")})
    say = (lambda text: None) if said is None else said.append
    return push(store, REPO, say, threading.Event(), endpoint=hub.url)


def test_there_and_back(
    hub: Hub, account: Account, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    places = upload(hub, own, said)
    assert places == [
        "gagavatar_flame/FLAME_with_eye.safetensors",
        "smplx_male/SMPLX_MALE.npz", "bfrffusion/checkpoint_BFRffusion_FFHQ.safetensors"
    ]  # fmt: skip
    repo = account.repos["models", REPO]
    assert repo.private and sorted(repo.files) == sorted(places)
    terms = next(k for k, text in enumerate(said) if "may not be redistributed" in text)
    assert terms < next(k for k, text in enumerate(said) if text.startswith("smplx_male: "))
    assert any("flame stays here" in t and "could run code" in t for t in said)
    again: list[str] = []
    before = [path for method, path, *_ in hub.log if "commit" in path]
    assert upload(hub, own, again) == places and "smplx_male: is there already" in again
    assert [path for method, path, *_ in hub.log if "commit" in path] == before

    hub.files[REPO] = repo.files
    monkeypatch.setenv("SVAD_WEIGHTS", REPO)
    assert Store.from_environment().unread == REPO
    assert Store.from_environment().locate("smplx_male") is None
    store = store_to_fill(endpoint=hub.url)
    mine = [entry for entry in store.entries.values() if entry.repo == REPO]
    assert [(e.name, e.revision, e.gate) for e in mine] == [
        ("gagavatar_flame", COMMIT, "none"),
        ("smplx_male", COMMIT, "none"), ("bfrffusion", COMMIT, "none")
    ]  # fmt: skip
    outcomes = download(store, mine, lambda entry: lambda *state: None, endpoint=hub.url)
    assert [outcome.error for outcome in outcomes] == [None] * 3
    hub.api = None  # from here on without the network
    found = Store.from_environment()
    assert not found.unread and found.resolve("smplx_male").read_bytes() == BODY
    assert read_checkpoint(found.resolve("bfrffusion"))["weight"].tolist() == [1, 1, 1]
    with pytest.raises(errors.ServerFailed):  # it answers, and refuses
        store_to_fill(endpoint=hub.url)
    assert store_to_fill(endpoint="http://127.0.0.1:9").locate("smplx_male") is not None


def test_never_into_a_public_repository(hub: Hub, account: Account, own: Path) -> None:
    account.repos["models", REPO] = Repository(private=False)
    with pytest.raises(errors.RepositoryPublic, match="everybody"):
        upload(hub, own)
    assert not account.repos["models", REPO].files
    account.repos.clear()
    account.opens = True  # a Hub that does not do as it was asked
    with pytest.raises(errors.RepositoryPublic):
        upload(hub, own)
    assert not account.repos["models", REPO].files


def test_who_asks_has_to_be_known_and_to_own_the_name(
    hub: Hub, account: Account, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.from_environment({"SVAD_WEIGHTS": str(own), "SVAD_CACHE": str(own / "c")})

    def failing(repo: str, kind: type, words: str, endpoint: str = hub.url) -> None:
        with pytest.raises(kind, match=words):
            push(store, repo, lambda text: None, threading.Event(), endpoint=endpoint)

    failing("you/weights", errors.NotYours, "me/weights")
    failing("weights", SettingError, "me/my-weights")
    failing("../weights", SettingError, "me/my-weights")
    failing(REPO, errors.Unreachable, "Check the network", endpoint="http://127.0.0.1:9")
    account.refuses = 403
    failing(REPO, errors.ServerFailed, "right to write")
    hub.busy = [429]
    failing(REPO, errors.ServerBusy, "busy")
    monkeypatch.setenv("HF_TOKEN", "bad")
    failing(REPO, errors.ServerFailed, "does not know your token")
    monkeypatch.delenv("HF_TOKEN")
    failing(REPO, errors.TokenMissing, "set HF_TOKEN")
    assert not account.repos


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (RuntimeError("stream closed"), errors.ConnectionCut),
        (TimeoutError("too long"), errors.ConnectionCut),
        (ValueError("too large"), errors.ServerFailed),
    ],
)
def test_a_transfer_that_breaks_is_told(
    hub: Hub,
    account: Account,
    own: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken: Exception,
    kind: type,
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise broken

    monkeypatch.setattr("huggingface_hub.HfApi.upload_file", fail)
    with pytest.raises(kind, match=str(broken)):
        upload(hub, own)


def test_nothing_to_put_there_and_stop(
    hub: Hub, account: Account, own: Path, make: Callable[..., Store]
) -> None:
    empty = Store.from_environment({"SVAD_CACHE": str(own / "c")})
    with pytest.raises(errors.MissingOwn, match="SMPLX_MALE.npz"):
        push(empty, REPO, lambda text: None, threading.Event(), endpoint=hub.url)
    stop = threading.Event()
    stop.set()
    store = Store.from_environment({"SVAD_WEIGHTS": str(own), "SVAD_CACHE": str(own / "c")})
    with pytest.raises(Stopped):
        push(store, REPO, lambda text: None, stop, endpoint=hub.url)
    assert not account.repos["models", REPO].files


def test_a_folder_comes_before_a_repository_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named_repository({"SVAD_WEIGHTS": REPO}) == REPO
    (tmp_path / REPO).mkdir(parents=True)
    assert named_repository({"SVAD_WEIGHTS": REPO}) == ""
    for path in ("/data/weights", "./weights", "~/weights", "../weights", "a/b/c", "weights", ""):
        assert named_repository({"SVAD_WEIGHTS": path}) == ""


def test_a_repository_that_may_not_be_read_is_told(
    hub: Hub, account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SVAD_WEIGHTS", REPO)
    with pytest.raises(errors.RepositoryMissing, match="HF_TOKEN"):
        store_to_fill(endpoint=hub.url)
    assert cli.main(["weights", "--preset", "quick"]) == 0
    assert f"names the repository {REPO}" in capsys.readouterr().out
