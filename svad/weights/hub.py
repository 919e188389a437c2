"""Asks what a file is before its bytes come: the Hub, or the server of its authors."""

from __future__ import annotations

from urllib.parse import urlsplit

from svad.weights.answers import called, page_instead, translate
from svad.weights.errors import ServerFailed
from svad.weights.manifest import UNPINNED, Entry
from svad.weights.transfer import TIMEOUT, Remote, headers_for, opened, raise_for_status


def look_up(entry: Entry, endpoint: str | None = None) -> Remote:
    """Asks for commit, size and checksum of a file that is online. Raises a `WeightsError`.

    `endpoint` is the Hub's address if not HF_ENDPOINT.
    """
    return _on_hub(entry, endpoint) if entry.repo else _at_address(entry)


def _on_hub(entry: Entry, endpoint: str | None) -> Remote:
    """An entry without a pinned revision is looked up on the branch `main`, once.

    What follows uses the commit that was found.
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
    if not found.commit_hash and urlsplit(found.location).hostname != urlsplit(url).hostname:
        raise page_instead(entry, found.location)
    commit = found.commit_hash or (asked if asked != "main" else "")
    if not commit:
        raise ServerFailed(f"The Hub did not say which commit {called(entry)} is from. Try later.")
    return Remote(
        url=hf_hub_url(entry.repo, entry.file, revision=commit, endpoint=endpoint),
        commit=commit,
        size=found.size,
        digest=found.etag or "",
    )


def _at_address(entry: Entry) -> Remote:
    """Asks for the first byte, since addresses signed for a GET refuse a HEAD."""
    from huggingface_hub.errors import (
        HTTPError,  # pyright: ignore[reportPrivateImportUsage]
        OfflineModeIsEnabled,
    )

    try:
        with opened(entry.url, headers_for(entry, Range="bytes=0-0"), entry) as answer:
            raise_for_status(answer, entry)
            heads = answer.headers
            whole = heads.get("Content-Length", "") if answer.status_code == 200 else ""
            said = heads.get("Content-Range", "").rpartition("/")[2] or whole
    except (HTTPError, OfflineModeIsEnabled) as error:
        raise translate(error, entry) from error
    size = int(said) if said.isdecimal() else entry.size
    return Remote(url=entry.url, commit="", size=size, digest=entry.sha256)
