"""The import graph of the package: which modules a room runs, and a hash of their code and data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import svad

BY_VALUE = "config/"  # this room is not part of a hash: settings count by their values
IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]+(\((?:#.*|[^)#])*\)|.*)", re.MULTILINE
)
FOR_ANNOTATIONS = re.compile(
    r"^([ \t]*)if TYPE_CHECKING:.*\n(?:\1[ \t]+.*\n|[ \t]*\n)*", re.MULTILINE
)
COMMENT = re.compile(r"#.*")


class ImportGraph:
    """The modules of a package folder and what they import; every file is read once."""

    def __init__(self, package: Path) -> None:
        self.package = Path(package)
        files = [path for path in self.package.rglob("*") if "__pycache__" not in path.parts]
        # by their dotted names: paths are slow to put together and to compare
        self._modules = {self._name(path): path for path in files if path.suffix == ".py"}
        self._data = [path for path in files if path.suffix != ".py" and path.is_file()]
        self._rooms = {path: self._room(path) for path in files}
        self._next: dict[Path, frozenset[Path]] = {}
        self._hashes: dict[Path, str] = {}

    def reached(self, start: Iterable[Path]) -> frozenset[Path]:
        """All modules of the package that run when those of `start` do, `start` included."""
        seen: set[Path] = set()
        waiting = list(start)
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen.add(module)
                waiting += self._imports(module)
        return frozenset(seen)

    def of_room(self, room: str, parts: Iterable[str] = ()) -> frozenset[Path]:
        """What a room and further modules, given by their dotted names, run.

        Raises ValueError for a room without modules and for a part that is no module.
        """
        start = {path for path in self._modules.values() if self._rooms[path] == room}
        if not start:
            raise ValueError(f"there is no room {room} in {self.package}")
        for part in parts:
            if part not in self._modules:
                raise ValueError(f"{part} is no module of {self.package}")
            start |= self._files(part)
        return self.reached(start)

    def fingerprint(self, room: str, parts: Iterable[str] = ()) -> str:
        """Changes whenever code that the room runs changes, or data in a room that it reaches."""
        modules = self.of_room(room, parts)
        rooms = {self._rooms[path] for path in modules}
        data = {path for path in self._data if self._rooms[path] in rooms}
        lines = (self._line(path) for path in sorted(modules | data))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def _name(self, module: Path) -> str:
        """The dotted name a module is imported by; that of its folder for an `__init__.py`."""
        inner = module.relative_to(self.package).with_suffix("").parts
        return ".".join((self.package.name, *inner)).removesuffix(".__init__")

    def _room(self, path: Path) -> str:
        return path.relative_to(self.package).parts[0]

    def _line(self, path: Path) -> str:
        """Name and hash of a file; nothing for what counts by its values."""
        name = path.relative_to(self.package).as_posix()
        if name.startswith(BY_VALUE):
            return ""
        if path not in self._hashes:
            self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return f"{name} {self._hashes[path]}\n"

    def _imports(self, module: Path) -> frozenset[Path]:
        if module not in self._next:
            names = imported(module)
            self._next[module] = frozenset(path for name in names for path in self._files(name))
        return self._next[module]

    def _files(self, name: str) -> set[Path]:
        """The files that run when a name is imported: its module and the packages it lies in.

        The package as a whole is not among them: its own file only says the version.
        """
        words = name.split(".")
        names = (".".join(words[:depth]) for depth in range(2, len(words) + 1))
        return {self._modules[part] for part in names if part in self._modules}


@cache
def own_graph() -> ImportGraph:
    """The graph of the package that is running, as it lies on the disk."""
    return ImportGraph(Path(svad.__file__).parent)


def imported(module: Path) -> Iterator[str]:
    """All names a file imports, inside functions too; not those for annotations only.

    Reads lines, as parsing each file would cost a run a second: one statement a line, which the
    formatter sees to. Text that looks like an import may add a name, none is lost.
    """
    text = FOR_ANNOTATIONS.sub("", module.read_text(encoding="utf-8"))
    for base, listed in IMPORT.findall(text):
        names = COMMENT.sub("", listed).strip("()\n ").split(",")
        words = [name.split()[0] for name in names if name.strip()]
        if base:
            yield base
            words = [f"{base}.{word}" for word in words]
        yield from words
