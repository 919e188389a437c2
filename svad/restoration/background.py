"""Upscaled frames of a clip before any face is pasted; the person's box by the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from svad.restoration.enlarge import enlarge_sharpened
from svad.restoration.upsampler import Upsampler, aligned_box
from svad.types import Clip

PHOTO = 0  # the frame that is the photo; its pose differs from the others', so its box does too


class Background:
    """Enlarges frames, with the network inside the person's box if there is one."""

    def __init__(
        self,
        clip: Clip,
        size: tuple[int, int],  # height, width
        upsampler: Upsampler | None,
    ) -> None:
        self._clip, self._size, self._upsampler = clip, size, upsampler
        self._boxes = {
            True: aligned_box(clip.matte[: PHOTO + 1]),
            False: aligned_box(clip.matte[PHOTO + 1 :]) if len(clip.matte) > 1 else None,
        }

    def frames(
        self,
        numbers: Sequence[int],
        tick: Callable[[], None],  # called before each frame and each call of the network
    ) -> Iterator[tuple[int, np.ndarray]]:  # number, [height, width, 3] uint8
        """The frames with these numbers, in the same order except that the photo comes first."""
        for photo in (True, False):
            yield from self._alike(photo, [t for t in numbers if (t == PHOTO) == photo], tick)

    def _alike(
        self, photo: bool, numbers: list[int], tick: Callable[[], None]
    ) -> Iterator[tuple[int, np.ndarray]]:
        box = self._boxes[photo]
        if self._upsampler is None or box is None:
            for t in numbers:
                tick()
                yield t, enlarge_sharpened(self._clip.rgb[t], self._size)
            return
        together = self._upsampler.together(box)
        for start in range(0, len(numbers), together):
            part = numbers[start : start + together]
            large = self._upsampler.enlarge(self._clip.rgb[part], self._size, box, tick)
            yield from zip(part, large, strict=True)
