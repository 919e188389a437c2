"""Fits the body to one picture so that it matches from the front and stands upright from the side.

Perspective with the photo camera's fixed focal length. Unknown are 22 joint rotations, place,
10 betas and 11 bone scales. Depth is not measured: a prior keeps spine, neck, knees and ankles
upright unless the picture says otherwise (SMPLify, Bogo et al. 2016, with other priors).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.model import BodyModel
from svad.body.skeleton import Joint
from svad.geometry.camera import photo_camera
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues_array
from svad.subject import rig as r
from svad.subject.evidence import Evidence
from svad.subject.residuals import Problem, likely_build
from svad.subject.solve import minimise
from svad.track.seen import STATURE
from svad.types import BodyFit, Pose

_SAMPLES = 500
_ROUNDS = (24, 14)  # points only, then with the outline
_STEP = 1e-4  # finite difference, radians and natural units

# weights of the pose prior per axis; the standard deviation is 0.8 / sqrt(weight) radians
_STIFF = {
    Joint.PELVIS: (6, 0.3, 1.0),
    **dict.fromkeys(sk.SPINE, (6, 10, 0.7)),
    **dict.fromkeys(sk.HIPS, (4, 1.5, 12)),
    **dict.fromkeys(sk.KNEES, (8, 8, 8)),
    **dict.fromkeys(sk.ANKLES, (1, 1, 2)),
    Joint.NECK: (2, 0.5, 0.5),
    Joint.HEAD: (1, 0.3, 0.3),
    **dict.fromkeys(sk.COLLARS, (5, 3, 1)),
    **dict.fromkeys(sk.SHOULDERS, (0.15, 0.35, 0.05)),
    **dict.fromkeys(sk.ELBOWS, (2, 0.08, 2)),
    **dict.fromkeys(sk.WRISTS, (0.6, 0.6, 0.6)),
    **dict.fromkeys(sk.FEET, (10, 10, 10)),
}


class BodyFitter:
    """Fits one body model to pictures."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body
        self._rig = r.Rig(body, _SAMPLES)
        self._rest = rest_pose()
        self._stiff = np.sqrt(np.array([_STIFF[Joint(j)] for j in range(r.JOINTS)]).ravel()) / 0.8

    def fit(
        self,
        evidence: Evidence,
        progress: Callable[[float], None] | None = None,
    ) -> np.ndarray:  # [COUNT] parameters, see svad.subject.rig
        """The best pose, place and shape; `progress(share)` is called often and may raise."""
        problem = Problem(self._rig, evidence, self._rest, self._stiff)
        x = start(evidence, self._rest)
        done, total = 0, sum(_ROUNDS)
        for stage, rounds in enumerate(_ROUNDS):
            self._rig.linearise(x[r.FORM])

            def begin(i: int, x: np.ndarray, stage: int = stage, done: int = done) -> None:
                if progress is not None:
                    progress((done + i) / total)
                problem.begin(x, with_outline=stage == 1)

            x = minimise(problem, x, np.full(r.COUNT, _STEP), rounds, begin)
            done += rounds
        return x

    def result(
        self,
        x: np.ndarray,  # [COUNT]
        evidence: Evidence,
        hands: np.ndarray | None = None,  # [55, 3] axis-angles of wrists and fingers, rest unused
    ) -> BodyFit:
        """The parameters as the body that goes to the later stages."""
        betas = x[r.FORM][: r.BETAS].astype(np.float32)
        scales = np.exp(x[r.FORM][r.BETAS :]).astype(np.float32)
        rest = self._body.rest(torch.from_numpy(betas), torch.from_numpy(scales))
        rotations = np.zeros((len(Joint), 3), np.float32) if hands is None else hands.copy()
        moved = r.JOINTS if hands is None else Joint.LEFT_WRIST
        rotations[:moved] = x[r.TURNS].reshape(-1, 3)[:moved]
        return BodyFit(
            betas=betas,
            bone_scales=scales,
            vertices=rest.vertices.numpy().astype(np.float32),
            joints=rest.joints.numpy().astype(np.float32),
            pose=Pose(
                rotations=torch.from_numpy(rotations.astype(np.float32))[None],
                translation=torch.from_numpy(r.translation(x[r.PLACE]).astype(np.float32))[None],
                expression=torch.zeros(1, len(self._body.expression_names)),
            ),
            camera=photo_camera(evidence.width, evidence.height),
        )


