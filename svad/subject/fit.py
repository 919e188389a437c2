"""Fits the body to one picture so that it matches from the front and stands upright from the side.

Perspective with the photo camera's fixed focal length. Unknown are 22 joint rotations, place,
10 betas and 11 bone scales. Depth is not measured: a prior keeps spine, neck, knees and ankles
upright unless the picture says otherwise (SMPLify, Bogo et al. 2016, with other priors).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.coco import Keypoint
from svad.body.model import BodyModel
from svad.body.skeleton import Joint
from svad.face.landmarks import STEADY
from svad.geometry.camera import photo_camera
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues_array
from svad.subject import rig as r
from svad.subject.contact import before_cover, before_trunk, inside_trunk
from svad.subject.evidence import (
    GUESSED,
    JOINT_OF,
    KNUCKLE_OF,
    POINT_OF,
    Evidence,
    face_turn,
)
from svad.subject.solve import Term, minimise
from svad.track.seen import STATURE
from svad.types import BodyFit, Pose

_SAMPLES = 500
_ROUNDS = (24, 14)  # points only, then with the outline
_STEP = 1e-4  # finite difference, radians and natural units

# standard deviations in the picture, shares of the body height
_SIGMA = {
    **dict.fromkeys(tuple(Keypoint)[coco.LIMBS], 0.004),
    **dict.fromkeys(coco.HIPS, 0.007),
    **dict.fromkeys((Keypoint.NOSE, Keypoint.LEFT_EYE, Keypoint.RIGHT_EYE), 0.006),
    **dict.fromkeys((Keypoint.LEFT_EAR, Keypoint.RIGHT_EAR), 0.012),
    **dict.fromkeys(coco.BIG_TOES, 0.008),
    **dict.fromkeys(coco.HEELS, 0.010),
}
# along a standing person: landmarks of hips and knees slide down with a long shirt, a coat or wide
# trousers (seen on drawn people: hips by 1 to 6 % of the height, knees by 1 to 5 %)
_SIGMA_ALONG = {
    **dict.fromkeys(coco.HIPS, 0.10),
    **dict.fromkeys(coco.KNEES, 0.06),
}
# weights of the pose prior per axis; the standard deviation is 0.8 / sqrt(weight) radians
_STIFF = {
    Joint.PELVIS: (6, 0.3, 1.0),
    **dict.fromkeys(sk.SPINE, (6, 10, 0.7)),
    **dict.fromkeys(sk.HIPS, (4, 1.5, 0.08)),
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
UPRIGHT = 0.7  # height of thigh and shin over the longer of them: neither lifted nor foreshortened
_HEAD_AHEAD = 0.032  # metres, head joint before the neck joint when standing straight
_BETA_SIGMA, _SCALE_SIGMA = 1.0, 0.09


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
        problem = _Problem(self._rig, evidence, self._rest, self._stiff)
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


def standing(evidence: Evidence) -> bool:
    """Whether both legs are seen and about straight under an upright body."""
    points, trust = evidence.keypoints[:, :2], evidence.trust
    legs = list(coco.LEGS.values())
    if any(evidence.bent) or trust[[point for leg in legs for point in leg]].min() < 0.3:
        return False
    for hip, knee, ankle in legs:
        thigh, shin = points[knee] - points[hip], points[ankle] - points[knee]
        if min(thigh[1], shin[1]) < UPRIGHT * max(np.linalg.norm(thigh), np.linalg.norm(shin)):
            return False
    return True


def likely_build(evidence: Evidence) -> float:
    """-1 to 1, man to woman, from hips over shoulders; near 0 where that cannot tell.

    Seen on photos: men 0.54 to 0.60, women 0.60 to 0.65. Clothes hide more than landmarks show, so
    people seen without hips get the flatter build.
    """
    points, trust = evidence.keypoints[:, :2], evidence.trust
    if trust[[*coco.SHOULDERS, *coco.HIPS]].min() < 0.3:
        return -0.4
    pairs = (coco.SHOULDERS, coco.HIPS)
    shoulders, hips = (np.linalg.norm(points[a] - points[b]) for a, b in pairs)
    ratio = hips / shoulders
    return float(np.clip((ratio - 0.6) / 0.03, -1, 1))


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


class _Problem:
    """The residuals of one picture as a function of many parameter vectors at once."""

    def __init__(self, rig: r.Rig, evidence: Evidence, rest: np.ndarray, stiff: np.ndarray) -> None:
        self._rig, self._see = rig, evidence
        self._rest, self._stiff = rest.ravel().copy(), stiff.copy()
        for bent, hip, knee in zip(evidence.bent, sk.HIPS, sk.KNEES, strict=True):
            for joint, angle in ((hip, -0.8), (knee, 0.9)) if bent else ():
                self._stiff[3 * joint] *= 0.4
                self._rest[3 * joint] = angle
        points = evidence.keypoints
        self._coco = np.array([*JOINT_OF, *POINT_OF])
        self._target = points[self._coco, :2]
        sigma = np.array([_SIGMA[c] for c in self._coco])
        sigma = np.stack([sigma, sigma], 1)  # across and along the picture
        if standing(evidence):
            sigma[:, 1] = [
                _SIGMA_ALONG.get(c, s) for c, s in zip(self._coco, sigma[:, 1], strict=True)
            ]
        self._certain = np.sqrt(evidence.trust[self._coco])[:, None] / sigma
        self._knuckle = np.array(list(KNUCKLE_OF))
        self._few = np.arange(rig.surface.start)
        self._few = np.concatenate([self._few, np.arange(rig.knuckles.start, rig.knuckles.stop)])
        self._head = None
        if evidence.face is not None and rig.has_face:
            at_rest = rig.rest(np.zeros(r.SHAPE))[1][rig.face]
            self._head = face_turn(evidence.face, at_rest, STEADY)
            self._certain[self._coco < coco.HEAD.stop] *= 0.3  # the mesh knows better
        self._build = likely_build(evidence)
        self._outline = False
        self._before = before_trunk(evidence)

    def begin(self, x: np.ndarray, with_outline: bool) -> None:
        """Choose for each outline point the surface point that should lie on it."""
        self._outline = with_outline and len(self._see.contour) > 0
        if not self._outline:
            return
        drawn = self._project(self._rig.pose(x[None], self._rig.surface)[1])[0]
        away = np.linalg.norm(self._see.contour[:, None] - drawn[None], axis=2)
        self._match = away.argmin(1)

    def __call__(self, x: np.ndarray) -> list[Term]:  # x [B, COUNT]
        points = slice(None) if self._outline else self._few
        joints, posed, turns = self._rig.pose(x, points)
        knuckles = posed[:, self._rig.knuckles] if self._outline else posed[:, -4:]
        terms = [self._landmarks(joints, posed), self._knuckles(knuckles)]
        terms += self._face(posed, turns) + self._prior(x) + self._upright(joints, posed)
        terms += self._depths(joints)
        terms.append(Term(inside_trunk(joints, turns, self._before), "cauchy", 4.0))
        terms.append(Term(before_cover(joints, turns, self._see.covered), "cauchy", 4.0))
        if self._outline:
            terms += self._silhouette(posed[:, self._rig.surface])
        return terms

    def _project(self, points: np.ndarray) -> np.ndarray:  # [..., 3] -> [..., 2]
        scale = self._see.focal / -points[..., 2:]
        center = np.array([self._see.width / 2, self._see.height / 2])
        return points[..., :2] * (1, -1) * scale + center

    def _apart(self, points: np.ndarray, target: np.ndarray) -> np.ndarray:
        return (self._project(points) - target) / self._see.unit

    def _landmarks(self, joints: np.ndarray, posed: np.ndarray) -> Term:
        seen = np.concatenate(
            [joints[:, list(JOINT_OF.values())], posed[:, list(POINT_OF.values())]], 1
        )
        away = self._apart(seen, self._target) * self._certain
        return Term(away.reshape(len(away), -1), "cauchy", 4.0)

    def _knuckles(self, knuckles: np.ndarray) -> Term:
        sure = np.sqrt(self._see.trust[self._knuckle]) / 0.008
        away = self._apart(knuckles, self._see.keypoints[self._knuckle, :2]) * sure[:, None]
        return Term(away.reshape(len(away), -1), "cauchy", 2.0)

    def _face(self, posed: np.ndarray, turns: np.ndarray) -> list[Term]:
        if self._head is None or self._see.face is None:
            return []
        target = self._see.face[list(STEADY), :2]
        away = self._apart(posed[:, self._rig.face], target) / 0.009
        twist = np.swapaxes(turns[:, Joint.HEAD], -1, -2) @ self._head
        axes = ((2, 1), (0, 2), (1, 0))
        skew = np.stack([twist[:, i, j] - twist[:, j, i] for i, j in axes], 1)
        return [Term(away.reshape(len(away), -1), "cauchy", 3.0), Term(0.5 * skew / 0.06)]

    def _prior(self, x: np.ndarray) -> list[Term]:
        pose = x[:, r.TURNS]
        form = x[:, r.FORM]
        elbows = pose[:, [3 * elbow + 1 for elbow in sk.ELBOWS]] * (1, -1)
        knees = pose[:, [3 * knee for knee in sk.KNEES]]
        limit = np.where(self._see.bent, 2.3, 0.9)
        over = [np.maximum(elbows, 0), np.maximum(-knees, 0), 0.5 * np.maximum(knees - limit, 0)]
        over.append(np.maximum(-elbows - 2.4, 0))
        return [
            Term((pose - self._rest) * self._stiff),
            Term(np.concatenate(over, 1) / 0.05),
            Term((form[:, : r.BETAS] - x[:, [r.BUILD]] * self._rig.build) / _BETA_SIGMA),
            Term((x[:, [r.BUILD]] - self._build) / 0.3),
            Term(form[:, r.BETAS :] / _SCALE_SIGMA),
        ]

    def _upright(self, joints: np.ndarray, posed: np.ndarray) -> list[Term]:
        """Neck, head and feet over or under the pelvis; both soles flat on one floor; metres."""
        z = joints[..., 2] - joints[:, [Joint.PELVIS], 2]
        stand = np.where(self._see.bent, 0.05, 1.0)
        left, right, neck, head = (z[:, [j]] for j in (*sk.ANKLES, Joint.NECK, Joint.HEAD))
        feet = (left * stand[0] + right * stand[1]) / stand.sum()
        rows = [neck / 0.03, (head - neck - _HEAD_AHEAD) / 0.015]
        rows += [feet / 0.03 * stand.max(), (left - right) / 0.12 * stand.min()]
        soles = [joints[:, [ankle], 1] for ankle in sk.ANKLES]
        floor = (soles[0] - soles[1]) / 0.03 * stand.min()
        points = posed[:, self._rig.keypoints]
        toes, heels = ([POINT_OF[p] for p in pair] for pair in (coco.BIG_TOES, coco.HEELS))
        flat = (points[:, toes, 1] - points[:, heels, 1]) / 0.03
        return [
            Term(np.concatenate(rows, 1)),
            Term(np.concatenate([flat, floor], 1), "cauchy", 1.5),
        ]

    def _depths(self, joints: np.ndarray) -> list[Term]:
        """The detector's depth along the arms and across shoulders and hips; loose."""
        depth, values = self._see.depth, []
        across = (coco.SHOULDERS, coco.HIPS)
        for a, b in (*coco.ARM_LINES, *across):
            if np.isnan(depth[[a, b]]).any() or self._see.trust[[a, b]].min() < GUESSED:
                continue
            mine = joints[:, JOINT_OF[b], 2] - joints[:, JOINT_OF[a], 2]
            values.append((mine - (depth[b] - depth[a])) / (0.05 if (a, b) in across else 0.12))
        return [Term(np.stack(values, 1), "cauchy", 1.0)] if values else []

    def _silhouette(self, surface: np.ndarray) -> list[Term]:
        drawn = self._project(surface)
        far = self._see.outside
        x, y = (drawn[..., i].astype(np.float32) - 0.5 for i in (0, 1))
        outside = cv2.remap(far, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = (x > 0) & (x < self._see.width) & (y > 0) & (y < self._see.height)
        away = (drawn[:, self._match] - self._see.contour) * self._see.normals
        away = away.sum(2) / self._see.unit
        return [
            Term(np.where(inside, outside, 0) / 0.05, "cauchy", 0.5),
            Term(away / 0.06, "gm", 0.4),
        ]
