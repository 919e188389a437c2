"""Still poses: single moments of authored motions, for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from svad.motion.authored import authored
from svad.types import Pose


@dataclass(frozen=True, kw_only=True)
class Still:
    """One moment of a motion."""

    motion: str
    moment: float  # phase of the motion, 0..1

    def pose(
        self,
        expression_names: Sequence[str],  # E
        joints: np.ndarray,  # [55, 3] the person's rest joints, metres
        parents: Sequence[int],  # 55, root -1
    ) -> Pose:  # T = 1
        """The pose at that moment, with a neutral face."""
        poses = authored()[self.motion].of(expression_names, joints, parents).poses
        pose = poses[[round(self.moment * len(poses))]]
        return replace(pose, expression=torch.zeros_like(pose.expression))


POSES: dict[str, Still] = {
    "arms_up": Still(motion="raise_arms", moment=0.3),
    "squat": Still(motion="squat", moment=0.48),
    "walk": Still(motion="walk", moment=0.0),
}
