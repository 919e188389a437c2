"""Makes the light copy of an avatar that the page shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from svad.export.context import ExportContext
from svad.export.thin import on_head, thinned
from svad.splat.files import save_splat
from svad.splat.gaussians import Gaussians, half_turn


def write_viewer(context: ExportContext, path: Path) -> None:
    """The light copy of the standing avatar as .splat."""
    detail, limit = on_head(context.avatar), context.settings.viewer_limit
    save_splat(path, viewer_copy(context.standing, detail, limit))


def viewer_copy(
    gaussians: Gaussians,  # N, posed, y up
    detail: Tensor,  # [N] bool: where people look, kept in full
    limit: int,  # at most this many Gaussians
) -> Gaussians:  # M <= limit
    """The Gaussians thinned to `limit`, centred, y down (turned by 180 degrees about x)."""
    thin = thinned(gaussians, detail, limit)
    low, high = thin.means.amin(0), thin.means.amax(0)
    return half_turn(replace(thin, means=thin.means - (low + high) / 2), 0)
