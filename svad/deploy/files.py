"""The files of a checkout that a Space needs; nothing else goes up."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from svad.deploy.errors import DeployError

TOP = (
    *("app.py", "README.md", "LICENSE", "requirements.txt", "packages.txt"),
    "weights_manifest.yaml",
)
FOLDERS = ("svad", "examples", "docs")
SKIPPED = ("__pycache__", "node_modules")
PATIENCE = 20  # seconds for git


@dataclass(frozen=True)
class Upload:
    """What goes up, and what lies beside it and stays."""

    root: Path
    files: tuple[str, ...]  # paths in the checkout and in the Space
    strangers: tuple[str, ...]  # files in the same folders that git does not know: they stay

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum((self.root / path).stat().st_size for path in self.files)

    def by_place(self) -> dict[str, tuple[int, int]]:
        """Number of files and bytes, by folder or file at the top."""
        found: dict[str, tuple[int, int]] = {}
        for path in self.files:
            top = path.partition("/")[0]
            count, size = found.get(top, (0, 0))
            found[top] = count + 1, size + (self.root / path).stat().st_size
        return found


def to_upload(root: Path) -> Upload:
    """What a Space needs of the checkout at `root`; raises `DeployError` if that is none.

    Named files and folders only, so that no photo, avatar, environment or token that lies in
    the checkout goes up. Where git keeps the checkout, files it does not know stay here, too.
    """
    absent = [name for name in (*TOP, *FOLDERS) if not (root / name).exists()]
    if absent:
        raise DeployError(
            f"{root} is not a checkout of SVAD: {', '.join(absent)} is not there. Run the command "
            "with the program of a checkout (git clone), not with an installed one."
        )
    known, strangers = _of_git(root), []
    if known is None:
        known = _walked(root)
    else:
        strangers = list(_of_git(root, "--others", "--exclude-standard") or ())
    files = [p for p in known if (root / p).is_file() and not _is_link(root, p)]
    return Upload(root, tuple(sorted(files)), tuple(sorted(strangers)))


def belongs(path: str) -> bool:
    """Whether a path in a Space is one that this program put there."""
    return path in TOP or path.partition("/")[0] in FOLDERS


def _of_git(root: Path, *options: str) -> list[str] | None:
    """What git lists of these places; None where it does not keep this folder."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            timeout=PATIENCE,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return os.fsdecode(done.stdout)

    try:
        if Path(git("rev-parse", "--show-toplevel").rstrip("\n")).resolve() != root.resolve():
            return None  # a copy inside of another project
        return git("ls-files", "-z", *options, "--", *TOP, *FOLDERS).split("\0")[:-1]
    except (OSError, subprocess.SubprocessError):
        return None


def _walked(root: Path) -> list[str]:
    found = list(TOP)
    for name in FOLDERS:
        for folder, folders, files in os.walk(root / name):
            folders[:] = [f for f in folders if f not in SKIPPED and not f.startswith(".")]
            here = Path(folder).relative_to(root)
            found += [
                (here / f).as_posix() for f in files if not f.startswith(".") and f[-4:] != ".pyc"
            ]
    return found


def _is_link(root: Path, path: str) -> bool:
    parts = Path(path).parts
    return any((root / Path(*parts[: k + 1])).is_symlink() for k in range(len(parts)))
