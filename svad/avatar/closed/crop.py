"""Frames of a clip cropped and shrunk to what the avatar can learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from svad.geometry.camera import Camera
from svad.media.images import resize
from svad.types import Clip

HEIGHT = 768  # px; the avatar's Gaussians are as fine as the photo, which has about as many
MARGIN = 8  # px around the person


def cropped(
    clip: Clip,
    frames: Sequence[int],  # of the clip
    height: int = HEIGHT,  # px
) -> Clip:
    """These frames alone, at most `height` high, cut to what the person covers in any of them."""
    factor = min(1.0, height / clip.rgb.shape[1])
    views = [clip.cameras[i].resized(factor) for i in frames]
    size = views[0].width, views[0].height
    mattes = np.stack([resize(clip.matte[i], *size) for i in frames])
    rows, columns = (_span((mattes > 0).any(0).any(axis)) for axis in (1, 0))
    pictures = np.stack([resize(clip.rgb[i], *size)[rows, columns] for i in frames])
    return Clip(
        rgb=pictures,
        matte=mattes[:, rows, columns],
        poses=clip.poses[list(frames)],
        cameras=tuple(_cut(view, rows, columns) for view in views),
        weight=clip.weight[list(frames)],
        yaw=clip.yaw[list(frames)],
        start=clip.start,
    )


def _span(seen: np.ndarray) -> slice:  # [n] bool
    """From the first to the last, with a margin; everything where nothing is seen."""
    at = np.flatnonzero(seen)
    if not len(at):
        return slice(0, len(seen))
    return slice(max(0, int(at[0]) - MARGIN), min(len(seen), int(at[-1]) + 1 + MARGIN))


def _cut(camera: Camera, rows: slice, columns: slice) -> Camera:
    """The camera of a part of its picture."""
    return replace(
        camera,
        center=(camera.center[0] - columns.start, camera.center[1] - rows.start),
        width=columns.stop - columns.start,
        height=rows.stop - rows.start,
    )
