"""The choices of the face fusion: which frames, which alignment, which blending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from svad.config.identity import IdentityConfig
from svad.identity import select
from svad.identity.fusion import Faces, Placement, fuse, place, published_fusion

Pair = TypeVar("Pair", bound=Faces)


@dataclass(frozen=True, kw_only=True)
class Method(Generic[Pair]):
    """One way of the stage from heads and frames to fused frames."""

    # (yaw [T] radians, settings) -> [T] 0..1; 0 = the frame keeps its face
    strengths: Callable[[np.ndarray, IdentityConfig], np.ndarray]
    unchosen: str  # why a frame of no strength keeps its face
    # (head's landmarks [68, 2], frame's [68, 2], shape of the frame, settings); raises `NotFused`
    place: Callable[[np.ndarray, np.ndarray, tuple[int, ...], IdentityConfig], Pair]
    # (frame, head [h, w, 3] uint8, coverage [h, w], pair, matte [H, W], strength) -> frame
    fuse: Callable[[np.ndarray, np.ndarray, np.ndarray, Pair, np.ndarray, float], np.ndarray]


def _published_fuse(
    frame: np.ndarray,  # [H, W, 3] uint8
    head: np.ndarray,  # [h, w, 3] uint8
    coverage: np.ndarray,  # [h, w]; the published way does not ask for it, nor for what follows
    faces: Faces,
    matte: np.ndarray,  # [H, W] uint8
    strength: float,
) -> np.ndarray:  # [H, W, 3] uint8
    return published_fusion(frame, head, faces.head, faces.points)


IMPROVED: Method[Placement] = Method(
    strengths=lambda yaw, config: select.strengths(yaw, config.max_yaw, config.fade),
    unchosen=select.TURNED,
    place=lambda head, frame, shape, config: place(head, frame, shape, config.max_disparity),
    fuse=fuse,
)
PUBLISHED: Method[Faces] = Method(
    strengths=lambda yaw, _: select.published_strengths(len(yaw)),
    unchosen=select.LATER,
    place=lambda head, frame, *_: Faces(head, frame),
    fuse=_published_fuse,
)


def method_of(config: IdentityConfig) -> Method[Any]:
    """The method that the settings ask for."""
    return PUBLISHED if config.strict else IMPROVED
