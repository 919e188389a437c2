"""Settings with a range: declared beside each field, checked once, when a dataclass is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, cast

from svad.core.errors import SettingError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SHOWN = 40  # characters of a wrong value that its sentence repeats
_RANGE = "range"  # key of a field's metadata


@dataclass(frozen=True)
class Range:
    """What a number may be, ends included; a tuple's numbers each."""

    low: float
    high: float
    or_zero: bool = False  # 0 has a meaning of its own, such as "none"
    whole: bool = True
    count: int = 0  # of a tuple; 0 = a single number

    def holds(self, value: object) -> bool:
        """Whether a value is of the right kind and inside."""
        if self.count:
            parts = value if isinstance(value, tuple) else ()
            return len(parts) == self.count and all(map(self._holds, parts))
        return self._holds(value)

    def _holds(self, value: object) -> bool:
        kind = Integral if self.whole else Real
        if isinstance(value, bool) or not isinstance(value, kind):
            return False
        # not a number is neither below nor above anything, so it is in no range
        return bool(self.low <= value <= self.high) or (self.or_zero and value == 0)  # type: ignore[operator]

    def __str__(self) -> str:
        zero = "0 or " if self.or_zero else ""
        kind = "a whole number" if self.whole else "a number"
        if self.count:
            kind = f"{self.count} {'whole ' if self.whole else ''}numbers, each"
        return f"{zero}{kind} from {_plain(self.low)} to {_plain(self.high)}"


@dataclass(frozen=True)
class Choice:
    """The words a setting may be."""

    words: tuple[str, ...]

    def holds(self, value: object) -> bool:
        """Whether a value is one of the words."""
        return value in self.words

    def __str__(self) -> str:
        return f"one of {', '.join(self.words)}"


@dataclass(frozen=True)
class Switch:
    """Yes or no."""

    def holds(self, value: object) -> bool:
        """Whether a value is one of the two."""
        return isinstance(value, bool)

    def __str__(self) -> str:
        return "true or false"


def within(default: Any, low: float, high: float, *, or_zero: bool = False) -> Any:
    """A field for a number, or a tuple of numbers, from `low` to `high`.

    Whole numbers only where the default is whole. `or_zero`: 0 may stand below the range.
    """
    first = default[0] if isinstance(default, tuple) else default
    count = len(default) if isinstance(default, tuple) else 0
    limits = Range(low, high, or_zero, isinstance(first, int), count)
    return field(default=default, metadata={_RANGE: limits})


def one_of(default: str, words: Sequence[str]) -> Any:
    """A field for one of some words."""
    return field(default=default, metadata={_RANGE: Choice(tuple(words))})


class Checked:
    """Base of a dataclass of settings: none can be made with a value outside its range."""

    def __post_init__(self) -> None:
        for entry in fields(cast("DataclassInstance", self)):
            limits, value = limits_of(entry), getattr(self, entry.name)
            if limits is not None and not limits.holds(value):
                raise SettingError(f"{entry.name} must be {limits}, not {shown(value)}.")

    def require_valid(self) -> None:
        """Raises `SettingError` for settings that do not go together, here or in a group below.

        Apart from the ranges, since settings are changed one after another.
        """
        for entry in fields(cast("DataclassInstance", self)):
            group = getattr(self, entry.name)
            if isinstance(group, Checked):
                group.require_valid()


def limits_of(entry: Field[Any]) -> Range | Choice | Switch | None:
    """What a dataclass's field may be; None for groups, texts, and other fields without a range."""
    return Switch() if isinstance(entry.default, bool) else entry.metadata.get(_RANGE)


def shown(value: object) -> str:
    """A wrong value, as its sentence repeats it."""
    text = str(value)
    if not text or value == ():
        return "nothing"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _plain(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number}"
