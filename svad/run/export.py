"""Writes one file of a finished avatar for another program, from its folder or its archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from svad.core.errors import OutputError, SettingError
from svad.core.progress import part, silent
from svad.export.formats import EVERY
from svad.export.options import MeshOptions
from svad.motion.authored import authored
from svad.run.finished import load_finished
from svad.run.makers.files import write_format
from svad.run.motions import read_motion
from svad.types import Report

if TYPE_CHECKING:
    from svad.export.row import Format
    from svad.motion.recorded import Recorded

BONES = ("smplx", "vrm", "mixamo", "unreal")  # whose names the joints of a mesh can have
TRIANGLES = (2_000, 200_000)


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
    found = load_finished(Path(source), name)
    share = 700 if motions else 0  # of a thousand: clips take longer than files
    moves = _read(motions, part(report, 0, share, 1000), say) if motions else {}
    told = part(report, share, 1000, 1000) if motions else report
    asked = MeshOptions(bones or BONES[0], triangles, lit, moves)
    write_format(row, found, asked, path, told)
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
        raise SettingError(
            f"{name} has no bones, or its own names for them. Bone names can be chosen for {able}."
        )
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
