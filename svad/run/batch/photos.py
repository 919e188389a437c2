"""The photos of a folder, and a folder of its own for the avatar of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from svad.core.errors import OutputError, SourceError
from svad.media.opening import SUFFIXES as HEIF_SUFFIXES

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff")
SUFFIXES += HEIF_SUFFIXES
ROWS, SHEET, PAGE, STILLS, LOCK = "results.jsonl", "sheet.jpg", "index.html", "stills", ".lock"
OURS = (ROWS, SHEET, PAGE, STILLS, LOCK)  # in the folder of the results, beside the avatars
SHOWN = 5  # names in a sentence


def find_photos(folder: Path) -> tuple[list[Path], list[str]]:
    """The pictures that lie in a folder, by name, and the names of the other files in it.

    Folders inside and hidden files do not count. Raises `SourceError` where there is no such
    folder, it cannot be read, or no picture is in it.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise SourceError(f"{folder} {what}. Give a folder with photos, one person in each.")
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        files = [e.name for e in entries if not e.name.startswith(".") and not e.is_dir()]
    except OSError as error:
        raise SourceError(
            f"{folder} cannot be read ({error.strerror}). Check its permissions, or copy the "
            "photos to another folder."
        ) from error
    photos = [folder / name for name in files if name.lower().endswith(SUFFIXES)]
    if not photos:
        there = f"It holds {_some(files)}" if files else "It is empty"
        raise SourceError(
            f"There is no photo in {folder}. {there}. Photos are JPEG, PNG, WebP or HEIC files "
            "that lie in the folder itself, not in folders inside."
        )
    return photos, [name for name in files if not name.lower().endswith(SUFFIXES)]


def require_apart(photos: Path, out: Path) -> None:
    """Raises `OutputError` where results would lie among the photos and be taken for such."""
    source, target = photos.resolve(), out.resolve()
    if target == source or target.is_relative_to(source):
        raise OutputError(
            f"The results would lie in the folder of the photos, {photos}. Choose a folder beside "
            f"it, such as {photos.resolve().name}-avatars."
        )


def name_folders(
    photos: Iterable[Path],
    out: Path,
    before: Mapping[str, str],  # of an earlier call: name of a photo to name of its folder
) -> dict[Path, str]:
    """A folder's name for each photo: its own without the ending, if no other one has it.

    What an earlier call chose stays. Names that differ in capitals only are taken for the same,
    as many disks do.
    """
    photos = list(photos)
    source = next((p.parent.resolve() for p in photos), None)
    taken = {name.casefold() for name in OURS}
    if source is not None and source.parent == out.resolve():
        taken.add(source.name.casefold())  # the photos lie there
    found = {p: before[p.name] for p in photos if p.name in before}
    taken |= {name.casefold() for name in found.values()}
    stems = [p.stem.casefold() for p in photos]
    for photo in photos:
        if photo in found:
            continue
        stem = photo.stem if stems.count(photo.stem.casefold()) == 1 else photo.name
        names = (stem, photo.name, *(f"{photo.name}-{n}" for n in range(2, len(photos) + 3)))
        found[photo] = next(name for name in names if name.casefold() not in taken)
        taken.add(found[photo].casefold())
    return found


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
