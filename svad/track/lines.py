"""Depths along lines between joints, as a detector tells them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.body import coco
from svad.body.coco import Keypoint
from svad.track.held import DEPTH_ACROSS, DEPTH_ALONG, Freedom
from svad.track.points import JOINT_POINTS
from svad.track.seen import Seen

WIDE = (coco.SHOULDERS, coco.HIPS)
TRUNK = tuple(zip(coco.HIPS, coco.SHOULDERS, strict=True))


@dataclass(frozen=True)
class Lines:
    """L lines in T frames, B of them with an error that is the same in all frames."""

    starts: list[int]  # L joints
    ends: list[int]  # L joints
    deep: np.ndarray  # [T, L] metres, of the end behind the start
    certain: np.ndarray  # [T, L] one over the standard deviation, metres; 0 = unknown
    biased: list[int]  # B lines

    def off(
        self,
        joints: np.ndarray,  # [T, 22, 3] metres
        bias: np.ndarray,  # [B] metres
    ) -> np.ndarray:  # [T, L]
        """How far joints are from what is told, in standard deviations."""
        told = self.deep.copy()
        told[:, self.biased] -= bias
        return (joints[:, self.ends, 2] - joints[:, self.starts, 2] + told) * self.certain

    def slopes(
        self,
        slopes: np.ndarray,  # [T, 22 and more, 3, N] of the joints by N numbers
    ) -> np.ndarray:  # [T, L, N]
        """How that moves with numbers that joints move with."""
        along = slopes[:, self.ends, 2] - slopes[:, self.starts, 2]
        return along * self.certain[..., None]

    def by_bias(self) -> np.ndarray:  # [T, L, B]
        """How it moves with the errors of all frames."""
        out = np.zeros((*self.certain.shape, len(self.biased)))
        for number, line in enumerate(self.biased):
            out[:, line, number] = -self.certain[:, line]
        return out


def lines(
    seen: Seen,  # T frames
    freedom: Freedom,
) -> Lines:
    """The lines that tell: shoulders, hips, limbs, and where a person bows the trunk."""
    trunk = TRUNK if freedom.bowing else ()
    chosen = [*WIDE, *trunk, *coco.ARM_LINES, *coco.LEG_LINES]
    a, b = ([line[i] for line in chosen] for i in (0, 1))
    deep = seen.depth[:, b] - seen.depth[:, a]
    trust = np.minimum(seen.trust[:, a], seen.trust[:, b])
    sigma = np.array([DEPTH_ACROSS if line in WIDE else DEPTH_ALONG for line in chosen])
    certain = np.where(np.isnan(deep), 0, trust) / sigma * freedom.depth
    starts, ends = ([int(JOINT_POINTS[Keypoint(p)]) for p in side] for side in (a, b))
    return Lines(
        starts, ends,
        np.nan_to_num(deep).astype(np.float64),
        np.nan_to_num(certain).astype(np.float64),
        [chosen.index(line) for line in trunk],
    )  # fmt: skip
