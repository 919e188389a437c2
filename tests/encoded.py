"""Videos for tests as bytes, for fixtures and stand-ins that write the same one again and again."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from svad.media.video import write_mp4


def mp4(
    frames: Sequence[np.ndarray],  # each [H, W, 3] uint8
    fps: float = 24.0,
) -> bytes:
    """What `write_mp4` writes; encoding takes longer than most tests that show a video."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "video.mp4")
        write_mp4(path, frames, fps=fps)
        return path.read_bytes()
