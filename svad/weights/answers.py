"""What a server of files answered other than the file, one type and one sentence for each."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from svad.weights.convert import in_words
from svad.weights.errors import (
    ConnectionCut,
    FileMissing,
    GatedRepo,
    Offline,
    PageInstead,
    RepositoryMissing,
    RevisionMissing,
    ServerBusy,
    ServerFailed,
    Stalled,
    Unreachable,
    WeightsError,
    WrongSize,
)
from svad.weights.manifest import Entry

BUSY = {429, 503}
PASSING = {408, 425, 500, 502, 504} | BUSY  # answers that are worth another try
GONE = {404, 410}


def called(entry: Entry) -> str:
    """A file and who has it."""
    return f"{entry.base} ({entry.home})"


def server(entry: Entry) -> str:
    """Who is asked, at the beginning of a sentence."""
    return "The Hub" if entry.repo else entry.home


def translate(error: Exception, entry: Entry) -> WeightsError:
    """The typed error with a sentence for a failure of huggingface_hub or of its HTTP client."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    name, page = called(entry), entry.where
    found = _of_the_hub(error, entry) if entry.repo else None
    if found is not None:
        return found
    if isinstance(error, OfflineModeIsEnabled):
        return Offline(
            f"{name} is not on this machine, and downloads are switched off (HF_HUB_OFFLINE). "
            f"Unset it, or bring the file from {page} by hand."
        )
    answer = getattr(error, "response", None)
    if answer is None:
        return Unreachable(
            f"{server(entry)} could not be reached for {name} ({type(error).__name__}). Check the "
            f"network, or bring the file from {page} by hand."
        )
    status, token = answer.status_code, "If HF_TOKEN is set, check that it is valid and may read"
    if status in BUSY:
        why = "gets more requests than it answers" if status == 429 else "is overloaded or at rest"
        return ServerBusy(
            f"{server(entry)} {why} (HTTP {status}, asked for {name}). {_when(retry_after(error))} "
            "What came is kept."
        )
    if status in (401, 403):
        what = f"{token} {page}." if entry.repo else f"It may want a sign-in now: see {page}."
        return ServerFailed(f"{server(entry)} refused {name} (HTTP {status}). {what}")
    if status in GONE:
        return FileMissing(
            f"{entry.home} has no such file any more (HTTP {status}): {entry.base}. See {page}, "
            f"and bring it by hand or point the entry {entry.name} to where it is now."
        )
    advice = "Wait a little and try again." if status in PASSING else f"See {page}."
    return ServerFailed(f"{server(entry)} answered HTTP {status} when asked for {name}. {advice}")


def passing(error: Exception) -> bool:
    """Whether asking again may help."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    answer = getattr(error, "response", None)
    if answer is not None:
        return answer.status_code in PASSING
    return not isinstance(error, OfflineModeIsEnabled)


def retry_after(error: Exception) -> float | None:
    """The seconds a server asks to wait (RFC 9110, section 10.2.3); None if it says nothing."""
    answer = getattr(error, "response", None)
    said = answer.headers.get("Retry-After", "").strip() if answer is not None else ""
    if said.isdecimal():
        return float(said[:9])
    try:
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def broken(
    error: Exception | None,  # the last one; None = the server ended too early without one
    entry: Entry,
    cuts: int,  # tries in a row that brought nothing
    kept: int,  # bytes on the disk
    silence: float,  # seconds without a byte that were waited for
) -> WeightsError:
    """The error for a file that did not come in several tries."""
    if error is not None and getattr(error, "response", None) is not None:
        return translate(error, entry)
    end = f"The {in_words(kept)} that came are kept: run the same command again."
    if "Timeout" in type(error).__name__:
        return Stalled(
            f"{server(entry)} sent nothing of {called(entry)} for {silence:g} seconds, {cuts} "
            f"times in a row. {end}"
        )
    return ConnectionCut(
        f"The connection to {server(entry).replace('The', 'the')} broke {cuts} times while "
        f"{called(entry)} was on its way. {end}"
    )


def page_instead(entry: Entry, address: str) -> PageInstead:
    """A web page came: a sign-in, a form, or the notice of a network."""
    at = urlsplit(address)
    return PageInstead(
        f"{at.hostname}{at.path} answered with a web page in place of {called(entry)}, as a "
        "sign-in or a network that wants one does. Open it in a browser, then run the command "
        f"again; or bring the file from {entry.where} by hand."
    )


def wrong_size(entry: Entry, found: int, expected: int, what: str) -> WrongSize:
    """The file is longer or shorter than it should be; `what` says what became of it."""
    return WrongSize(
        f"{called(entry)} is not the file it should be: it has {found:,} bytes, {expected:,} were "
        f"expected. {what}"
    )


def _when(seconds: float | None) -> str:
    if seconds is None:
        return "Wait a little and run the same command again."
    if seconds < 90:
        return f"It asks to wait {seconds:.0f} seconds: run the same command after that."
    minutes = seconds / 60
    words = f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.0f} hours"
    return f"It asks to wait {words}: run the same command after that."


def _of_the_hub(error: Any, entry: Entry) -> WeightsError | None:
    from huggingface_hub import errors as hub

    name, page = called(entry), f"https://huggingface.co/{entry.repo}"
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
        return FileMissing(
            f"{entry.repo} at revision {entry.revision} holds no file {entry.file}; it may have "
            f"been moved or renamed. See {page}/tree/main, and point the entry {entry.name} to it."
        )
    return None
