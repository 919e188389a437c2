"""Errors a person may meet; each says what was expected, what came and what to do."""

from __future__ import annotations


class SvadError(Exception):
    """Base of every expected failure; `str(error)` is a sentence to show to the person."""


class PhotoError(SvadError):
    """The photo cannot be used; the message says why and what would work."""


class SourceError(SvadError):
    """Photos or clips that no avatar can be made from together."""


class SettingError(SvadError):
    """A setting that does not exist, or a value that does not fit it."""


class OutputError(SvadError):
    """The output folder cannot be written to."""


class JobError(SvadError):
    """A job folder is damaged, busy, or made by a newer version."""


class Stopped(SvadError):
    """The person pressed stop; what was finished is kept."""


class MissingFile(SvadError):
    """A file the chosen settings need is absent.

    The message names the file, where it comes from and under which terms.
    """

    def __init__(self, name: str, source: str, terms: str, advice: str = "") -> None:
        self.name, self.source, self.terms = name, source, terms
        text = f"{name} is missing. It comes from {source}, under these terms: {terms}."
        super().__init__(f"{text} {advice}".strip())


class MissingWeights(MissingFile):
    """A pretrained file is absent."""


class NothingToDo(SvadError):
    """A stage that a run can do without has no work, or lacks its files; the sentence says why."""
