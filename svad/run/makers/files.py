"""Files of an avatar, read and written by the rooms that know their formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svad.config.package import PackageConfig
from svad.media.shot import STILL, Shot
from svad.run.motions import KEPT, VIEWED, VRMA, keep_motion
from svad.types import Avatar, Report, Subject

if TYPE_CHECKING:
    from svad.export.options import MeshOptions
    from svad.export.row import Format
    from svad.motion.motion import Motion

STILL_VIEWS = 8  # around the person, where somebody asks for them later


@dataclass(frozen=True)
class Loaded:
    """A finished avatar, wherever it was read from."""

    avatar: Avatar
    card: dict[str, Any]
    subject: Subject | None  # with the photo; None where it was not kept
    folder: Path  # where a file goes that is given no place


def packed_avatar(rig: bytes, glb: bytes) -> Avatar:
    """The avatar in the files of an archive; raises `AvatarFileError`."""
    from svad.export.reading import read_avatar

    return read_avatar(rig, glb)


def rig_avatar(path: Path) -> Avatar:
    """The avatar in a rig, or in an archive with one; raises `AvatarFileError`."""
    from svad.export.rig_reader import read_rig

    return read_rig(path)


def write_format(
    row: Format, found: Loaded, asked: MeshOptions, path: Path, report: Report
) -> None:
    """Writes one row of the table of export formats; raises what its writer does."""
    import torch

    from svad.export.context import ExportContext, ExportProgress

    settings = PackageConfig(views=STILL_VIEWS)
    context = ExportContext(
        avatar=found.avatar,
        size=(found.avatar.camera.width, found.avatar.camera.height),
        settings=settings,
        card=found.card,
        folder=found.folder,
        progress=ExportProgress(report, row.count(settings)),
        subject=found.subject,
        asked=asked,
    )
    with torch.inference_mode(), context.progress.of(row.name, row.note, row.count(settings)):
        report(0, row.count(settings), row.note)
        row.write(context, path)


def write_moving(
    avatar: Avatar, motion: Motion, output: Path, shot: Shot, report: Report | None
) -> Path:
    """The avatar in motion; under the ending of a motion's file that is kept as data instead.

    Raises `OutputError`.
    """
    if output.suffix.lower() == VIEWED:
        from svad.export.viewer_motions import write_viewer_motion

        return write_viewer_motion(output, avatar, motion)
    if output.suffix.lower() == VRMA:
        from svad.export.vrma import write_vrma

        return write_vrma(output, avatar, motion)
    if output.suffix.lower() in KEPT:
        from svad.motion.recorded import Recorded

        return keep_motion(Recorded.of(motion, avatar), output)
    from svad.avatar.shots import film
    from svad.media.movie import write_movie

    made = film(avatar, motion, shot, report, still=output.suffix.lower() == STILL)
    write_movie(output, made.frames, made.fps)
    return output
