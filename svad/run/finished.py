"""Loads a finished avatar for other uses: from its folder, or from its archive."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path, PurePosixPath

from svad.core.errors import JobError
from svad.core.given import is_file, read_given
from svad.run.card import CARD, read_card, require_finished
from svad.run.makers.files import Loaded, packed_avatar
from svad.run.results import KEPT
from svad.storage import load
from svad.types import Avatar, Subject

RIG, GLB = "avatar.safetensors", "avatar.glb"
LARGEST = 2 << 30  # bytes, unpacked, of a file in an archive: ours have a hundredth of it


def load_finished(source: Path, name: str = "") -> Loaded:
    """The avatar of a job folder or of an archive; `name`: the format it is read for."""
    if source.is_dir():
        return _from_folder(source)
    if not source.is_file():
        what = f"{source} is no file" if os.path.lexists(source) else f"There is no {source}"
        raise JobError(f"{what}. Give the folder of a finished avatar, or its zip.")
    if name in ("archive",):
        raise JobError(f"{source.name} is the archive already.")
    return _from_archive(source)


def _from_folder(folder: Path) -> Loaded:
    card = read_card(folder)
    if not (folder / KEPT).is_file() and is_file(folder / RIG) and is_file(folder / GLB):
        # an archive that was unpacked: the mesh, too, is taken from what is there
        packed = (read_given(folder / name, LARGEST, JobError) for name in (RIG, GLB))
        return Loaded(packed_avatar(*packed), card, None, folder)
    require_finished(folder / KEPT)
    avatar = load(Avatar, folder / KEPT)
    kept = folder / "stages" / "subject.safetensors"
    subject = load(Subject, kept) if kept.is_file() else None
    return Loaded(avatar, card, subject, folder)


def _from_archive(path: Path) -> Loaded:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            _require_inside(path, members)
            members = _below(members)
            _require_whole(path, members)
            rig, glb, card = (archive.read(members[name]) for name in (RIG, GLB, CARD))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise JobError(
            f"{path.name} is no zip archive, or is damaged ({type(error).__name__}). Give the "
            "avatar.zip as it was downloaded."
        ) from error
    try:
        facts = json.loads(card)
    except ValueError as error:
        raise JobError(f"The {CARD} in {path.name} is damaged.") from error
    avatar = packed_avatar(rig, glb)
    return Loaded(avatar, facts if isinstance(facts, dict) else {}, None, path.parent)


def _below(members: dict[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The files where the avatar lies: in a folder, where an unpacked archive was packed again."""
    cards = [name for name in members if PurePosixPath(name).name == CARD]
    start = min(cards, key=len, default=CARD).removesuffix(CARD)
    found = {name: info for name, info in members.items() if name.startswith(start)}
    return {name.removeprefix(start): info for name, info in found.items()}


def _require_inside(path: Path, members: dict[str, zipfile.ZipInfo]) -> None:
    """Refuses archives with names that lead elsewhere, before anything in them is read."""
    for name, info in members.items():
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or ":" in name:
            raise JobError(
                f"{path.name} holds a file named {name!r}, which would lie outside of its folder: "
                "this program writes no such archive, and nothing of it was read."
            )
        if info.file_size > LARGEST:
            raise JobError(f"{name} in {path.name} is too large to be part of an avatar.")


def _require_whole(path: Path, members: dict[str, zipfile.ZipInfo]) -> None:
    """Refuses archives that hold no avatar."""
    missing = [name for name in (CARD, GLB, RIG) if name not in members]
    if missing == [RIG]:
        raise JobError(
            f"{path.name} is a light copy without {RIG}, from which files for other programs are "
            "made. Make the avatar from its photo, and export from its folder."
        )
    if missing:
        raise JobError(
            f"{path.name} is not the archive of an avatar: it has no {missing[0]}. Give the "
            "avatar.zip that this program wrote."
        )
