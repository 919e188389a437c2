"""Writes the turntable: a video of the avatar from all sides."""

from __future__ import annotations

from pathlib import Path

from svad.export.context import ExportContext
from svad.media.video import write_mp4
from svad.splat.scene import turntable

FPS = 24.0


def write_turntable(context: ExportContext, path: Path) -> None:
    """Once around the standing avatar, as .mp4."""
    settings = context.settings
    frames = turntable(context.drawn, settings.turntable_frames, settings.turntable_height)
    write_mp4(path, context.progress.each(frames), FPS, crf=16)
