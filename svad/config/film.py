"""Which pictures measure the avatar instead of training it."""

from __future__ import annotations

from dataclasses import dataclass

from svad.core.ranges import Checked, within


@dataclass(frozen=True, kw_only=True)
class FilmConfig(Checked):
    """The person's pose in every picture."""

    # every so many frames are kept from the training, to measure it; 0 = none
    holdout: int = within(0, 2, 1000, or_zero=True)

    def held_out(self, count: int) -> list[int]:
        """Which of `count` frames are kept from the training; never the first, the front."""
        return list(range(self.holdout, count, self.holdout)) if self.holdout else []
