"""Messages from a worker process: progress, result, and errors that keep their class.

An error crosses as names and plain values, never as a pickled exception: the other side makes it
anew, and only if its class is one of this package's.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svad.core.errors import SvadError

if TYPE_CHECKING:
    import numpy as np

OURS = SvadError.__module__.partition(".")[0]
PLAIN = (bool, int, float, str, Path, type(None))


@dataclass(frozen=True)
class Progress:
    """What the work told its `report`."""

    done: int
    total: int
    note: str
    picture: np.ndarray | None = None  # [H, W, 3] uint8


@dataclass(frozen=True)
class Alive:
    """A sign of life while the work is silent."""


@dataclass(frozen=True)
class Finished:
    """The work is done."""

    value: Any  # what it returned
    seconds: float  # it took, from when the GPU was there


@dataclass(frozen=True)
class Failed:
    """The work raised a `SvadError`."""

    module: str  # of the error's class
    name: str
    sentence: str
    fields: tuple[tuple[str, Any], ...]  # the error's attributes that are plain values

    @classmethod
    def of(cls, error: SvadError) -> Failed:
        """The message about an error; one of a class defined elsewhere goes by its nearest base."""
        known = next(kind for kind in type(error).__mro__ if _is_ours(kind))
        plain = ((key, value) for key, value in vars(error).items() if _is_plain(value))
        return cls(known.__module__, known.__name__, str(error), tuple(plain))

    def error(self) -> SvadError:
        """The error again: same class, sentence and fields. Its constructor is not called."""
        found: Any = None
        if self.module.partition(".")[0] == OURS:
            found = getattr(import_module(self.module), self.name, None)
        kind = found if isinstance(found, type) and issubclass(found, SvadError) else SvadError
        error = kind.__new__(kind, self.sentence)
        error.args = (self.sentence,)
        vars(error).update(self.fields)
        return error


Message = Progress | Alive | Finished | Failed


def _is_ours(kind: type) -> bool:
    """Whether the class can be found again by its module and name."""
    return kind.__module__.partition(".")[0] == OURS and kind.__name__ == kind.__qualname__


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN)
