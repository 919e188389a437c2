"""Windows of frames: which frames each call of the video UNet sees."""

from __future__ import annotations

import math
from collections.abc import Iterator


def padded_frames(frames: int, context: int, overlap: int) -> int:
    """Length to which a clip is padded so that windows fit without a rest.

    A clip shorter than a window is only padded to a length that is congruent to one.
    """
    stride = context - overlap
    return frames + (stride - (frames - context) % stride) % stride


def ordered_halving(step: int) -> float:
    """The 64 bits of a number reversed, as a fraction of 2^64: 0, 1/2, 1/4, 3/4, ..."""
    return int(f"{step:064b}"[::-1], 2) / 2**64


def windows(
    frames: int,
    context: int,
    overlap: int,
    *,
    stride: int = 1,  # 2^(stride - 1) is the widest spacing of frames in a window
    step: int = 0,  # shifts the windows
    closed_loop: bool = False,  # the last window joins the first
) -> list[list[int]]:
    """Frame indices of each window; a window that reaches over the end wraps to frame 0.

    The uniform schedule of AnimateDiff's long videos; a clip of at most `context` frames has
    one window.
    """
    if frames <= context:
        return [list(range(frames))]
    return list(_uniform(frames, context, overlap, stride, step, closed_loop))


def _uniform(
    frames: int, context: int, overlap: int, stride: int, step: int, closed_loop: bool
) -> Iterator[list[int]]:
    spacings = min(stride, math.ceil(math.log2(frames / context)) + 1)
    fraction = ordered_halving(step)
    offset = round(frames * fraction)
    end = frames + offset - (0 if closed_loop else overlap)
    for spacing in (2**p for p in range(spacings)):
        for start in range(int(fraction * spacing) + offset, end, context * spacing - overlap):
            yield [(start + i * spacing) % frames for i in range(context)]
