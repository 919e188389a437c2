"""A Hub on this machine, and a machine without caches, tokens and settings of its owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from svad.weights.manifest import Entry
from svad.weights.store import Store
from tests.weights.hub_api import Account, with_account
from tests.weights.hub_server import Hub, serve


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token, no cache, no proxy, not offline, whatever this machine is set to."""
    from huggingface_hub import constants
    from huggingface_hub.utils import close_session

    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "SVAD_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("SVAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    close_session()  # the next one reads the environment anew


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A Hub with nothing on it yet."""
    hub, servers = serve()
    yield hub
    hub.ended.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Store]:
    """Makes a store of the given entries, with its cache in a fresh place."""

    def store(*entries: Entry, own: Path | None = None) -> Store:
        return Store({e.name: e for e in entries}, tmp_path / "cache" / "weights", own)

    return store


@pytest.fixture
def account(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Somebody who is signed in."""
    monkeypatch.setenv("HF_TOKEN", "good")
    return with_account(hub)
