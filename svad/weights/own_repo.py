"""A repository of the person's own that SVAD_WEIGHTS names: which of our files it holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from svad.core.files import write_text
from svad.weights.account import asking
from svad.weights.errors import RepositoryMissing, Unreachable
from svad.weights.manifest import MANIFEST, load_manifest
from svad.weights.store import Store, list_of, named_repository
from svad.weights.transfer import TIMEOUT


def store_to_fill(
    environ: Mapping[str, str] | None = None,  # None = of this process
    endpoint: str | None = None,  # address of the Hub if not HF_ENDPOINT
) -> Store:
    """The store that the environment describes, before files are fetched into it.

    If SVAD_WEIGHTS names a repository, it is looked through, and the list of what it holds is
    kept in the cache, where later runs find it without the network. Raises `RepositoryMissing`,
    another `WeightsError`, `OutputError`.
    """
    environ = os.environ if environ is None else environ
    repo = named_repository(environ)
    if repo:
        listed = list_of(repo, environ)
        try:
            write_text(listed, yaml.safe_dump(_listing(repo, endpoint), sort_keys=False))
        except Unreachable:
            if not listed.is_file():  # else that of the last time does
                raise
    return Store.from_environment(environ)


def _listing(repo: str, endpoint: str | None) -> dict[str, dict[str, Any]]:
    """Entry -> its file in the repository, pinned to the commit and the bytes that are there."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    info = None
    with asking(f"show {repo}"):
        try:
            info = HfApi(endpoint=endpoint).repo_info(repo, files_metadata=True, timeout=TIMEOUT)
        except RepositoryNotFoundError as error:
            raise RepositoryMissing(
                f"SVAD_WEIGHTS is {repo}: no such folder or list is here, and the Hub has no such "
                "repository, or it is private and HF_TOKEN (on a Space: a secret) is not set to a "
                "token that may read it."
            ) from error
    files = {file.rfilename: file for file in info.siblings or ()}
    store, values = Store(load_manifest(MANIFEST), Path()), {}
    for entry in store.entries.values():
        found = next((files[place] for place in store.places(entry) if place in files), None)
        if found is None:
            continue
        value: dict[str, Any] = {"repo": repo, "file": found.rfilename}
        value |= {"revision": info.sha} if info.sha else {}
        value |= {"size": found.size} if found.size else {}
        value |= {"sha256": found.lfs.sha256} if found.lfs is not None else {}
        values[entry.name] = value
    return values
