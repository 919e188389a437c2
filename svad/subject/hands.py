"""Hand pose from the hand landmarks: wrists and fingers, or at ease where no hand was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.coco import HandPoint
from svad.body.keypoints import TIPS
from svad.body.lbs import rigid_chain
from svad.body.model import BodyModel
from svad.geometry.rotation import rodrigues, rodrigues_array
from svad.subject.evidence import Evidence
from svad.subject.solve import Term, minimise
from svad.types import BodyFit

_ROUNDS = 14
_LEAST_SCORE = 0.7  # of a hand, to bend the fingers by it
_WORST = 0.16  # mean error in hand lengths above which the fingers stay at ease
# joints of a hand are counted from its first finger joint
_FIRST = {name: 3 * place for place, name in enumerate(sk.FINGER_NAMES)}
_THUMB = _FIRST["thumb"]
_FINGERS = tuple(zip(coco.FINGER_NAMES, coco.FINGERS, strict=True))  # thumb, index .. pinky
_JOINT_OF = {p: _FIRST[name] + i for name, points in _FINGERS for i, p in enumerate(points[:3])}
_TIP_OF = {points[3]: _FIRST[name] + 2 for name, points in _FINGERS}  # -> last joint of its finger
_COUNT = len(_JOINT_OF)
# parameters: wrist 0-2; curl, bend, spread of index, middle, pinky, ring; thumb root, two bends
_SIZE = 3 + 12 + 5 + 1
_EASE = np.array([0, 0, 0, *(0.25, 0.3, 0.0) * 4, 0, 0, 0, 0.15, 0.15, 0])
_SIGMA = np.array([0.45, 0.45, 0.45, *(0.45, 0.5, 0.12) * 4, 0.25, 0.25, 0.25, 0.3, 0.3, 0.12])
_LOW = np.array([-9, -9, -9, *(-0.3, 0.0, -0.4) * 4, -0.7, -0.7, -0.7, -0.3, -0.3, -1])
_HIGH = np.array([9, 9, 9, *(1.5, 1.7, 0.4) * 4, 0.7, 0.7, 0.7, 1.0, 1.2, 1])


@dataclass(frozen=True)
class _Hand:
    """One hand's bones and how they hang in the fitted body."""

    sign: float  # 1 left, -1 right
    wrist: int  # joint
    first: int  # first finger joint
    part: slice  # its landmarks among the 133
    bones: np.ndarray  # [15, 3] joint minus parent, rest
    tips: np.ndarray  # [5, 3] tip minus last joint; thumb, index, middle, ring, pinky
    parents: tuple[int, ...]  # 15, -1 = wrist
    place: np.ndarray  # [3] wrist in the world
    turn: np.ndarray  # [3, 3] forearm in the world
    start: np.ndarray  # [3] wrist's axis-angle in the fit


def fit_hands(
    body: BodyModel,
    fit: BodyFit,
    evidence: Evidence,
) -> np.ndarray:  # [55, 3] axis-angles; wrists and finger joints are filled
    """Turns the wrists and bends the fingers as the picture shows them."""
    pose = np.zeros((len(sk.JOINTS), 3), np.float32)
    for side in sk.SIDES:
        hand = _hang(body, fit, side)
        x = _EASE.copy()
        x[:3] = hand.start
        seen = evidence.keypoints[hand.part]
        root, knuckle = seen[HandPoint.WRIST], seen[HandPoint.MIDDLE1]
        length = float(np.linalg.norm(knuckle[:2] - root[:2])) * 1.9
        if root[2] > _LEAST_SCORE and length > 0.02 * evidence.unit:
            x = _solve(hand, x, seen, evidence, length)
        turns = _turns(hand, x[None])[0]
        pose[hand.wrist] = x[:3]
        pose[hand.first : hand.first + _COUNT] = turns
    return pose


