"""The choices of the restoration: which faces, how they are cut and pasted, how frames grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from svad.config.restoration import RestorationConfig
from svad.restoration import align, background, faces, paste, published
from svad.restoration.faces import FramedFace
from svad.restoration.paste import RestoredFace
from svad.restoration.upsampler import Upsampler
from svad.types import Clip


class Enlarged(Protocol):
    """The frames of one clip at the larger size, before any face is pasted."""

    def frames(
        self, numbers: Sequence[int], tick: Callable[[], None]
    ) -> Iterator[tuple[int, np.ndarray]]:  # number, [height, width, 3] uint8
        """The frames with these numbers, in an order of its own."""
        ...


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way of the stage from a clip to a restored one."""

    # (frame, its five points [5, 2] or None, matte [H, W], smallest px) -> face, or why not
    framed: Callable[[int, np.ndarray | None, np.ndarray, float], FramedFace | str]
    # (frame [H, W, 3], matrix [2, 3]) -> [512, 512, 3]
    crop: Callable[[np.ndarray, np.ndarray], np.ndarray]
    # (enlarged frame [H, W, 3], faces, ratio of sizes x, y) -> the frame with its faces
    paste: Callable[[np.ndarray, Sequence[RestoredFace], tuple[float, float]], np.ndarray]
    # (clip, size (height, width), network)
    enlarged: Callable[[Clip, tuple[int, int], Upsampler | None], Enlarged]


IMPROVED = Method(
    framed=faces.framed,
    crop=align.crop,
    paste=paste.paste,
    enlarged=background.Background,
)
PUBLISHED = Method(
    framed=published.framed,
    crop=published.crop,
    paste=published.paste,
    enlarged=published.Background,
)


def method_of(config: RestorationConfig) -> Method:
    """The method that the settings ask for."""
    return PUBLISHED if config.strict else IMPROVED
