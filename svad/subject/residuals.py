"""What a body pose is held to by one picture: landmarks, outline, depths, and a prior."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.coco import Keypoint
from svad.body.skeleton import Joint
from svad.face.landmarks import STEADY
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
from svad.subject.solve import Term

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
_ALONG_ARM = 0.020  # of an elbow on the line from shoulder to wrist: in a sleeve nothing marks it
_STRAIGHT = 0.97  # distance of shoulder and wrist over the way by the elbow
_DOUBT = 0.12  # standard deviation that a score of 0 would add: scores of 0.75 are 2.5 % off
UPRIGHT = 0.7  # height of thigh and shin over the longer of them: neither lifted nor foreshortened
_STRAIGHT_LEGS = 2.3  # how much stiffer hips and knees are then: about 9 and 7 degrees
_HEAD_AHEAD = 0.032  # metres, head joint before the neck joint when standing straight
_BETA_SIGMA, _SCALE_SIGMA = 1.0, 0.09


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


def _certainty(
    evidence: Evidence,
    points: np.ndarray,  # [L] key points
) -> np.ndarray:  # [L, 2, 2] symmetric
    """What a landmark's distance from its target is multiplied with to count standard deviations.

    Landmarks are less certain along a limb than across it, and the less so the less of them is
    seen: a knee under a skirt is a guess.
    """
    sigma = np.array([_SIGMA[c] for c in points])
    doubt = _DOUBT * (1 - np.clip(evidence.keypoints[points, 2], 0, 1))
    sigma += np.where(evidence.trust[points] > GUESSED, doubt, 0)  # guesses have theirs already
    along, ways = sigma.copy(), np.tile([0.0, 1.0], (len(points), 1))
    loose = dict(_SIGMA_ALONG) if standing(evidence) else {}
    xy = evidence.keypoints[:, :2]
    for shoulder, elbow, wrist in coco.ARMS.values():
        whole, bones = xy[wrist] - xy[shoulder], np.diff(xy[[shoulder, elbow, wrist]], axis=0)
        far = np.linalg.norm(whole)
        if far > _STRAIGHT * np.linalg.norm(bones, axis=1).sum() and far > 0:
            loose[elbow] = _ALONG_ARM
            ways[points == elbow] = whole / far
    for place, point in enumerate(points):
        along[place] = max(along[place], loose.get(point, 0))
    across = np.eye(2) - ways[:, :, None] * ways[:, None]
    scales = across / sigma[:, None, None] + (np.eye(2) - across) / along[:, None, None]
    return np.sqrt(evidence.trust[points])[:, None, None] * scales


class Problem:
    """The residuals of one picture as a function of many parameter vectors at once."""

    def __init__(self, rig: r.Rig, evidence: Evidence, rest: np.ndarray, stiff: np.ndarray) -> None:
        self._rig, self._see = rig, evidence
        self._rest, self._stiff = rest.ravel().copy(), stiff.copy()
        for bent, hip, knee in zip(evidence.bent, sk.HIPS, sk.KNEES, strict=True):
            for joint, angle in ((hip, -0.8), (knee, 0.9)) if bent else ():
                self._stiff[3 * joint] *= 0.4
                self._rest[3 * joint] = angle
        if standing(evidence):  # what looks straight is: bends towards the camera are not seen
            self._stiff[[3 * joint for joint in (*sk.HIPS, *sk.KNEES)]] *= _STRAIGHT_LEGS
        points = evidence.keypoints
        self._coco = np.array([*JOINT_OF, *POINT_OF])
        self._target = points[self._coco, :2]
        self._certain = _certainty(evidence, self._coco)
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

    def begin(
        self,
        x: np.ndarray,  # [COUNT] parameters
        with_outline: bool,
    ) -> None:
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
        if any(self._see.covered):
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
        away = (self._apart(seen, self._target)[..., None, :] @ self._certain)[..., 0, :]
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
