"""Writes one file of a finished avatar for another program, from its folder or its archive."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from svad.core.errors import JobError, OutputError, SettingError
from svad.core.given import is_file, read_given
from svad.core.progress import part, silent
from svad.export.formats import EVERY
from svad.motion.authored import authored
from svad.run.jobs import CARD, read_card, require_finished
from svad.run.makers.files import packed_avatar, write_format
from svad.run.motions import read_motion
from svad.run.results import KEPT
from svad.storage import load
from svad.types import Avatar, Report, Subject

if TYPE_CHECKING:
    from svad.export.row import Format
    from svad.motion.recorded import Recorded

RIG, GLB = "avatar.safetensors", "avatar.glb"
LARGEST = 2 << 30  # bytes, unpacked, of a file in an archive: ours have a hundredth of it
BONES = ("smplx", "vrm", "mixamo", "unreal")  # whose names the joints of a mesh can have
TRIANGLES = (2_000, 200_000)


@dataclass(frozen=True)
class Finished:
    """A finished avatar, wherever it was read from."""

    avatar: Avatar
    card: dict[str, Any]
    subject: Subject | None  # with the photo; None where it was not kept
    folder: Path  # where a file goes that is given no place


def export(
    source: Path,
    name: str,
    output: Path | None = None,
    *,
    bones: str | None = None,
    triangles: int = 30_000,
    motions: Sequence[Path] = (),
    lit: bool = False,
    report: Report = silent,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Writes the format `name` of the avatar in `source`, a job folder or its avatar.zip.

    Without `output` the file goes into the folder, or beside the archive, under its usual name;
    an `output` that is a folder gets it under that name. `bones`: one of `BONES`, whose names the
    joints have. `motions`: files of motions, or clips, that are put into it before the bundled
    ones, each under its own name. `lit`: lamps shine on the mesh. `say` gets what the format
    loses, and what is to be known of the motions. Raises `SettingError` for an unknown format or a
    choice it does not have, `JobError` for a source without an avatar, `AvatarFileError`,
    `MissingFile` where a library is not installed, `OutputError`, and what `read_motion` raises.
    """
    row = _row(name, bones, triangles, bool(motions), lit)
    path = _place(row, Path(source), output)
    found = read_finished(Path(source), name)
    share = 700 if motions else 0  # of a thousand: clips take longer than files
    moves = _read(motions, part(report, 0, share, 1000), say) if motions else {}
    told = part(report, share, 1000, 1000) if motions else report
    write_format(
        row, found.avatar, path, told, subject=found.subject, card=found.card,
        folder=found.folder, motions=moves, lit=lit, bones=bones or BONES[0], triangles=triangles,
    )  # fmt: skip
    if say is not None:
        say(f"What is not in it: {row.loses}")
    return path


def _read(
    sources: Sequence[Path], report: Report, say: Callable[[str], None] | None
) -> dict[str, Recorded]:
    """The motions of files and clips by their names; a name that is taken gets a number."""
    found: dict[str, Recorded] = {}
    for number, source in enumerate(sources):
        whole = Path(source).name.partition("#")
        name = base = whole[2] or Path(whole[0]).stem or "motion"
        count = 1
        while name in found or name in authored():
            count += 1
            name = f"{base}-{count}"
        motion = read_motion(Path(source), part(report, number, number + 1, len(sources)))
        found[name] = motion
        for sentence in motion.warnings:
            if say is not None:
                say(f"Note: {sentence}")
    return found


def _row(name: str, bones: str | None, triangles: int, moved: bool, lit: bool) -> Format:
    row = EVERY.get(name)
    if row is None:
        raise SettingError(f"There is no format named {name}. Choose one of: {', '.join(EVERY)}.")
    if bones is not None and bones not in BONES:
        raise SettingError(f"There are no bone names of {bones}. Choose from {', '.join(BONES)}.")
    if bones is not None and not row.bones:
        able = ", ".join(other.name for other in EVERY.values() if other.bones)
        raise SettingError(f"{name} has no bones to name. Bone names are for {able}.")
    if moved and not row.moves:
        able = ", ".join(other.name for other in EVERY.values() if other.moves)
        raise SettingError(f"{name} holds no motions. Motions can be put into {able}.")
    if lit and not row.bones:
        able = ", ".join(other.name for other in EVERY.values() if other.bones)
        raise SettingError(f"{name} cannot be lit. Lamps can shine on {able}.")
    if not TRIANGLES[0] <= triangles <= TRIANGLES[1]:
        raise SettingError(
            f"A mesh of {triangles} triangles is not offered: choose from {TRIANGLES[0]} to "
            f"{TRIANGLES[1]}."
        )
    return row


def _place(row: Format, source: Path, output: Path | None) -> Path:
    """Where the file goes."""
    if output is None:
        return (source if source.is_dir() else source.parent) / row.file
    if output.is_dir() or row.parts is not None:
        return output / row.file if output.is_dir() and row.parts is None else output
    suffix = Path(row.file).suffix
    if output.suffix.lower() != suffix:
        raise OutputError(f"This format ends in {suffix}; {output.name} has another ending.")
    return output


def read_finished(source: Path, name: str = "") -> Finished:
    """The avatar of a job folder or of an archive; `name`: the format it is read for."""
    if source.is_dir():
        return _from_folder(source)
    if not source.is_file():
        what = f"{source} is no file" if os.path.lexists(source) else f"There is no {source}"
        raise JobError(f"{what}. Give the folder of a finished avatar, or its zip.")
    if name in ("archive",):
        raise JobError(f"{source.name} is the archive already.")
    return _from_archive(source)


def _from_folder(folder: Path) -> Finished:
    card = read_card(folder)
    if not (folder / KEPT).is_file() and is_file(folder / RIG) and is_file(folder / GLB):
        # an archive that was unpacked: the mesh, too, is taken from what is there
        packed = (read_given(folder / name, LARGEST, JobError) for name in (RIG, GLB))
        return Finished(packed_avatar(*packed), card, None, folder)
    require_finished(folder / KEPT)
    avatar = load(Avatar, folder / KEPT)
    kept = folder / "stages" / "subject.safetensors"
    subject = load(Subject, kept) if kept.is_file() else None
    return Finished(avatar, card, subject, folder)


def _from_archive(path: Path) -> Finished:
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
    return Finished(avatar, facts if isinstance(facts, dict) else {}, None, path.parent)


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