def _hang(body: BodyModel, fit: BodyFit, side: str) -> _Hand:
    left = side == "left"
    wrist, first, *_ = sk.HANDS[side]
    joints = torch.from_numpy(fit.joints)
    pose = fit.pose[0]
    turns, places = rigid_chain(rodrigues(pose.rotations), joints, body.parents)
    parents = body.parents[first : first + _COUNT]
    ids = body.keypoints[TIPS[side]].numpy()
    last = [first + joint for joint in _TIP_OF.values()]
    elbow = body.parents[wrist]
    return _Hand(
        sign=1.0 if left else -1.0,
        wrist=wrist,
        first=first,
        part=coco.HANDS[side],
        bones=(joints[first : first + _COUNT] - joints[list(parents)]).double().numpy(),
        tips=(fit.vertices[ids] - fit.joints[last]).astype(np.float64),
        parents=tuple(-1 if p == wrist else p - first for p in parents),
        place=(places[wrist] + pose.translation).double().numpy(),
        turn=turns[elbow].double().numpy(),
        start=pose.rotations[wrist].double().numpy(),
    )


def _turns(hand: _Hand, x: np.ndarray) -> np.ndarray:  # [B, _SIZE] -> [B, 15, 3] axis-angles
    """Finger joints from curls, bends and spreads; curling goes towards the palm on both sides."""
    turns = np.zeros((len(x), _COUNT, 3))
    for finger in range(4):
        curl, bend, spread = (x[:, 3 + 3 * finger + k] for k in range(3))
        turns[:, 3 * finger, 2] = -hand.sign * curl
        turns[:, 3 * finger, 1] = spread
        turns[:, 3 * finger + 1, 2] = -hand.sign * bend
        turns[:, 3 * finger + 2, 2] = -hand.sign * 0.7 * bend
    turns[:, _THUMB] = x[:, 15:18]
    for k, joint in ((18, _THUMB + 1), (19, _THUMB + 2)):
        turns[:, joint, 1] = hand.sign * 0.8 * x[:, k]
        turns[:, joint, 2] = -hand.sign * 0.4 * x[:, k]
    return turns


def _points(hand: _Hand, x: np.ndarray) -> np.ndarray:  # [B, _SIZE] -> [B, 21, 3] world
    local = rodrigues_array(_turns(hand, x))
    scale = np.exp(x[:, -1])[:, None, None]
    wrist = hand.turn @ rodrigues_array(x[:, :3])
    turns, places = [], []
    for j, parent in enumerate(hand.parents):
        above = wrist if parent < 0 else turns[parent]
        base = np.zeros((len(x), 3)) if parent < 0 else places[parent]
        places.append(base + (above @ hand.bones[j]))
        turns.append(above @ local[:, j])
    points = np.zeros((len(x), len(HandPoint), 3))
    for mark, j in _JOINT_OF.items():
        points[:, mark] = places[j]
    for tip, (mark, j) in enumerate(_TIP_OF.items()):
        points[:, mark] = places[j] + turns[j] @ hand.tips[tip]
    return points * scale + hand.place


def _solve(
    hand: _Hand, start: np.ndarray, seen: np.ndarray, evidence: Evidence, length: float
) -> np.ndarray:
    """The parameters that draw the hand's landmarks best, or `start` where none draws them well."""
    center = np.array([evidence.width / 2, evidence.height / 2])
    target = seen[1:, :2] - seen[0, :2]  # the wrist itself is the body fit's business

    def drawn(x: np.ndarray) -> np.ndarray:
        points = _points(hand, x)
        flat = points[..., :2] * (1, -1) * (evidence.focal / -points[..., 2:]) + center
        return flat[:, 1:] - flat[:, :1]

    def model(x: np.ndarray) -> list[Term]:
        away = (drawn(x) - target) / (0.04 * length)
        over = np.maximum(_LOW - x, 0) + np.maximum(x - _HIGH, 0)
        rest = _EASE.copy()
        rest[:3] = 0.5 * hand.start
        return [
            Term(away.reshape(len(x), -1), "cauchy", 3.0),
            Term((x - rest) / _SIGMA),
            Term(over / 0.05),
        ]

    x = minimise(model, start, np.full(_SIZE, 1e-4), _ROUNDS)
    error = np.linalg.norm(drawn(x[None])[0] - target, axis=1).mean() / length
    return np.clip(x, _LOW, _HIGH) if error < _WORST else start
