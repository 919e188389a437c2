"""Talks to the Hub: what a file is there, and its bytes, going on where a cut left off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from svad.core.files import output_error
from svad.weights.convert import in_words
from svad.weights.errors import (
    FileMissingOnHub,
    GatedRepo,
    HubFailed,
    HubOffline,
    HubUnreachable,
    RepositoryMissing,
    RevisionMissing,
    WeightsError,
)
from svad.weights.manifest import UNPINNED, Entry

Progress = Callable[[int, int | None, str], None]
"""`progress(bytes so far, bytes in all, note)`; raises `Stopped` when the person wants to stop."""

DONE = "done"  # the note of the last call
PATIENCE = 5  # cuts in a row without a single new byte
TIMEOUT = 10.0  # seconds without a byte: longer, and a stop would wait
PASSING = {408, 425, 429, 500, 502, 503, 504}  # answers that are worth another try


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One file as the Hub has it."""

    url: str
    commit: str
    size: int | None  # bytes
    digest: str  # sha256 of a large file; some other tag, or "", of a small one


def look_up(entry: Entry, endpoint: str | None = None) -> Remote:
    """Asks the Hub for commit, size and checksum. Raises a `WeightsError`.

    An entry without a pinned revision is looked up on the branch `main`, once; what follows uses
    the commit that was found. `endpoint` is the Hub's address if not HF_ENDPOINT.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,  # pyright: ignore[reportPrivateImportUsage]
        OfflineModeIsEnabled,
    )

    asked = "main" if entry.revision == UNPINNED else entry.revision
    try:
        url = hf_hub_url(entry.repo, entry.file, revision=asked, endpoint=endpoint)
        found = get_hf_file_metadata(url, timeout=TIMEOUT, endpoint=endpoint)
    except (HfHubHTTPError, HTTPError, OfflineModeIsEnabled) as error:
        raise translate(error, entry) from error
    commit = found.commit_hash or (asked if asked != "main" else "")
    if not commit:
        raise HubFailed(f"The Hub did not say which commit {_name(entry)} is from. Try later.")
    return Remote(
        url=hf_hub_url(entry.repo, entry.file, revision=commit, endpoint=endpoint),
        commit=commit,
        size=found.size,
        digest=found.etag or "",
    )


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

    cuts = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        if remote.size is not None and before > remote.size:
            part.unlink()  # not from this file
            before = 0
        if remote.size is not None and before == remote.size:
            part.touch()
            return
        progress(before, remote.size, "goes on" if before else "")
        error: Exception | None = None
        try:
            _stream(remote, part, before, progress)
        except (HTTPError, OfflineModeIsEnabled) as problem:
            if not _passing(problem):
                raise translate(problem, entry) from problem
            error = problem
        except OSError as problem:
            reason = output_error(problem, part.parent)
            raise (reason or problem) from problem
        after = part.stat().st_size if part.exists() else 0
        if error is None and remote.size in (None, after):
            return
        cuts = 0 if after > before else cuts + 1
        if cuts >= PATIENCE:
            raise HubUnreachable(
                f"The connection to the Hub broke {cuts} times while {_name(entry)} was on its "
                f"way. The {in_words(after)} that came are kept: run the same command again."
            ) from error
        _wait(pause * 2**cuts, lambda: progress(after, remote.size, "the connection broke"))  # noqa: B023


def translate(error: Exception, entry: Entry) -> WeightsError:
    """The typed error with a sentence for a failure reported by huggingface_hub."""
    from huggingface_hub import errors as hub

    name, page = _name(entry), f"https://huggingface.co/{entry.repo}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, hub.GatedRepoError):
        return GatedRepo(
            f"{name} is behind a form: accept the terms on {page}, then set HF_TOKEN to a token "
            "of the same account (on a Space: as a secret) and run the command again."
        )
    if isinstance(error, hub.RepositoryNotFoundError):
        return RepositoryMissing(
            f"The Hub has no repository {entry.repo}, or it is private and HF_TOKEN is not set to "
            f"a token that may read it. {name} was expected there."
        )
    if isinstance(error, hub.RevisionNotFoundError):
        return RevisionMissing(
            f"{entry.repo} has no revision {entry.revision}; its history may have been rewritten. "
            f"{name} was not fetched. Point the entry {entry.name} to another revision."
        )
    if isinstance(error, hub.RemoteEntryNotFoundError):
        return FileMissingOnHub(
            f"{entry.repo} at revision {entry.revision} holds no file {entry.file}; it may have "
            f"been moved or renamed. See {page}/tree/main, and point the entry {entry.name} to it."
        )
    if isinstance(error, hub.OfflineModeIsEnabled):
        return HubOffline(
            f"{name} is not on this machine, and downloads are switched off (HF_HUB_OFFLINE). "
            f"Unset it, or bring the file from {page} by hand."
        )
    if isinstance(error, hub.HfHubHTTPError):
        if status in (401, 403):
            return HubFailed(
                f"The Hub refused {name} (HTTP {status}). If HF_TOKEN is set, check that it is "
                f"valid and may read {page}."
            )
        advice = "Wait a little and try again." if status in PASSING else f"See {page}."
        return HubFailed(f"The Hub answered HTTP {status} when asked for {name}. {advice}")
    return HubUnreachable(
        f"The Hub could not be reached for {name} ({type(error).__name__}). Check the network, or "
        f"bring the file from {page} by hand."
    )


def _stream(remote: Remote, part: Path, before: int, progress: Progress) -> None:
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if before:
        headers["Range"] = f"bytes={before}-"
    with get_session().stream("GET", remote.url, headers=headers, timeout=TIMEOUT) as response:
        if response.status_code == 416:  # the part does not fit this file: from the start
            part.unlink()
            return
        if response.status_code >= 400:
            response.read()
        hf_raise_for_status(response)
        here = response.headers.get("Content-Range", "").startswith(f"bytes {before}-")
        resumes = before > 0 and response.status_code == 206 and here
        done = before if resumes else 0
        with open(part, "ab" if resumes else "wb") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                done += len(chunk)
                progress(done, remote.size, "")


def _passing(error: Exception) -> bool:
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in PASSING
    return not isinstance(error, OfflineModeIsEnabled)


def _wait(seconds: float, sign: Callable[[], None]) -> None:
    """Waits, and gives a sign of life so that a stop gets through."""
    end = time.monotonic() + min(seconds, 30.0)
    while (left := end - time.monotonic()) > 0:
        sign()
        time.sleep(min(left, 0.5))


def _name(entry: Entry) -> str:
    return f"{entry.base} ({entry.repo})"
