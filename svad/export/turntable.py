"""Writes the turntable: a video of the avatar from all sides."""

from __future__ import annotations

from pathlib import Path

from svad.export.context import ExportContext
from svad.export.thin import on_head, thinned
from svad.media.video import write_mp4
from svad.splat.scene import turntable

FPS = 24.0
# Gaussians enough for pictures up to that height, px: 43 dB from all, in three quarters of the time
ENOUGH, TALL = 240_000, 720


def write_turntable(context: ExportContext, path: Path) -> None:
    """Once around the standing avatar, as .mp4."""
    settings, standing = context.settings, context.standing
    if settings.turntable_height <= TALL and len(standing) > ENOUGH:
        shown = thinned(standing, on_head(context.avatar), ENOUGH)
    else:
        shown = context.drawn
    frames = turntable(shown, settings.turntable_frames, settings.turntable_height)
    write_mp4(path, context.progress.each(frames), FPS, crf=16)
