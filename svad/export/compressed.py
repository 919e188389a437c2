"""Writes Gaussians in packed forms, through a library that may be absent."""

from __future__ import annotations

from pathlib import Path

from svad.core.errors import MissingFile, OutputError
from svad.core.files import write_bytes
from svad.export.context import ExportContext
from svad.splat.files import as_captured, ply_bytes
from svad.splat.gaussians import half_turn

LIBRARY = ("gaussforge", "PyPI", "Apache License 2.0")
ADVICE = "Install it with: pip install gaussforge. The .ply, .splat and .glb need no library."
UPRIGHT = ("spz",)  # y points up in these, which the library leaves to its caller


def write_compressed(context: ExportContext, path: Path) -> None:
    """The standing avatar as .spz or .sog, by the ending of `path`.

    Read by programs that know the axes of the format, it lies as in avatar.ply. Raises
    `MissingFile` without the library, `OutputError` when it cannot pack the Gaussians.
    """
    try:
        from gaussforge import GaussForge
    except ImportError as error:
        raise MissingFile(*LIBRARY, ADVICE) from error
    kind = path.suffix[1:]
    gaussians = as_captured(context.standing)
    if kind in UPRIGHT:
        gaussians = half_turn(gaussians, 0)
    answer = GaussForge().convert(ply_bytes(gaussians), "ply", kind)
    if "data" not in answer:
        raise OutputError(f"{path.name} could not be packed: {answer.get('error', 'no reason')}.")
    write_bytes(path, answer["data"])
