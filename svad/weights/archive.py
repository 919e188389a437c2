"""Takes single files out of a tar archive, never anything else and never to a place it names."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from svad.core.files import make_folder, writing
from svad.weights.convert import convert, require_room
from svad.weights.errors import UnsafeFile
from svad.weights.manifest import FORMATS


def unpack(
    archive: Path,  # an uncompressed tar
    member: str,  # path inside; folders that stand before it in the archive do not matter
    target: Path,  # where its bytes go
) -> None:
    """Writes one file of an archive, whole or not at all.

    Raises `UnsafeFile` for a damaged archive, one that names places outside of itself, one without
    the file or with several of that name, and where the file is a link or no plain file; `NoRoom`.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            found = _find(tar, archive, member)
            make_folder(target.parent)
            require_room(target.parent, found.size)
            with writing(target) as temporary, open(temporary, "wb") as file:
                source = tar.extractfile(found)
                assert source is not None  # `_find` lets plain files through only
                shutil.copyfileobj(source, file)
                if file.tell() != found.size:
                    raise tarfile.ReadError(f"{found.name} is cut off")
    except (tarfile.TarError, EOFError) as error:
        raise UnsafeFile(f"{archive} is damaged ({error}). Fetch it again.") from error


def ready(
    source: Path,  # the archive, or the file itself where somebody has unpacked it
    member: str,  # path inside the archive
    folder: Path,  # for what has to be made
) -> Path:
    """A file of an archive as it can be read without running anything in it, made only once.

    Pickled checkpoints become safetensors. Raises as `unpack` and `convert.convert` do.
    """
    path = PurePosixPath(member)
    archived = source.suffix == ".tar"
    pickled = FORMATS.get(path.suffix) == "pickle" and source.suffix != ".safetensors"
    if not archived and not pickled:
        return source
    stat = source.stat()
    mark = f"{source.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{member}"
    key = hashlib.sha256(mark.encode()).hexdigest()[:16]
    suffix = ".safetensors" if pickled else path.suffix
    target = folder / f"{path.stem}-{key}{suffix}"
    if target.is_file():
        return target
    if not archived:
        convert(source, target)
    elif not pickled:
        unpack(source, member, target)
    else:
        loose = target.with_suffix(path.suffix)
        try:
            unpack(source, member, loose)
            convert(loose, target)
        finally:
            loose.unlink(missing_ok=True)
    for old in folder.glob(f"{path.stem}-{'?' * len(key)}{suffix}"):
        if old != target:
            old.unlink()
    return target


def _find(tar: tarfile.TarFile, archive: Path, member: str) -> tarfile.TarInfo:
    wanted, found = PurePosixPath(member).parts, []
    for info in tar:
        path = PurePosixPath(info.name)
        if path.is_absolute() or ".." in path.parts or "\\" in info.name:
            raise UnsafeFile(
                f"{archive} was not opened: it holds {info.name}, which points outside of it. "
                "Use the file of the source named in the manifest."
            )
        if path.parts[-len(wanted) :] == wanted:
            found.append(info)
    if len(found) != 1:
        many = f"{len(found)} files {member}" if found else f"no file {member}"
        raise UnsafeFile(f"{archive} holds {many}; is it the right file?")
    if not found[0].isreg():
        raise UnsafeFile(f"{archive}: {member} is a link or no plain file, so it was not read.")
    return found[0]
