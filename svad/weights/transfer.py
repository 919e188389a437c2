"""Brings the bytes of a file from its server, going on where a cut left off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from svad import __version__
from svad.core.files import output_error
from svad.weights.answers import (
    broken,
    called,
    page_instead,
    passing,
    retry_after,
    translate,
    wrong_size,
)
from svad.weights.errors import RedirectRefused
from svad.weights.manifest import Entry

Progress = Callable[[int, int | None, str], None]
"""`progress(bytes so far, bytes in all, note)`; raises `Stopped` when the person wants to stop."""

DONE = "done"  # the note of the last call
PATIENCE = 5  # cuts in a row without a single new byte
TIMEOUT = 10.0  # seconds without a byte: longer, and a stop would wait
LONGEST_WAIT = 60.0  # seconds; a server that asks for more is left alone, and the person told
REDIRECTS = 5
PAGE = (b"<!doctype html", b"<html")  # no format of ours begins like this


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One file as its server has it."""

    url: str
    commit: str  # "" where there are none
    size: int | None  # bytes
    digest: str  # sha256 of a large file; some other tag, or "", of a small one


def fetch(
    entry: Entry,
    remote: Remote,
    part: Path,  # keeps what has come so far; a later call goes on from there
    progress: Progress,
    *,
    pause: float = 1.0,  # seconds after the first cut, doubled after each further one
) -> None:
    """Fills `part` with the file's bytes. Raises a `WeightsError`, `OutputError` or `Stopped`."""
    from huggingface_hub.errors import (
        HTTPError,  # pyright: ignore[reportPrivateImportUsage]
        OfflineModeIsEnabled,
    )

    cuts, most = 0, _size(part)
    while True:
        before = _size(part)
        if remote.size is not None and before > remote.size:
            part.unlink()  # not from this file
            before = most = 0
        if remote.size is not None and before == remote.size:
            part.touch()
            return
        progress(before, remote.size, "goes on" if before else "")
        error: Exception | None = None
        try:
            _stream(entry, remote, part, before, progress)
        except (HTTPError, OfflineModeIsEnabled) as problem:
            if not passing(problem) or (retry_after(problem) or 0) > LONGEST_WAIT:
                raise translate(problem, entry) from problem
            error = problem
        except OSError as problem:
            reason = output_error(problem, part.parent)
            raise (reason or problem) from problem
        after = _size(part)
        if error is None and remote.size in (None, after):
            return
        cuts = 0 if after > most else cuts + 1
        most = max(most, after)
        if cuts >= PATIENCE:
            raise broken(error, entry, cuts, after, TIMEOUT) from error
        seconds = max(pause * 2**cuts, (retry_after(error) or 0.0) if error else 0.0)
        _wait(min(seconds, LONGEST_WAIT), lambda: progress(after, remote.size, "waiting"))  # noqa: B023


@contextmanager
def opened(
    url: str,
    headers: dict[str, str],  # a token among them goes to the first server only
    entry: Entry,
) -> Iterator[Any]:
    """The answer to a GET, its body not read yet; redirects are followed, but not to plain http.

    Raises `RedirectRefused`, `PageInstead`, and what huggingface_hub's HTTP client raises.
    """
    from huggingface_hub import get_session

    sent, first = dict(headers), urlsplit(url).netloc
    for _ in range(REDIRECTS + 1):
        with get_session().stream(
            "GET", url, headers=sent, timeout=TIMEOUT, follow_redirects=False
        ) as answer:
            target = answer.headers.get("Location") if answer.is_redirect else None
            if target is None:
                if answer.status_code < 400 and _is_page(answer.headers):
                    raise page_instead(entry, url)
                yield answer
                return
        url = _followed(url, target, entry)
        if urlsplit(url).netloc != first:
            sent.pop("authorization", None)
    raise RedirectRefused(
        f"{entry.home} sends on more than {REDIRECTS} times when asked for {called(entry)}. Try "
        f"later, or bring the file from {entry.where} by hand."
    )


def headers_for(entry: Entry, **more: str) -> dict[str, str]:
    """What is said of us: a token to the Hub alone."""
    from huggingface_hub.utils import build_hf_headers

    plain = {"user-agent": f"svad/{__version__}"}
    return (build_hf_headers() if entry.repo else plain) | {"Accept-Encoding": "identity"} | more


def raise_for_status(answer: Any, entry: Entry) -> None:
    """Raises what huggingface_hub or its HTTP client has for an answer that is an error."""
    from huggingface_hub.utils import hf_raise_for_status

    if answer.status_code < 400:
        return
    answer.read()
    if entry.repo:
        hf_raise_for_status(answer)
    answer.raise_for_status()


def _stream(entry: Entry, remote: Remote, part: Path, before: int, progress: Progress) -> None:
    more = {"Range": f"bytes={before}-"} if before else {}
    with opened(remote.url, headers_for(entry, **more), entry) as answer:
        if answer.status_code == 416:  # the part does not fit this file: from the start
            part.unlink()
            return
        raise_for_status(answer, entry)
        here = answer.headers.get("Content-Range", "").startswith(f"bytes {before}-")
        resumes = before > 0 and answer.status_code == 206 and here
        done = before if resumes else 0
        with open(part, "ab" if resumes else "wb") as file:
            for chunk in answer.iter_bytes():
                if done == 0 and chunk[:64].lstrip().lower().startswith(PAGE):
                    raise page_instead(entry, str(answer.url))
                file.write(chunk)
                done += len(chunk)
                if remote.size is not None and done > remote.size:
                    part.unlink()
                    raise wrong_size(entry, done, remote.size, "It was thrown away.")
                progress(done, remote.size, "")


def _followed(url: str, target: str, entry: Entry) -> str:
    """The address a redirect names, unless somebody on the way could change what comes from it."""
    here, there = urlsplit(url), urlsplit(urljoin(url, target))
    stays = here.scheme == there.scheme == "http" and here.hostname == there.hostname
    if there.scheme != "https" and not stays:
        raise RedirectRefused(
            f"{here.hostname} sends on to {there.scheme}://{there.hostname} for {called(entry)}, "
            "which is not encrypted, so nothing was fetched. Try another network, or bring the "
            f"file from {entry.where} by hand."
        )
    return there.geturl()


def _is_page(headers: Any) -> bool:
    return headers.get("Content-Type", "").lower().startswith("text/html")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _wait(seconds: float, sign: Callable[[], None]) -> None:
    """Waits, and gives a sign of life so that a stop gets through."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sign()
        time.sleep(min(left, 0.5))
