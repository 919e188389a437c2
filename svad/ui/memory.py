"""What was seen of the latest pictures, so that a run need not look again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from svad.types import Footage

if TYPE_CHECKING:
    from svad.subject.look import Look

MOST = 4  # visitors
MOST_FOOTAGES = 2  # of them with many pictures, a hundred megabytes each


class Memory:
    """The latest looks, by job; older ones are forgotten."""

    def __init__(self) -> None:
        self._seen: dict[str, Look | Footage] = {}
        self._lock = threading.Lock()

    def keep(self, job: str, seen: Look | Footage) -> None:
        """Keeps one, in place of the oldest."""
        with self._lock:
            self._seen[job] = seen
            large = [key for key, one in self._seen.items() if isinstance(one, Footage)]
            for old in {*list(self._seen)[:-MOST], *large[:-MOST_FOOTAGES]}:
                del self._seen[old]

    def take(self, job: str) -> Look | Footage | None:
        """What was seen for a job; it is forgotten then."""
        with self._lock:
            return self._seen.pop(job, None)
