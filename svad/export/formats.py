"""The export formats: one row per file a person takes home, and the writer of each.

The order of the rows is the order in which they are begun; the archive is begun with the first and
waits for each file that goes into it. The rows that a run does not write follow from `asked`. The
job folder and the page read this table as well, and must start without torch: so writers are
imported when they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from svad.core.files import write_bytes
from svad.export.asked import ASKED
from svad.export.row import Format

if TYPE_CHECKING:
    from svad.config.package import PackageConfig
    from svad.export.context import ExportContext


def _front(context: ExportContext, path: Path) -> None:
    from svad.export.stills import write_front

    write_front(context, path)


def _views(context: ExportContext, path: Path) -> None:
    from svad.export.stills import write_views

    write_views(context, path)


def _poses(context: ExportContext, path: Path) -> None:
    from svad.export.stills import write_poses

    write_poses(context, path)


def _turntable(context: ExportContext, path: Path) -> None:
    from svad.export.turntable import write_turntable

    write_turntable(context, path)


def _ply(context: ExportContext, path: Path) -> None:
    from svad.splat.files import as_captured, save_ply

    save_ply(path, as_captured(context.standing))


def _viewer(context: ExportContext, path: Path) -> None:
    from svad.export.viewer import write_viewer

    write_viewer(context, path)


def _viewer_rig(context: ExportContext, path: Path) -> None:
    write_bytes(path, context.viewer_rig)


def _viewer_page(context: ExportContext, path: Path) -> None:
    from svad.export.viewer_page import write_viewer_page

    write_viewer_page(context, path)


def _rig(context: ExportContext, path: Path) -> None:
    from svad.export.rig import write_rig

    write_rig(context, path)


def _glb(context: ExportContext, path: Path) -> None:
    from svad.export.glb import write_glb

    write_glb(context, path)


def _archive(context: ExportContext, path: Path) -> None:
    from svad.export.archive import pack

    pack(context, packed_formats(), path)


def _view_names(settings: PackageConfig) -> tuple[str, ...]:
    return tuple(f"{number:03}.png" for number in range(settings.views))


def _pose_names(settings: PackageConfig) -> tuple[str, ...]:
    from svad.motion.stills import POSES

    return tuple(f"{name}.png" for name in POSES) if settings.views else ()


_ROWS = (
    Format(
        name="front",
        file="front.png",
        title="The avatar as in the photo",
        loses="Everything but one view: it is a picture.",
        note="Front view",
        write=_front,
    ),
    Format(
        name="views",
        file="views",
        title="Pictures from all sides",
        loses="Depth and movement: they are pictures.",
        note="Views",
        write=_views,
        parts=_view_names,
    ),
    Format(
        name="poses",
        file="poses",
        title="Pictures in other poses",
        loses="Depth and movement: they are pictures.",
        note="Poses",
        write=_poses,
        parts=_pose_names,
    ),
    Format(
        name="turntable",
        file="turntable.mp4",
        title="Turntable video",
        loses="Depth and movement: it is a video of one pose.",
        note="Turntable",
        write=_turntable,
        steps=lambda settings: settings.turntable_frames,
        beside=True,
        packed=4,
        about="The avatar from all sides.",
        shown=1,
    ),
    Format(
        name="ply",
        file="avatar.ply",
        title="Gaussian splats, for splat viewers",
        loses="Skeleton and expressions: it stands in one pose.",
        note="Gaussians",
        write=_ply,
        packed=1,
        about="""\
{count} Gaussians in the A-pose, with the soles at y = 0. Standard 3D Gaussian
Splatting file (binary, colour without view dependence). As in files of
captured scenes y points down here, so that it stands upright and faces you in
SuperSplat and other viewers. To have it as the other files: (-x, -y, z).""",
        shown=3,
    ),
    Format(
        name="rig",
        file="avatar.safetensors",
        title="Gaussians at rest with skeleton, weights and expressions, for programs",
        loses="The mesh; sizes, turns and colours are rounded to 16 bits.",
        note="Skeleton",
        write=_rig,
        packed=2,
        about="""\
The same Gaussians, in the same order, in the rest pose (arms to the sides),
with joints, skinning weights and expression directions. Its metadata
describes every array.""",
    ),
    Format(
        name="viewer",
        file="viewer.splat",
        title="Light splat copy, as the page shows it",
        loses="Skeleton and expressions; colours and turns have 8 bits, large avatars are thinned.",
        note="Copy for the page",
        write=_viewer,
        shown=4,
    ),
    Format(
        name="moving",
        file="viewer.rig",
        title="The avatar with its motions, as the page moves it",
        loses="What a pose changes beyond skinning; numbers have 8 to 16 bits, large avatars are "
        "thinned.",
        note="Moving copy for the page",
        write=_viewer_rig,
    ),
    Format(
        name="html",
        file="viewer.html",
        title="A page that shows the avatar and moves it, without a server or a network",
        loses="What a pose changes beyond skinning; numbers have 8 to 16 bits, large avatars are "
        "thinned.",
        note="Page that moves",
        write=_viewer_page,
        packed=5,
        about="""\
Open it with a browser: the avatar moves, with its motions and with sliders for
head, arms and face. All is inside; it asks nothing of the network.""",
        shown=5,
    ),
    Format(
        name="glb",
        file="avatar.glb",
        title="Skinned mesh with skeleton, for Blender and game engines",
        loses="The Gaussians: a closed mesh with a colour per vertex takes their place.",
        note="Mesh",
        write=_glb,
        bones=True,
        moves=True,
        packed=3,
        about="""\
The coloured mesh with skeleton, {expressions} facial morph targets and the
animations {motions}. For Blender, game engines and the web.""",
        shown=2,
    ),
    Format(
        name="archive",
        file="avatar.zip",
        title="Everything to take home in one file",
        loses="The copies for the page and the still pictures.",
        note="Archive",
        write=_archive,
        gathers=True,
    ),
)
FORMATS = {row.name: row for row in _ROWS}  # what a run writes
EVERY = FORMATS | {row.name: row for row in ASKED}  # and what is made when asked for


def packed_formats() -> list[Format]:
    """Those in the archive, in its order."""
    return _placed(lambda row: row.packed)


def shown_formats() -> list[Format]:
    """Those in the page's list of files, in its order."""
    return _placed(lambda row: row.shown)


def _placed(place: Callable[[Format], int | None]) -> list[Format]:
    found = [(at, row) for row in _ROWS if (at := place(row)) is not None]
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]
