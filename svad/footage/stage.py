"""Chooses the pictures an avatar is made from and looks at each: matte, key points, side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from svad.config.footage import FootageConfig
from svad.footage.clip import from_clip
from svad.footage.eyes import Eyes
from svad.footage.photos import from_photos
from svad.types import Footage, Report, Source


class FootageStage:
    """Looks through what a person sent; keep one per process, its models are loaded once."""

    def __init__(self, config: FootageConfig, eyes: Callable[[], Eyes]) -> None:
        self._config, self._eyes = config, cache(eyes)

    def run(self, source: Source, report: Report) -> Footage:
        """The pictures with what is seen in each; a single one where there is no more to see.

        Raises `SourceError` for pictures without a usable person or of several, `VideoError` for a
        clip that cannot be read.
        """
        report(0, 1000, "looking for the person")
        if source.clip is not None:
            return from_clip(source.clip, self._config, self._eyes(), report)
        return from_photos(source.photos, self._config, self._eyes(), report)
