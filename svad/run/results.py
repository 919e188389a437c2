"""What a finished job holds: its trained avatar, and its files by their names."""

from __future__ import annotations

from pathlib import Path

from svad.config.package import PackageConfig
from svad.core.errors import JobError
from svad.core.given import is_file
from svad.export.formats import FORMATS
from svad.run.card import read_card, require_finished
from svad.run.jobs import Job, is_own
from svad.run.makers.files import rig_avatar
from svad.storage import load
from svad.types import Avatar, Result

KEPT = Path("stages", "avatar.safetensors")  # the avatar as the last stage but one left it


def load_avatar(folder: Path) -> Avatar:
    """The trained avatar of a job, or of its archive, packed or unpacked.

    Raises `JobError` if there is none (yet).
    """
    kept, rig = Path(folder) / KEPT, Path(folder) / FORMATS["rig"].file
    packed = Path(folder) if is_file(folder) else rig if is_file(rig) else None
    if packed is None or (packed == rig and is_file(kept)):
        read_card(folder)
        require_finished(kept)
        return load(Avatar, kept)
    return rig_avatar(packed)


def read_result(folder: Path) -> Result:
    """The files of a finished job; raises `JobError` if it is not finished."""
    listed = read_card(folder).get("result") or {}
    names = {name: file for name, file in listed.items() if name in FORMATS}
    files = {name: Path(folder) / file for name, file in names.items() if is_own(file)}
    whole = "archive" in files and len(files) == len(names)
    if not whole or not all(path.exists() for path in files.values()):
        raise JobError(f"The avatar in {folder} is not finished. Run it again to go on.")
    return Result(files)


def list_files(job: Job, result: Result, settings: PackageConfig) -> list[Path]:
    """What the last stage wrote; notes in the card under which names the result is found."""
    job.card["result"] = {name: path.name for name, path in result.files.items()}
    return [job.folder / file for name in result.files for file in FORMATS[name].files(settings)]
