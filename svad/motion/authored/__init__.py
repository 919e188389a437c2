"""The authored motions: every module in this folder defines one, as `MOTION`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from svad.motion.motion import Authored


@cache
def authored() -> dict[str, Authored]:
    """All of them by name, in the order in which they are shown; cheap, nothing is posed."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    motions = sorted((module.MOTION for module in modules), key=lambda m: (m.place, m.name))
    return {motion.name: motion for motion in motions}
