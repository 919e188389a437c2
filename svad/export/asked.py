"""The export formats that are made when somebody asks for them: rows and their writers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from svad.export.row import Format

if TYPE_CHECKING:
    from svad.export.context import ExportContext

MESH_STEPS = 100  # in which the textured mesh tells how far it is
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


def _textured(context: ExportContext, path: Path) -> None:
    from svad.export.glb import write_textured

    write_textured(context, path)


def _obj(context: ExportContext, path: Path) -> None:
    from svad.export.obj import write_obj

    write_obj(context, path)


def _vrm(context: ExportContext, path: Path) -> None:
    from svad.export.vrm import write_vrm

    write_vrm(context, path)


ASKED = (
    Format(
        name="textured",
        file="avatar-textured.glb",
        title="Closed mesh with a picture, skeleton, face shapes and motions, for Unity and Unreal",
        loses="The Gaussians and what a pose changes: hair and cloth are one surface.",
        note="Textured mesh; this takes a while",
        write=_textured,
        steps=lambda _: MESH_STEPS,
        asked=True,
        bones=True,
        moves=True,
    ),
    Format(
        name="vrm",
        file="avatar.vrm",
        title="VRM 1.0 avatar, for video chat, VTuber programs and games",
        loses="The Gaussians and what a pose changes; eyes look by moving the face's surface.",
        note="VRM avatar; this takes a while",
        write=_vrm,
        steps=lambda _: MESH_STEPS,
        asked=True,
        moves=True,
    ),
    Format(
        name="obj",
        file="avatar-obj.zip",
        title="Closed mesh with a picture in the A-pose: .obj, .mtl and .png, for 3D print, ZBrush",
        loses="Skeleton, face shapes, motions and the Gaussians.",
        note="Textured mesh; this takes a while",
        write=_obj,
        steps=lambda _: MESH_STEPS,
        asked=True,
    ),
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