def rest_pose() -> np.ndarray:  # [22, 3]
    """What the prior takes for a person at ease: arms 63 degrees down, elbows a little bent."""
    pose = np.zeros((r.JOINTS, 3))
    for sign, (collar, shoulder, elbow, _) in zip((1, -1), sk.ARMS.values(), strict=True):
        pose[collar, 2] = -sign * np.radians(10)
        pose[shoulder, 2] = -sign * np.radians(53)
        pose[elbow, 1] = -sign * np.radians(14)
    return pose


def start(
    evidence: Evidence,
    rest: np.ndarray,  # [22, 3]
) -> np.ndarray:  # [COUNT]
    """First guess: place and size from the torso, turn from the depths, limbs as they are drawn."""
    points = evidence.keypoints
    x = np.zeros(r.COUNT)
    pose = rest.copy()
    depth = evidence.focal * STATURE / evidence.unit
    hips = points[list(coco.HIPS), :2].mean(0)
    if evidence.trust[list(coco.HIPS)].max() < 0.3:
        hips = points[list(coco.SHOULDERS), :2].mean(0) + (0, 0.29 * evidence.unit)
    x[r.PLACE] = (
        (hips[0] - evidence.width / 2) / evidence.focal,
        -(hips[1] - evidence.height / 2) / evidence.focal,
        np.log(depth),
    )
    pairs = (coco.SHOULDERS, coco.HIPS)
    across = sum((_directions(evidence, b, a) for a, b in pairs), start=np.zeros(3))
    yaw = np.arctan2(-across[2], across[0]) if across[0] > 0 else 0.0
    pose[Joint.PELVIS, 1] = 0.7 * np.clip(yaw, -1.2, 1.2)
    back = rodrigues_array(pose[Joint.PELVIS]).T
    arms = zip((1, -1), evidence.covered, coco.ARMS.values(), sk.ARMS.values(), strict=True)
    for sign, covered, chain, (collar, shoulder, elbow, _) in arms:
        if evidence.trust[list(chain)].min() < 0.3 and not covered:
            continue
        upper = back @ _directions(evidence, *chain[:2])
        lower = back @ _directions(evidence, *chain[1:])
        above = rodrigues_array(pose[collar])
        turn, bend = _arm(sign, above.T @ upper, above.T @ lower)
        pose[shoulder], pose[elbow] = turn, (0, -sign * bend, 0)
    for bent, hip, knee, sign in zip(evidence.bent, sk.HIPS, sk.KNEES, (1, -1), strict=True):
        if bent:
            pose[hip], pose[knee] = (-1.2, 0.2 * sign, 0), (1.3, 0, 0)
    x[r.TURNS] = pose.ravel()
    x[r.BUILD] = likely_build(evidence)
    return x


def _directions(evidence: Evidence, a: int, b: int) -> np.ndarray:  # [3]
    """Unit vector in the world from one point to another; depth from the detector, if known."""
    points = evidence.keypoints
    flat = (points[b, :2] - points[a, :2]) / evidence.unit * STATURE * (1, -1)
    depth = evidence.depth[b] - evidence.depth[a]
    vector = np.array([*flat, 0.0 if np.isnan(depth) else depth])
    return vector / max(np.linalg.norm(vector), 1e-6)


def _arm(sign: int, upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, float]:
    """Shoulder axis-angle and elbow bend that point upper arm and forearm along two directions."""
    bend = float(np.arccos(np.clip(upper @ lower, -1, 1)))
    ahead = lower - (lower @ upper) * upper
    straight = np.array([0.0, 0.0, 1.0]) - upper[2] * upper
    blend = np.clip((bend - 0.2) / 0.4, 0, 1)
    ahead = blend * ahead / max(np.linalg.norm(ahead), 1e-6) + (1 - blend) * straight
    ahead -= (ahead @ upper) * upper
    ahead /= max(np.linalg.norm(ahead), 1e-6)
    matrix = np.stack([sign * upper, np.cross(ahead, sign * upper), ahead], 1)
    turn = matrix_to_axis_angle(torch.from_numpy(matrix[None].copy())).numpy()[0]
    return turn, min(bend, 2.4)
