"""Which body model a run stands on: the built-in one, or a person's own SMPL-X file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from svad import weights
from svad.config.preset import BODIES, OWN_BODIES
from svad.core.errors import SettingError
from svad.weights.store import sha256_of

if TYPE_CHECKING:
    from svad.body.model import BodyModel

EXPRESSIONS = 10  # of the components in an SMPL-X file; those after them move a face less and less
COVERS = (
    "The skeleton, the skinning and the face shapes come from this file, so its terms cover the "
    "whole avatar."
)
STILL_FACE = (
    "The face of this avatar does not play the motions' expressions: those of an SMPL-X file are "
    "components without a meaning of their own."
)


@dataclass(frozen=True)
class OwnBody:
    """A person's own body file."""

    path: Path
    sha256: str
    notice: str  # file, licence and terms, in sentences for the job card


def own_body(
    name: str,  # of `config.BODIES`
) -> OwnBody | None:
    """The file of a body; None for the built-in one.

    Raises `MissingWeights`, with file, source and terms, when it is not on this machine.
    """
    if name not in BODIES:
        raise SettingError(f"There is no body {name}. Choose one of: {', '.join(BODIES)}.")
    if name not in OWN_BODIES:
        return None
    store = weights.Store.from_environment()
    path = store.resolve(name)
    return OwnBody(path, _digest(path), f"{store.entry(name).notice}. {COVERS}")


def load_body(
    name: str,  # of `config.BODIES`
) -> BodyModel:
    """The body on the CPU; a file is read once per process.

    Raises `MissingWeights` as `own_body` does, `SvadError` for a file that is no SMPL-X.
    """
    own = own_body(name)
    if own is None:
        from svad.body.free import load_free_body

        return load_free_body()
    return _read(own.path)


def limits(
    name: str,  # of `config.BODIES`
) -> tuple[str, ...]:
    """What an avatar on this body cannot do, in sentences for the person."""
    return (STILL_FACE,) if name in OWN_BODIES else ()


def bodies_here() -> tuple[str, ...]:
    """The bodies that can be chosen on this machine, the built-in one first."""
    store = weights.Store.from_environment()
    return tuple(n for n in BODIES if n not in OWN_BODIES or store.locate(n) is not None)


@cache
def _digest(path: Path) -> str:
    return sha256_of(path)


@cache
def _read(path: Path) -> BodyModel:
    from svad.body.smplx_file import load_smplx_body

    return load_smplx_body(path, expressions=EXPRESSIONS)
