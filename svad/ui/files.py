"""Which files the page may show, and under which address."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gradio.processing_utils import hash_file
from gradio.utils import get_upload_folder, is_in_or_equal

from svad.core.errors import PhotoError
from svad.core.files import writing
from svad.ui import texts


class Shelf:
    """Hands files to the page.

    Files below `public` folders (the examples, the viewer) are served where they lie. All others
    are copied into the page's cache, into a folder named after their content, so that an address
    is known only to whoever was given it.
    """

    def __init__(self, public: tuple[Path, ...]) -> None:
        self._public = tuple(folder.resolve() for folder in public)

    def publish(self, path: Path, name: str | None = None) -> Path:
        """The path under which the page can show `path`, optionally under another file name."""
        path = path.resolve()
        name = name or path.name
        if name == path.name and any(is_in_or_equal(path, folder) for folder in self._public):
            return path
        target = Path(get_upload_folder()) / hash_file(path) / name
        if target.exists():
            os.utime(target)  # it is in use again: the janitor goes by age
            return target
        with writing(target) as temporary:
            shutil.copyfile(path, temporary)
        return target

    def url(self, path: Path, name: str | None = None) -> str:
        """The address of `path`, relative to the page (right behind any proxy)."""
        return address(self.publish(path, name))


def address(path: Path) -> str:
    """The address of a file the page may show, relative to the page."""
    return "gradio_api/file=" + quote(str(path))


def sweep(folder: Path, older_than: float, keep: frozenset[str] = frozenset()) -> int:
    """Removes files below `folder` untouched for `older_than` seconds; returns how many.

    Files whose path is in `keep` stay.
    """
    limit, gone = time.time() - older_than, 0
    for path in sorted(folder.rglob("*"), reverse=True):  # children before their folder
        try:
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()) and path.stat().st_mtime < limit:
                    path.rmdir()
            elif path.lstat().st_mtime < limit and str(path) not in keep:
                path.unlink()
                gone += 1
        except FileNotFoundError:
            continue  # someone else was faster
    return gone


def uploaded(photo: Any) -> Path:
    """The path of an uploaded file from what the browser or a program sent.

    Raises `PhotoError` for everything else, above all for other files of this machine.
    """
    path = photo.get("path") if isinstance(photo, dict) else None
    if not isinstance(path, str) or not is_in_or_equal(path, get_upload_folder()):
        raise PhotoError(texts.NO_FILE)
    if not Path(path).is_file():
        raise PhotoError(texts.NO_FILE)
    return Path(path)
