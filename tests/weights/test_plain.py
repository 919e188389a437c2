"""Files on their authors' own pages: the same code as for the Hub, and what may come instead."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from svad.core.errors import SvadError
from svad.weights import errors, transfer
from svad.weights.answers import retry_after
from svad.weights.download import Outcome, download
from svad.weights.manifest import Entry
from svad.weights.store import Store
from tests.waiting import until
from tests.weights.hub_server import PAGE, Hub, entry, sha256

CONTENT = bytes(range(256)) * 1000
Make = Callable[..., Store]


@pytest.fixture
def hub(hub: Hub) -> Hub:
    hub.plain["net.onnx"] = CONTENT
    return hub


def published(hub: Hub, **values: object) -> Entry:
    """The entry of a file that lies at an address, pinned."""
    usual = {"repo": "", "url": f"{hub.url}/plain/net.onnx", "source": "https://example.org/net"}
    return entry(**(usual | {"sha256": sha256(CONTENT), "size": len(CONTENT)} | values))


def fetch(store: Store, **options: object) -> Outcome:
    """Downloads everything without long waits; the first outcome."""
    silent = lambda one: lambda done, total, note: None  # noqa: E731
    return download(store, store.entries.values(), silent, pause=0.0, **options)[0]


def failure(store: Store, kind: type, *words: str) -> SvadError:
    """The error of the only file, of which nothing may be left as if it were good."""
    error = fetch(store).error
    assert type(error) is kind, error
    assert store.locate("net") is None
    for word in words:
        assert word in str(error)
    return error


def starts(hub: Hub) -> list[str]:
    """The Range of each request for the file itself."""
    return [asked for method, _, asked, _ in hub.log if method == "GET" and asked != "bytes=0-0"]


def test_fresh_then_nothing_is_asked_again_and_no_token_is_told(
    hub: Hub, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "good")
    store = make(published(hub))
    outcome = fetch(store)
    assert outcome.error is None and outcome.sha256 == sha256(CONTENT)
    assert store.resolve("net").read_bytes() == CONTENT
    assert {token for *_, token in hub.log} == {""}
    before = len(hub.log)
    assert store.missing("quick") == [] and len(hub.log) == before


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_goes_on_where_it_broke_or_begins_anew(hub: Hub, make: Make, ranges: bool) -> None:
    hub.cuts, hub.ranges = [100_000], ranges
    store = make(published(hub))
    assert fetch(store).error is None
    assert store.resolve("net").read_bytes() == CONTENT
    assert starts(hub)[-1] == "bytes=100000-"


def test_a_cut_for_good_keeps_what_came(hub: Hub, make: Make) -> None:
    hub.cuts = [70_000] + [0] * 9
    failure(make(published(hub)), errors.ConnectionCut, "70 kB that came are kept", "127.0.0.1")
    hub.cuts = []
    assert fetch(make(published(hub))).error is None
    assert starts(hub)[-1] == "bytes=70000-"


@pytest.fixture
def impatient(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hears nothing more has waited long enough; a server that is slow is waited for."""
    real = socket.socket.recv

    def speaks(link: socket.socket) -> bool:
        return bool(select.select([link], [], [], 0)[0])

    def recv(link: socket.socket, *arguments: int) -> bytes:
        if link.gettimeout():
            port = link.getsockname()[1]
            until(lambda: speaks(link) or port in hub.silent)
            if not speaks(link):
                raise TimeoutError("timed out")
        return real(link, *arguments)

    monkeypatch.setattr(socket.socket, "recv", recv)


