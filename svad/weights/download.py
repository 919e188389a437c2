"""Fetches missing files into our cache: room first, then byte by byte, checked before use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from svad.core.certificates import require_certificates
from svad.core.errors import OutputError, Stopped, SvadError
from svad.core.files import make_folder
from svad.core.locks import locked
from svad.weights.answers import wrong_size
from svad.weights.convert import require_room
from svad.weights.errors import TermsNotAccepted, WrongChecksum
from svad.weights.hub import look_up
from svad.weights.manifest import SHA256, UNPINNED, Entry
from svad.weights.store import Store, sha256_of
from svad.weights.transfer import DONE, Progress, Remote, fetch

Progresses = Callable[[Entry], Progress]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file."""

    entry: Entry
    error: SvadError | None = None
    revision: str = ""  # the commit it came from; none on a page of its authors
    sha256: str = ""  # of the file as it came


def download(
    store: Store,
    entries: Iterable[Entry],
    progress: Progresses,  # gives the progress of one file
    *,
    accepted: bool = False,  # the person agreed to the terms of `accept-terms` files
    pause: float = 1.0,  # seconds, see `transfer.fetch`
    endpoint: str | None = None,  # address of the Hub if not HF_ENDPOINT
) -> list[Outcome]:
    """Fetches what is not on this machine, one file after another.

    A file that cannot be had does not keep the others from coming: its error is in its outcome.
    Files that users supply themselves are left out. Raises `NoRoom` before the first byte when the
    disk cannot hold everything, `OutputError` when it fills up all the same, `SettingError` for
    certificates that are none, `Stopped`.
    """
    require_certificates(os.environ)
    outcomes: list[Outcome] = []
    plan: list[tuple[Entry, Remote]] = []
    for entry in entries:
        if not entry.online or store.locate(entry.name) is not None:
            continue
        try:
            if entry.gate == "accept-terms" and not accepted:
                raise TermsNotAccepted(
                    f"{entry.base} ({entry.home}) comes under these terms: {entry.terms}. Read "
                    f"{entry.license_url}; if you agree, add --accept-terms to the command."
                )
            plan.append((entry, _look_up(entry, endpoint)))
        except Stopped:
            raise
        except SvadError as error:
            outcomes.append(Outcome(entry=entry, error=error))
    if plan:
        check_room(store, plan)
    for entry, remote in plan:
        try:
            digest = _fetch(store, entry, remote, progress(entry), pause)
        except (Stopped, OutputError):
            raise  # the next file would meet the same
        except SvadError as error:
            outcomes.append(Outcome(entry=entry, error=error))
        else:
            outcomes.append(Outcome(entry=entry, revision=remote.commit, sha256=digest))
    return outcomes


def check_room(store: Store, plan: list[tuple[Entry, Remote]]) -> None:
    """Raises `NoRoom` unless all files fit, with the largest pickle beside its converted copy."""
    sizes = [(entry, remote.size or entry.size or 0) for entry, remote in plan]
    pickles = (size for entry, size in sizes if entry.format == "pickle")
    kept = sum(
        part.stat().st_size for entry, r in plan if (part := _part(store, entry, r)).exists()
    )
    make_folder(store.cache)
    require_room(store.cache, sum(size for _, size in sizes) + max(pickles, default=0) - kept)


def _look_up(entry: Entry, endpoint: str | None) -> Remote:
    remote = look_up(entry, endpoint)
    pinned = entry.sha256 != UNPINNED and entry.size
    if pinned and remote.size not in (None, entry.size):
        raise wrong_size(entry, remote.size or 0, pinned, "Nothing was fetched.")
    if SHA256.fullmatch(remote.digest) and entry.sha256 not in (UNPINNED, remote.digest):
        raise WrongChecksum(
            f"{entry.base} in {entry.home} is not the file it should be: the Hub says its sha256 "
            f"is {remote.digest}, {entry.sha256} was expected. Nothing was fetched."
        )
    return remote


def _part(store: Store, entry: Entry, remote: Remote) -> Path:
    """The unfinished file; its name carries the content, so that no two are ever mixed."""
    mark = hashlib.sha256(f"{remote.commit}|{remote.digest}".encode()).hexdigest()[:16]
    return store.folder(entry) / f"{mark}.part"


def _fetch(store: Store, entry: Entry, remote: Remote, progress: Progress, pause: float) -> str:
    """Fetches, checks, keeps and, if it is a pickle, converts one file; returns its sha256."""
    folder, part = store.folder(entry), _part(store, entry, remote)
    make_folder(folder)
    with locked(folder / ".lock"):
        for old in folder.glob("*.part"):
            if old != part:
                old.unlink()  # of another version
        fetch(entry, remote, part, progress, pause=pause)
        size = part.stat().st_size
        digest = sha256_of(part, lambda done, _: progress(done, size, "checking"))
        _check(entry, remote, part, digest)
        target = folder / entry.base
        part.replace(target)
        store.record(entry, target, revision=remote.commit, sha256=digest)
        if entry.format == "pickle":
            progress(size, size, "converting to safetensors")
            store.resolve(entry.name)
        progress(size, size, DONE)
    return digest


def _check(entry: Entry, remote: Remote, part: Path, digest: str) -> None:
    """Compares with the pinned checksum, else with what the Hub says; a wrong file is removed."""
    expected = entry.sha256
    if expected == UNPINNED and SHA256.fullmatch(remote.digest):
        expected = remote.digest  # small files have other tags there, and mirrors their own
    if expected not in (UNPINNED, digest):
        part.unlink()
        raise WrongChecksum(
            f"{entry.base} from {entry.home} arrived damaged or is another file: its checksum is "
            f"{digest}, {expected} was expected. It was thrown away; try again later."
        )
