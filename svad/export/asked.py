"""The export formats that are made when somebody asks for them: rows and their writers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from svad.export.row import Format

if TYPE_CHECKING:
    from svad.export.context import ExportContext

STANDS = "Skeleton and expressions: it stands in one pose."


def _full_ply(context: ExportContext, path: Path) -> None:
    from svad.splat.files import as_captured, save_ply

    save_ply(path, as_captured(context.standing), full=True)


def _splat(context: ExportContext, path: Path) -> None:
    from svad.splat.files import as_captured, save_splat

    save_splat(path, as_captured(context.standing))


def _compressed(context: ExportContext, path: Path) -> None:
    from svad.export.compressed import write_compressed

    write_compressed(context, path)


ASKED = (
    Format(
        name="ply-full",
        file="avatar-full.ply",
        title="Gaussian splats with all 62 properties, for programs that refuse the short form",
        loses=STANDS,
        note="Gaussians",
        write=_full_ply,
        asked=True,
    ),
    Format(
        name="splat",
        file="avatar.splat",
        title="Gaussian splats, 32 bytes each, for antimatter15's viewer and its kin",
        loses=STANDS + " Colours and turns have 8 bits.",
        note="Gaussians",
        write=_splat,
        asked=True,
    ),
    Format(
        name="spz",
        file="avatar.spz",
        title="Gaussian splats, a seventh of the size, for Spark, Babylon, PlayCanvas, SuperSplat",
        loses=STANDS + " Places are rounded to a fourth of a millimetre, colours to 8 bits.",
        note="Packing Gaussians",
        write=_compressed,
        asked=True,
    ),
    Format(
        name="sog",
        file="avatar.sog",
        title="Gaussian splats, the smallest, for PlayCanvas, SuperSplat and Spark",
        loses=STANDS + " Sizes and colours are chosen from tables of 256.",
        note="Packing Gaussians; this takes a while",
        write=_compressed,
        asked=True,
    ),
)
