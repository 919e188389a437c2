"""Fetching from a Hub: fresh, after a cut, and everything that can go wrong."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from svad.core.errors import JobError, OutputError, Stopped, SvadError
from svad.core.locks import locked
from svad.weights import errors
from svad.weights.download import Outcome, download
from svad.weights.manifest import Entry
from svad.weights.store import Store
from tests.weights.hub_server import COMMIT, Hub, entry, sha256

CONTENT = bytes(range(256)) * 2000  # half a megabyte
Make = Callable[..., Store]
Seen = list[tuple[int, int | None, str]]


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """The Hub with one large file and one small."""
    hub.files["some/repo"] = {"net.onnx": CONTENT, "config.json": b"{}"}
    return hub


def fetch(hub: Hub, store: Store, *, seen: Seen | None = None, accepted: bool = False) -> Outcome:
    """Downloads everything; the first outcome."""
    return fetch_all(hub, store, seen=seen, accepted=accepted)[0]


def fetch_all(
    hub: Hub, store: Store, *, seen: Seen | None = None, accepted: bool = False
) -> list[Outcome]:
    """Downloads everything, without long waits."""

    def progress(one: Entry) -> Callable[[int, int | None, str], None]:
        return lambda *state: None if seen is None else seen.append(state)

    entries = list(store.entries.values())
    return download(store, entries, progress, accepted=accepted, pause=0.0, endpoint=hub.url)


def failure(hub: Hub, store: Store) -> SvadError:
    """The error of the only file, of which nothing may be left as if it were good."""
    error = fetch(hub, store).error
    assert error is not None and store.locate("net") is None
    return error


def test_a_fresh_download_is_checked_and_kept(hub: Hub, make: Make) -> None:
    store, seen = make(entry(), entry(name="config", file="config.json", format="json")), []
    outcomes = fetch_all(hub, store, seen=seen)
    assert [o.error for o in outcomes] == [None, None]
    assert [o.revision for o in outcomes] == [COMMIT, COMMIT]
    assert outcomes[0].sha256 == sha256(CONTENT)
    assert store.resolve("net").read_bytes() == CONTENT
    assert store.resolve("config").read_bytes() == b"{}"
    sizes = [done for done, _, note in seen if note == ""]
    assert seen[0][:2] == (0, len(CONTENT)) and max(sizes) == len(CONTENT)
    assert store.missing("quick") == []
    before = len(hub.log)
    assert fetch_all(hub, store) == [] and len(hub.log) == before  # nothing is asked again


def test_a_cut_connection_goes_on_where_it_broke(hub: Hub, make: Make) -> None:
    hub.cuts = [100_000, 150_000]
    store = make(entry(sha256=sha256(CONTENT), revision=COMMIT))
    assert fetch(hub, store).error is None
    starts = [asked for _, asked in hub.sent()]
    assert starts == ["", "bytes=100000-", "bytes=250000-"]
    assert store.resolve("net").read_bytes() == CONTENT


def test_a_stopped_download_goes_on_in_the_next_run(hub: Hub, make: Make) -> None:
    def stopping(one: Entry) -> Callable[[int, int | None, str], None]:
        def progress(done: int, total: int | None, note: str) -> None:
            if done >= 200_000:
                raise Stopped("Stopped.")

        return progress

    store = make(entry())
    with pytest.raises(Stopped):
        download(store, store.entries.values(), stopping, endpoint=hub.url)
    (part,) = store.folder(store.entry("net")).glob("*.part")
    kept = part.stat().st_size
    assert 200_000 <= kept < len(CONTENT) and store.locate("net") is None
    seen: Seen = []
    assert fetch(hub, store, seen=seen).error is None
    assert hub.sent()[-1][1] == f"bytes={kept}-" and seen[0][0] == kept
    assert store.resolve("net").read_bytes() == CONTENT and not part.exists()


def test_a_connection_that_keeps_breaking_is_given_up_and_keeps_what_came(
    hub: Hub, make: Make
) -> None:
    hub.cuts = [70_000] + [0] * 9
    error = failure(hub, make(entry()))
    assert type(error) is errors.ConnectionCut and "are kept" in str(error)
    hub.cuts = []
    assert fetch(hub, make(entry())).error is None
    assert hub.sent()[-1][1] == "bytes=70000-"


def test_a_server_that_cannot_resume_starts_anew(hub: Hub, make: Make) -> None:
    hub.ranges, hub.cuts = False, [100_000]
    store = make(entry())
    assert fetch(hub, store).error is None
    assert store.resolve("net").read_bytes() == CONTENT


def test_a_busy_hub_is_asked_again(hub: Hub, make: Make) -> None:
    hub.cuts, hub.busy_store = [100_000], [503, 429]
    assert fetch(hub, make(entry())).error is None
    assert [asked for _, asked in hub.sent()] == ["", "", "", "bytes=100000-"]


@pytest.mark.parametrize("pinned", [True, False])
def test_wrong_content_is_thrown_away(hub: Hub, make: Make, pinned: bool) -> None:
    hub.lies["net.onnx"] = CONTENT[::-1]
    store = make(entry(sha256=sha256(CONTENT)) if pinned else entry())
    error = failure(hub, store)
    assert type(error) is errors.WrongChecksum
    assert sha256(CONTENT) in str(error) and sha256(CONTENT[::-1]) in str(error)
    assert not list(store.folder(store.entry("net")).glob("*"))
    hub.lies = {}
    assert fetch(hub, store).error is None


def test_a_small_file_is_checked_by_its_pinned_checksum(hub: Hub, make: Make) -> None:
    hub.lies["config.json"] = b"[]"
    values = {"file": "config.json", "format": "json", "sha256": sha256(b"{}")}
    assert type(failure(hub, make(entry(**values)))) is errors.WrongChecksum


def test_another_file_than_the_pinned_one_is_not_even_fetched(hub: Hub, make: Make) -> None:
    error = failure(hub, make(entry(sha256="0" * 64)))
    assert type(error) is errors.WrongChecksum and "Nothing was fetched" in str(error)
    assert hub.sent() == []


def test_a_gated_file_names_the_page_and_the_token(
    hub: Hub, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.gated = {"some/repo"}
    error = failure(hub, make(entry()))
    assert type(error) is errors.GatedRepo
    assert "https://huggingface.co/some/repo" in str(error)
    assert "HF_TOKEN" in str(error) and "secret" in str(error)
    monkeypatch.setenv("HF_TOKEN", "bad")
    assert type(failure(hub, make(entry()))) is errors.GatedRepo
    monkeypatch.setenv("HF_TOKEN", "good")
    assert fetch(hub, make(entry())).error is None
    assert [token for _, path, _, token in hub.log if path.startswith("/store/")] == [""]


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ({"repo": "some/other"}, errors.RepositoryMissing, "no repository some/other"),
        ({"revision": "1" * 40}, errors.RevisionMissing, f"no revision {'1' * 40}"),
        ({"file": "gone.onnx"}, errors.FileMissing, "no file gone.onnx"),
    ],
)
def test_what_is_not_there_is_said_precisely(
    hub: Hub, make: Make, values: dict, kind: type, words: str
) -> None:
    error = failure(hub, make(entry(**values)))
    assert type(error) is kind and words in str(error)


def test_every_error_has_its_own_sentence(hub: Hub, make: Make) -> None:
    wrong = [{"repo": "some/other"}, {"revision": "1" * 40}, {"file": "gone.onnx"}]
    texts = {str(failure(hub, make(entry(**values)))) for values in wrong}
    hub.gated = {"some/repo"}
    texts.add(str(failure(hub, make(entry()))))
    hub.gated, hub.busy = set(), [500]
    texts.add(str(failure(hub, make(entry()))))
    hub.busy = [403]
    texts.add(str(failure(hub, make(entry()))))
    assert len(texts) == 6 and all("Traceback" not in text for text in texts)


def test_one_failure_does_not_keep_the_others_from_coming(hub: Hub, make: Make) -> None:
    store = make(entry(name="gone", repo="some/other"), entry())
    outcomes = fetch_all(hub, store)
    assert [(o.entry.name, o.error is None) for o in outcomes] == [("gone", False), ("net", True)]
    assert store.locate("net") is not None


def test_no_connection_and_offline_are_told_apart(
    hub: Hub, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    store, dead = make(entry()), Hub(url="http://127.0.0.1:9")
    assert type(failure(dead, store)) is errors.Unreachable
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    error = failure(hub, store)
    assert type(error) is errors.Offline and "HF_HUB_OFFLINE" in str(error)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert fetch(hub, store).error is None
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch_all(hub, store) == []  # with the cache, offline is no trouble
    assert store.resolve("net").read_bytes() == CONTENT


def test_a_full_disk_is_noticed_before_the_first_byte(
    hub: Hub, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=100_200_000)  # 100 MB are left alone
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(errors.NoRoom, match="SVAD_CACHE"):
        fetch_all(hub, make(entry()))
    assert hub.sent() == []
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=101_000_000))
    assert fetch(hub, make(entry())).error is None


def test_a_disk_that_fills_up_on_the_way_keeps_what_came(hub: Hub, make: Make) -> None:
    store, (soft, hard) = make(entry()), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (131_072, hard))  # no file may grow beyond
    try:
        with pytest.raises(OutputError, match="no room left"):
            fetch_all(hub, store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.locate("net") is None
    assert fetch(hub, store).error is None
    assert hub.sent()[-1][1] == "bytes=131072-"


def test_terms_have_to_be_accepted_where_the_manifest_says_so(hub: Hub, make: Make) -> None:
    store = make(entry(gate="accept-terms"))
    error = failure(hub, store)
    assert type(error) is errors.TermsNotAccepted and "be kind" in str(error) and not hub.log
    assert fetch(hub, store, accepted=True).error is None


def test_two_runs_do_not_write_the_same_file(hub: Hub, make: Make) -> None:
    store = make(entry())
    lock = store.folder(store.entry("net")) / ".lock"
    lock.parent.mkdir(parents=True)
    with locked(lock):
        assert type(failure(hub, store)) is JobError
    assert fetch(hub, store).error is None


def test_files_that_people_bring_themselves_are_never_asked_for(
    hub: Hub, make: Make, tmp_path: Path
) -> None:
    own = entry(name="own", repo="", source="https://example.org", gate="user-supplied")
    elsewhere = entry(name="mine", path=tmp_path / "absent.onnx")
    assert fetch_all(hub, make(own, elsewhere)) == [] and not hub.log


def test_a_newly_pinned_commit_replaces_what_was_fetched_before(hub: Hub, make: Make) -> None:
    assert fetch(hub, make(entry())).error is None
    assert make(entry(revision=COMMIT, sha256=sha256(CONTENT))).locate("net") is not None
    hub.files["some/repo"]["net.onnx"] = CONTENT + b"new"
    store = make(entry(sha256=sha256(CONTENT + b"new")))
    assert store.locate("net") is None
    assert fetch(hub, store).error is None
    assert store.resolve("net").read_bytes() == CONTENT + b"new"
