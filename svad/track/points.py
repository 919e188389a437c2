"""One person's body in numbers that the tracking poses in batches: joints and landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from svad.body import skeleton as sk
from svad.body.coco import LIMBS, SMALL_TOES, Keypoint
from svad.body.keypoints import VERTEX_POINTS
from svad.body.lbs import rigid_chain
from svad.body.model import BodyModel
from svad.types import BodyFit

JOINTS = sk.LARGE  # pelvis to wrists; fingers move with the wrist, jaw and eyes with the head


@dataclass(frozen=True)
class BodyPoints:
    """The joints of a rest body, and P landmarks on its skin."""

    joints: Tensor  # [22, 3] metres
    points: Tensor  # [P, 3] metres
    weights: Tensor  # [P, 22]
    landmarks: tuple[int, ...]  # K points of COCO's 23, joints first, then those on the skin
    of_joint: tuple[int, ...]  # those that are joints: which
    moved_by: tuple[int, ...]  # K, the joint that each landmark follows

    def pose(
        self,
        rotations: Tensor,  # [T, 22, 3, 3] relative to the parent
        translation: Tensor,  # [T, 3] metres
    ) -> tuple[Tensor, Tensor, Tensor]:  # [T, 22, 3], [T, P, 3], [T, 22, 3, 3]
        """Joints, points and turns in the world."""
        turns, places = rigid_chain(rotations, self.joints, PARENTS)
        shift = places - (turns @ self.joints[..., None])[..., 0]
        table = torch.cat([turns.flatten(2), shift], -1)  # [T, 22, 12]
        mixed = self.weights @ table  # [T, P, 12]
        turned = (mixed[..., :9].unflatten(-1, (3, 3)) @ self.points[..., None])[..., 0]
        offset = translation[:, None]
        return places + offset, turned + mixed[..., 9:] + offset, turns


PARENTS = tuple(sk.PARENTS[:JOINTS])
JOINT_POINTS = {p: sk.Joint[p.name] for p in tuple(Keypoint)[LIMBS]}
SKIN_POINTS = {p: i for i, p in enumerate(VERTEX_POINTS) if p not in SMALL_TOES}


def body_points(body: BodyModel, fit: BodyFit) -> BodyPoints:
    """The points of a fitted person."""
    marks = [int(body.keypoints[place]) for place in SKIN_POINTS.values()]
    index = torch.tensor(marks)
    folded = torch.tensor(sk.FOLDED)
    weights = torch.zeros(len(index), JOINTS).index_add_(1, folded, body.weights[index].float())
    return BodyPoints(
        joints=torch.from_numpy(np.ascontiguousarray(fit.joints[:JOINTS], np.float32)),
        points=torch.from_numpy(np.ascontiguousarray(fit.vertices, np.float32))[index],
        weights=weights,
        landmarks=(*JOINT_POINTS, *SKIN_POINTS),
        of_joint=tuple(JOINT_POINTS.values()),
        moved_by=(*map(int, JOINT_POINTS.values()), *weights.argmax(1).tolist()),
    )
