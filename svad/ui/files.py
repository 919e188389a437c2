"""Which files the page may show, and under which address."""

from __future__ import annotations

import math
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

COPIES = "shown.txt"  # in a job's folder: what of it lies in the page's cache


class Shelf:
    """Hands files to the page.

    Files below `public` folders (the examples, the viewer) are served where they lie. All others
    are copied into the page's cache, into a folder named after their content, so that an address
    is known only to whoever was given it. For files of the jobs below `jobs`, and for those said
    to belong to one, the job's folder lists the copies, so that they can go with it.
    """

    def __init__(self, public: tuple[Path, ...], jobs: Path | None = None) -> None:
        self._public = tuple(folder.resolve() for folder in public)
        self._jobs = None if jobs is None else jobs.resolve()

    def publish(self, path: Path, name: str | None = None, job: str = "") -> Path:
        """The path under which the page can show `path`, optionally under another file name.

        `job`: whose it is, for files that do not lie in a job's folder.
        """
        path = path.resolve()
        name = name or path.name
        if name == path.name and any(is_in_or_equal(path, folder) for folder in self._public):
            return path
        target = Path(get_upload_folder()) / hash_file(path) / name
        if target.exists():
            os.utime(target)  # it is in use again: the janitor goes by age
        else:
            with writing(target) as temporary:
                shutil.copyfile(path, temporary)
        self.note(job or self.owner(path), target)
        return target

    def note(self, job: str, copy: Path) -> None:
        """Notes that a file of the cache shows something of a job."""
        if not job or self._jobs is None or not (self._jobs / job).is_dir():
            return
        listed = self._jobs / job / COPIES
        if str(copy) not in _lines(listed):
            with listed.open("a", encoding="utf-8") as file:
                file.write(f"{copy}\n")

    def copies(self, job: str) -> list[Path]:
        """The files of the cache that show something of a job."""
        listed = [] if self._jobs is None else map(Path, _lines(self._jobs / job / COPIES))
        return [path for path in listed if is_in_or_equal(path, get_upload_folder())]

    def owner(self, path: Path) -> str:
        """The id of the job that a file or folder belongs to; "" where it is none's."""
        path = path.resolve()
        inside = self._jobs is not None and path.is_relative_to(self._jobs)
        return path.relative_to(self._jobs).parts[0] if inside and self._jobs else ""

    def url(self, path: Path, name: str | None = None) -> str:
        """The address of `path`, relative to the page (right behind any proxy)."""
        return address(self.publish(path, name))


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.is_file() else []


def address(path: Path) -> str:
    """The address of a file the page may show, relative to the page."""
    return "gradio_api/file=" + quote(str(path))


def sweep(
    folder: Path,
    older_than: float,  # seconds
    keep: frozenset[str] = frozenset(),  # paths of files that stay
    most: float = math.inf,  # bytes of all files
) -> int:
    """Removes files below `folder` untouched for so long, then the oldest until `most` are left.

    Returns how many it removed.
    """
    now, gone = time.time(), 0
    found: list[tuple[float, int, Path]] = []
    for path in sorted(folder.rglob("*"), reverse=True):  # children before their folder
        try:
            if not path.is_dir() or path.is_symlink():
                facts = path.lstat()
                found.append((facts.st_mtime, facts.st_size, path))
            elif not any(path.iterdir()) and path.stat().st_mtime < now - older_than:
                path.rmdir()
        except FileNotFoundError:
            continue  # someone else was faster
    total = sum(size for _, size, _ in found)
    for changed, size, path in sorted(found):
        if changed >= now - older_than and total <= most:
            break
        if str(path) not in keep:
            path.unlink(missing_ok=True)
            total -= size
            gone += 1
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
