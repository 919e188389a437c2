"""Puts files that a person brought themselves into a private repository of theirs on the Hub."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from svad.core.errors import SettingError, Stopped, SvadError
from svad.weights.account import asking, require_own, signed_in
from svad.weights.convert import in_words
from svad.weights.errors import MissingOwn, RepositoryMissing, RepositoryPublic
from svad.weights.manifest import Entry
from svad.weights.store import REPOSITORY, Store, sha256_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def push(
    store: Store,
    repo: str,  # NAME/NAME
    say: Callable[[str], None],
    stop: threading.Event,
    *,
    endpoint: str | None = None,  # address of the Hub if not HF_ENDPOINT
) -> list[str]:
    """Uploads what the Hub does not have yet; returns the paths in the repository.

    The repository is made private; one that everybody can read is refused (`RepositoryPublic`),
    since the terms of these files do not let them be handed on. A checkpoint goes up as the
    safetensors copy that is read here, so that nothing pickled travels. What was uploaded stays
    when the next file fails. Raises `SettingError`, `MissingOwn`, `TokenMissing`, `NotYours`,
    another `WeightsError`, or `Stopped`.
    """
    if not REPOSITORY.fullmatch(repo):
        raise SettingError(f"{repo} is no name of a repository; it looks like me/my-weights.")
    files = _ready(store, say)
    for terms in dict.fromkeys(f"{entry.license}: {entry.terms}." for entry, _ in files):
        say(f"Terms of {terms}")
    whole = in_words(sum(path.stat().st_size for _, path in files))
    say(f"{len(files)} files, {whole}, go into {repo}, which only you and those you let in read.")
    api = signed_in(endpoint)
    there = _private(api, repo)
    for entry, path in files:
        if stop.is_set():
            raise Stopped("Stopped.")
        place = place_of(entry, path)
        if there.get(place) == sha256_of(path):
            say(f"{entry.name}: is there already")
            continue
        _require_private(api, repo)  # it may have been opened while the last file was on its way
        say(f"{entry.name}: {in_words(path.stat().st_size)} as {place}")
        with asking(f"take {place} into {repo}", uploads=True):
            api.upload_file(
                path_or_fileobj=str(path),
                path_in_repo=place,
                repo_id=repo,
                commit_message=f"{entry.name}: {path.suffix.removeprefix('.')}",
            )
    return [place_of(entry, path) for entry, path in files]


def place_of(entry: Entry, path: Path) -> str:
    """Where a file stands in the repository: one of the places in which it is looked for."""
    return f"{entry.name}/{PurePosixPath(entry.base).with_suffix(path.suffix)}"


def _ready(store: Store, say: Callable[[str], None]) -> list[tuple[Entry, Path]]:
    """The files that a person brought and that are here, as they are read.

    Those that everybody has to bring, and own copies of those whose terms come first, such as a
    FLAME model that was converted here.
    """
    files: list[tuple[Entry, Path]] = []
    brought = [e for e in store.entries.values() if e.gate == "user-supplied"]
    for entry in store.entries.values():
        found = store.locate(entry.name)
        own = found is not None and found.origin == "own file" and entry.gate == "accept-terms"
        if found is None or not (own or entry in brought):
            continue
        try:
            files.append((entry, store.resolve(entry.name)))
        except SvadError as error:
            say(f"{entry.name} stays here: {error}")
    if not files:
        names = ", ".join(entry.base for entry in brought)
        raise MissingOwn(
            f"There is nothing to put there: none of the files that have to be brought by hand is "
            f"on this machine ({names}). Set SVAD_WEIGHTS to the folder that holds them."
        )
    return files


def _private(api: HfApi, repo: str) -> dict[str, str]:
    """Makes the repository if it is not there; the sha256 of the large files in it, by path."""
    require_own(api, repo)
    if _look(api, repo) is None:
        with asking(f"make the private repository {repo}"):
            api.create_repo(repo, private=True)
    info = _require_private(api, repo)
    return {f.rfilename: f.lfs.sha256 for f in info.siblings or () if f.lfs is not None}


def _require_private(api: HfApi, repo: str) -> Any:
    info = _look(api, repo)
    if info is None:
        raise RepositoryMissing(f"{repo} was there a moment ago and is gone. Run it again.")
    if info.private is not True:
        raise RepositoryPublic(
            f"{repo} can be read by everybody, and the terms of these files do not let them be "
            f"handed on. Nothing was uploaded to it. Choose another name, or make it private on "
            f"https://huggingface.co/{repo}/settings and run the same command again."
        )
    return info


def _look(api: HfApi, repo: str) -> Any:
    """What the Hub says of the repository; None if it has none of that name."""
    from huggingface_hub.errors import RepositoryNotFoundError

    with asking(f"show {repo}"):
        try:
            return api.model_info(repo, files_metadata=True)
        except RepositoryNotFoundError:
            return None
