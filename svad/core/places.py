"""Folders of this machine: the person's cache, and a private one for what is not kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from svad.core.errors import OutputError


def expanded(path: str | Path) -> Path:
    """The path with `~` filled in; as it stands where this user has no home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no HOME, and nobody in the table of users, as in some containers
        return Path(path)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Our cache: SVAD_CACHE, else the folder `svad` in the person's cache folder.

    Below the private folder where the person has no home. It need not be there yet. Raises
    `OutputError` as `private_folder` does.
    """
    if environ.get("SVAD_CACHE"):
        return expanded(environ["SVAD_CACHE"])
    if environ.get("XDG_CACHE_HOME"):
        return expanded(environ["XDG_CACHE_HOME"]) / "svad"
    usual = expanded("~/.cache")
    return usual / "svad" if usual.is_absolute() else private_folder() / "cache"


def private_folder() -> Path:
    """A folder only this user can read, below the system's folder for temporary files.

    Raises `OutputError` where there is none that can be written to.
    """
    try:
        return _private()
    except OSError as error:
        raise OutputError(
            "There is no folder for temporary files that can be written to "
            f"({error.strerror or error}). Set TMPDIR to one."
        ) from error


def writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made if it is absent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def for_compiled(environ: Mapping[str, str]) -> Iterator[Path]:
    """Folders for compiled code that can be written to, the best first; there may be none."""
    try:
        places = [cache_folder(environ) / "compiled", private_folder() / "compiled"]
    except OutputError:
        return
    yield from filter(writable, places)


def _private() -> Path:
    temporary = Path(tempfile.gettempdir())
    user = getattr(os, "getuid", lambda: 0)()
    folder = temporary / f"svad-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:  # a file, or a link to nothing: somebody else's
        return Path(tempfile.mkdtemp(prefix="svad-"))
    facts = folder.lstat()
    theirs = facts.st_uid != user or (os.name == "posix" and facts.st_mode & 0o077)
    if folder.is_symlink() or theirs:
        return Path(tempfile.mkdtemp(prefix="svad-"))
    return folder