def test_a_server_that_goes_silent_is_waited_for_and_then_told(
    hub: Hub, make: Make, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PATIENCE", 2)
    hub.stalls = [90_000]
    assert fetch(make(published(hub))).error is None  # goes on behind the silence
    assert starts(hub) == ["", "bytes=90000-"]
    hub.plain["net.onnx"] = other = CONTENT[::-1]
    hub.stalls = [50_000, 0, 0]
    store = make(published(hub, sha256=sha256(other)))
    failure(store, errors.Stalled, "sent nothing", "2 times in a row", "50 kB that came are kept")


def test_a_redirect_is_followed_to_another_server(hub: Hub, make: Make) -> None:
    hub.moved["/plain/net.onnx"] = f"{hub.store}/plain/moved"
    hub.plain["moved"] = hub.plain.pop("net.onnx")
    assert fetch(make(published(hub))).error is None


def test_redirects_lead_neither_to_plain_http_nor_around(hub: Hub, make: Make) -> None:
    hub.moved["/plain/net.onnx"] = "http://example.org/net.onnx"
    failure(make(published(hub)), errors.RedirectRefused, "http://example.org", "not encrypted")
    hub.moved["/plain/net.onnx"] = "file:///etc/passwd"
    failure(make(published(hub)), errors.RedirectRefused, "not encrypted")
    hub.moved["/plain/net.onnx"] = "/plain/net.onnx"
    failure(make(published(hub)), errors.RedirectRefused, "more than 5 times")


def test_a_sign_in_page_is_not_a_file(hub: Hub, make: Make) -> None:
    store, words = make(published(hub)), ("web page in place of net.onnx", "https://example.org")
    hub.moved["/plain/net.onnx"] = "/login?next=/plain/net.onnx"
    error = failure(store, errors.PageInstead, "127.0.0.1/login", *words)
    assert "next=" not in str(error)
    hub.moved.clear()
    hub.lies["net.onnx"] = PAGE + b" " * (len(CONTENT) - len(PAGE))  # called a file all the same
    failure(store, errors.PageInstead, *words)
    hub.lies.clear()
    assert fetch(store).error is None


def test_the_hub_can_send_to_a_sign_in_too(hub: Hub, make: Make) -> None:
    hub.files["some/repo"] = {"net.onnx": CONTENT}
    hub.moved["/store/some/repo/net.onnx"] = "/login"
    store = make(entry())
    error = download(store, store.entries.values(), lambda one: print, endpoint=hub.url)[0].error
    assert type(error) is errors.PageInstead and "some/repo" in str(error)


def test_wrong_bytes_are_thrown_away(hub: Hub, make: Make) -> None:
    hub.lies["net.onnx"] = CONTENT[::-1]
    store = make(published(hub))
    failure(store, errors.WrongChecksum, sha256(CONTENT), sha256(CONTENT[::-1]), "127.0.0.1")
    assert not list(store.folder(store.entry("net")).glob("*"))


def test_a_wrong_size_is_noticed_before_the_first_byte(hub: Hub, make: Make) -> None:
    hub.plain["net.onnx"] = CONTENT + b"x"
    failure(make(published(hub)), errors.WrongSize, "256,001", "256,000", "Nothing was fetched")
    assert starts(hub) == []


@pytest.mark.parametrize("content", [CONTENT + b"more", CONTENT[:1000]])
def test_more_or_less_than_was_announced_is_not_kept(hub: Hub, make: Make, content: bytes) -> None:
    hub.files["some/repo"] = {"net.onnx": CONTENT}
    hub.lies["net.onnx"] = content
    store = make(entry())
    (outcome,) = download(
        store, store.entries.values(), lambda one: lambda *state: None, pause=0, endpoint=hub.url
    )
    assert type(outcome.error) is errors.WrongSize and "thrown away" in str(outcome.error)
    assert not list(store.folder(store.entry("net")).glob("*.part"))


@pytest.mark.parametrize("state", [429, 503])
def test_a_busy_server_is_told_with_the_time_it_asks_for(hub: Hub, make: Make, state: int) -> None:
    hub.busy, hub.wait = [state], "1800"
    failure(make(published(hub)), errors.ServerBusy, f"HTTP {state}", "wait 30 minutes")
    hub.busy, hub.wait = [state], ""
    failure(make(published(hub)), errors.ServerBusy, "Wait a little")


def test_a_busy_store_is_asked_again_unless_it_wants_long(hub: Hub, make: Make) -> None:
    hub.files["some/repo"] = {"net.onnx": CONTENT}
    hub.busy_store, hub.wait = [429], "3600"
    store = make(entry())
    error = download(store, store.entries.values(), lambda one: print, endpoint=hub.url)[0].error
    assert type(error) is errors.ServerBusy and "wait 60 minutes" in str(error)
    hub.busy_store, hub.wait = [503, 429], "0"
    (outcome,) = download(
        store, store.entries.values(), lambda one: print, pause=0.0, endpoint=hub.url
    )
    assert outcome.error is None


def test_a_time_to_wait_until_is_read_as_seconds(hub: Hub) -> None:
    class Answer:
        headers: dict[str, str] = {}  # noqa: RUF012

    error = Exception()
    error.response = Answer()
    assert retry_after(error) is None
    for said, seconds in (
        ("7", 7.0), (formatdate(time.time() + 100, usegmt=True), 100.0), ("soon", None),
        (formatdate(0, usegmt=True), 0.0), ("-1", None),
    ):  # fmt: skip
        Answer.headers = {"Retry-After": said}
        found = retry_after(error)
        assert found == seconds or abs(found - seconds) < 5  # the date knows whole seconds


def test_each_answer_has_a_sentence_of_its_own(hub: Hub, make: Make) -> None:
    store, texts = make(published(hub)), set()
    for state in (401, 404, 429, 500, 503):
        hub.busy = [state]
        texts.add(str(fetch(store).error))
    assert len(texts) == 5 and all("127.0.0.1" in t and "HF_TOKEN" not in t for t in texts)
    hub.plain.clear()
    failure(store, errors.FileMissing, "no such file any more", "https://example.org/net")


def test_terms_come_first_where_the_entry_says_so(hub: Hub, make: Make) -> None:
    store = make(published(hub, gate="accept-terms"))
    failure(store, errors.TermsNotAccepted, "be kind", "127.0.0.1")
    assert not hub.log
    assert fetch(store, accepted=True).error is None
