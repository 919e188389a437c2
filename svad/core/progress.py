"""Progress inside a stage: shares of a bar for its parts, and a counter of its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Report = Callable[..., None]
"""`report(done, total, note, picture=None)`: how a stage tells its progress.

`done` and `total` are counts, `note` a short phrase for a person, `picture` an [H, W, 3] uint8
thumbnail. It raises `svad.core.errors.Stopped` when the person wants to stop, so call it at least
once a second.
"""


def silent(*_: object, **__: object) -> None:
    """A report for work that nobody watches."""


def part(report: Report, first: int, last: int, total: int, name: str = "") -> Report:
    """A report for a part of the work, which fills `first` to `last` of the whole's `total`.

    What the part tells as done may be a fraction; the whole is told in whole steps. A `name` goes
    before each note of the part.
    """

    def told(done: float, of: float, note: str, picture: np.ndarray | None = None) -> None:
        named = f"{name}, {note}" if name else note
        report(first + int((last - first) * done / max(of, 1)), total, named, picture)

    return told


@dataclass
class StepCounter:
    """Counts steps of a stage and tells them; the total may be set as soon as it is known."""

    report: Report
    total: int = 1
    done: int = 0

    def tell(
        self,
        note: str,
        picture: np.ndarray | None = None,  # [H, W, 3] uint8
        ahead: float = 0,
    ) -> None:
        """Tells how far the work is, `ahead` steps into what is being done."""
        self.report(min(int(self.done + ahead), self.total), self.total, note, picture)

    def next(
        self,
        note: str,
        picture: np.ndarray | None = None,  # [H, W, 3] uint8
    ) -> None:
        """One more step is done, as `picture` shows."""
        self.done += 1
        self.tell(note, picture)
