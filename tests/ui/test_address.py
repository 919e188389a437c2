"""Ports and proxies, before the page is built."""

from __future__ import annotations

import os
import socket

import pytest

from svad.core.errors import SettingError
from svad.ui import address
from svad.ui.address import free_port, no_proxies, wanted_host, wanted_port


def test_the_port_is_the_persons_or_the_usual_one() -> None:
    assert wanted_port({}) == 7860 and wanted_port({"GRADIO_SERVER_PORT": "7861"}) == 7861


@pytest.mark.parametrize("value", ["abc", "", "0", "-1", "65536", "78.60", "7860;ls", "9" * 5000])
def test_a_port_that_is_none_is_a_sentence(value: str) -> None:
    with pytest.raises(SettingError, match="GRADIO_SERVER_PORT must be a whole number from 1"):
        wanted_port({"GRADIO_SERVER_PORT": value})


def test_other_numbers_that_gradio_reads_are_checked_too() -> None:
    for name in address.COUNTS:
        with pytest.raises(SettingError, match=name):
            wanted_port({name: "many"})
        assert wanted_port({name: "1"}) == 7860
    assert wanted_port({"GRADIO_DEFAULT_CONCURRENCY_LIMIT": "None"}) == 7860


@pytest.mark.parametrize("value", ["abc", "abc/", "ftp://a", " /a", "\0"])
def test_a_path_behind_a_proxy_that_is_none_is_a_sentence(value: str) -> None:
    with pytest.raises(SettingError, match="GRADIO_ROOT_PATH must be the path"):
        wanted_port({"GRADIO_ROOT_PATH": value})
    for good in ("", "/svad", "https://example.org/svad"):
        assert wanted_port({"GRADIO_ROOT_PATH": good}) == 7860


def test_a_taken_port_gives_way_to_the_next_free_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = free_port(port, "127.0.0.1")
        assert found > port or port == address.PORTS
        monkeypatch.setattr(address, "TRIED", 1)
        assert free_port(port, "127.0.0.1") == port  # fails where it is opened, with a sentence


@pytest.mark.parametrize("name", ["nonsense.invalid", "999.1.1.1", "a b", "a" * 300, "::1"])
def test_an_address_that_this_machine_does_not_have_is_a_sentence(name: str) -> None:
    with pytest.raises(SettingError, match="GRADIO_SERVER_NAME must be an address of this machine"):
        wanted_host({"GRADIO_SERVER_NAME": name}, hosted=False)


def test_the_address_is_the_persons_or_that_of_the_place() -> None:
    assert (
        wanted_host({}, hosted=False) == "127.0.0.1" and wanted_host({}, hosted=True) == "0.0.0.0"
    )
    assert wanted_host({"GRADIO_SERVER_NAME": "localhost"}, hosted=True) == "localhost"
    assert wanted_host({"GRADIO_SERVER_NAME": ""}, hosted=False) == "127.0.0.1"


def test_proxies_are_away_for_the_start_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(KeyError), no_proxies():
        assert not [name for name in os.environ if name.lower().endswith("_proxy")]
        raise KeyError
    assert os.environ["http_proxy"] == "http://127.0.0.1:9"
    assert os.environ["ALL_PROXY"] == "socks5://127.0.0.1:9"
