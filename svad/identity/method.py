"""The choices of the face fusion: which frames, which alignment, which blending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from svad.config import IdentityConfig
from svad.identity import select
from svad.identity.fusion import Placement, fuse, place, published_fusion


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way of the stage from heads and frames to fused frames."""

    # (yaw [T] radians, settings) -> [T] 0..1; 0 = the frame keeps its face
    strengths: Callable[[np.ndarray, IdentityConfig], np.ndarray]
    unchosen: str  # why a frame of no strength keeps its face
    # (head's landmarks [68, 2], frame's [68, 2], shape of the frame, settings); raises `NotFused`
    place: Callable[[np.ndarray, np.ndarray, tuple[int, ...], IdentityConfig], Placement]
    # (frame, head [h, w, 3] uint8, coverage [h, w], placement, matte [H, W], strength) -> frame
    fuse: Callable[[np.ndarray, np.ndarray, np.ndarray, Placement, np.ndarray, float], np.ndarray]


def _published_fuse(
    frame: np.ndarray,  # [H, W, 3] uint8
    head: np.ndarray,  # [h, w, 3] uint8
    coverage: np.ndarray,  # [h, w]; the published way does not ask for it, nor for what follows
    placement: Placement,
    matte: np.ndarray,  # [H, W] uint8
    strength: float,
) -> np.ndarray:  # [H, W, 3] uint8
    return published_fusion(frame, head, placement.head, placement.points)


IMPROVED = Method(
    strengths=lambda yaw, config: select.strengths(yaw, config.max_yaw, config.fade),
    unchosen=select.TURNED,
    place=lambda head, frame, shape, config: place(head, frame, shape, config.max_disparity),
    fuse=fuse,
)
PUBLISHED = Method(
    strengths=lambda yaw, _: select.published_strengths(len(yaw)),
    unchosen=select.LATER,
    place=lambda head, frame, *_: Placement(None, head, frame),
    fuse=_published_fuse,
)


def method_of(config: IdentityConfig) -> Method:
    """The method that the settings ask for."""
    return PUBLISHED if config.strict else IMPROVED
