"""The card of a job: what it says, and whether it can be believed."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from svad import __version__
from svad.core.errors import JobError
from svad.splat.rasterisers import rasteriser

SCHEMA = 1
CARD = "job.json"
EXAMPLE = "example.json"  # in place of it where there are only the files that the page shows
RECORDED = (
    *("torch", "numpy", "numba", "mediapipe", "opencv-python", "gsplat", "warp-lang", "gradio"),
)


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a job; raises `JobError` if there is none, or none this version understands."""
    path = Path(folder) / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        give = "Give the folder of a finished avatar, or the avatar.zip in it."
        if not Path(folder).exists():
            raise JobError(f"There is no {folder}. {give}") from error
        if (Path(folder) / EXAMPLE).exists():
            photo = next(iter(sorted(Path(folder).glob("photo.*"))), Path(folder) / "photo.jpg")
            raise JobError(
                f"{folder} is an example to look at, without the avatar itself. Make that from its "
                f"photo, and give the folder OUT: python -m svad {photo} -o OUT"
            ) from error
        raise JobError(f"There is no job in {folder}: it has no {CARD}. {give}") from error
    except NotADirectoryError as error:
        raise JobError(f"{folder} is a file. Give the folder of a job.") from error
    except OSError as error:
        raise JobError(f"{path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise JobError(f"{path} is damaged. Choose another folder, or delete it.") from error
    schema = card.get("schema") if isinstance(card, dict) else None
    if not isinstance(schema, int):
        raise JobError(f"{path} tells of no run here. Give the folder of a finished job.")
    if schema <= SCHEMA and not _is_sound(card):
        raise JobError(f"{path} is damaged. Choose another folder, or delete it.")
    if schema > SCHEMA:
        raise JobError(f"{path} was made by a newer version. Update, or choose another folder.")
    return card


def _is_sound(card: dict[str, Any]) -> bool:
    """Whether a card is built as runs build it; its words may be anybody's."""
    stages, warnings = card.get("stages", []), card.get("warnings", [])
    files = [card.get("result") or {}]
    if not isinstance(stages, list) or not all(isinstance(entry, dict) for entry in stages):
        return False
    files += [entry.get("files", {}) for entry in stages]
    return (
        all(isinstance(entry.get("name"), str) for entry in stages)
        and all(isinstance(entry.get("seconds"), int | float) for entry in stages)
        and all(isinstance(one, dict) for one in files)
        and all(isinstance(file, str) for file in files[0].values())
        and isinstance(warnings, list)
        and all(isinstance(text, str) for text in warnings)
    )


def require_finished(
    avatar: Path,  # where a job keeps it
) -> None:
    """Raises `JobError` where the stage that makes it has not come to its end."""
    if not avatar.is_file():
        raise JobError(
            f"The avatar in {avatar.parents[1]} is not finished: it has no "
            f"{avatar.parent.name}/{avatar.name}. Run it again to go on."
        )


def versions() -> dict[str, str]:
    """This program, Python, the packages a result depends on, and which rasteriser draws here."""
    return {**_installed(), "rasteriser": rasteriser()}


@cache
def _installed() -> dict[str, str]:
    """Those of them that cannot change while this program runs; each is looked up on the disk."""
    found = {"svad": __version__, "python": platform.python_version()}
    for name in RECORDED:
        with suppress(PackageNotFoundError):  # an optional one
            found[name] = version(name)
    return found
