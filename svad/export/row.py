"""A row of the table of export formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from svad.config.package import PackageConfig
    from svad.export.context import ExportContext


@dataclass(frozen=True, kw_only=True)
class Format:
    """One thing a person takes home: a file, or a folder of pictures."""

    name: str  # by which code and job cards know it
    file: str  # its name at the top of the job folder, and in the archive
    title: str  # for a person, on the page
    loses: str  # what of the avatar is not in it, a sentence for a person
    note: str  # what the progress says
    write: Callable[[ExportContext, Path], None]
    # Names of the files inside, for a format that is a folder; none = the settings leave it out.
    parts: Callable[[PackageConfig], tuple[str, ...]] | None = None
    steps: Callable[[PackageConfig], int] | None = None  # of the progress; None = one per file
    beside: bool = False  # written on another thread while the rows after it are
    gathers: bool = False  # on another thread from the start: waits for each file that it packs
    packed: int | None = None  # place in the archive, the lowest first; None = not in it
    # What the archive's README says of it; may name {count}, {expressions} and {motions}.
    about: str = ""
    shown: int | None = None  # place in the page's list of files; None = not in it
    asked: bool = False  # not written by a run, only when somebody asks for it
    bones: bool = False  # its joints can have the names of other programs
    moves: bool = False  # motions can be put into it

    def files(self, settings: PackageConfig) -> tuple[str, ...]:
        """The names of its files within the job folder; none when the settings leave it out."""
        if self.parts is None:
            return (self.file,)
        return tuple(f"{self.file}/{part}" for part in self.parts(settings))

    def count(self, settings: PackageConfig) -> int:
        """The steps of the progress that writing it takes."""
        return len(self.files(settings)) if self.steps is None else self.steps(settings)
