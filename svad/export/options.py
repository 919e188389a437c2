"""What may be asked of an export format that is a mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from svad.motion.recorded import Recorded


@dataclass(frozen=True)
class MeshOptions:
    """How a mesh is to be written."""

    bones: str = "smplx"  # whose names the joints have, see `names`
    triangles: int = 30_000  # at most, where it carries a picture
    lit: bool = False  # says that lamps shine on it, though its colours hold light already
    motions: Mapping[str, Recorded] = field(default_factory=dict)  # a person's own, by name
