"""Body poses in all pictures of a clip at once: landmarks, depths, and steady motion.

The shape is known, the camera too. Unknown are, for every frame, 22 rotations and a place. They
are held by a pose that is the clip's own mean, by steadiness in time, and by what joints can do
(SMPLify, Bogo et al. 2016, over time).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.coco import Keypoint
from svad.body.skeleton import Joint
from svad.geometry.camera import Camera
from svad.geometry.rotation import matrix_to_axis_angle
from svad.track.lift import lifted_turns
from svad.track.planted import SOLES, standing_pairs
from svad.track.points import JOINT_POINTS, JOINTS, BodyPoints, local_rotations
from svad.track.seen import STATURE, Seen
from svad.track.yaw import side_seen

# standard deviations in the picture, shares of the body height
SIGMA = {
    **dict.fromkeys(JOINT_POINTS, 0.006),
    **dict.fromkeys(coco.HIPS, 0.010),
    **dict.fromkeys((Keypoint.NOSE, Keypoint.LEFT_EYE, Keypoint.RIGHT_EYE), 0.008),
    **dict.fromkeys((Keypoint.LEFT_EAR, Keypoint.RIGHT_EAR), 0.012),
    **dict.fromkeys(coco.BIG_TOES, 0.010),
    **dict.fromkeys(coco.HEELS, 0.012),
}
# weights of the pose prior per axis; the standard deviation is 0.8 / sqrt(weight) radians
STIFF = {
    Joint.PELVIS: (6, 0.0, 4.0),
    **dict.fromkeys(sk.SPINE, (6, 10, 3)),
    **dict.fromkeys(sk.HIPS, (1, 1.5, 0.5)),
    **dict.fromkeys(sk.KNEES, (0.5, 8, 8)),
    **dict.fromkeys(sk.ANKLES, (1, 2, 2)),
    Joint.NECK: (2, 1, 1),
    Joint.HEAD: (1, 0.6, 0.6),
    **dict.fromkeys(sk.COLLARS, (5, 3, 1)),
    **dict.fromkeys(sk.SHOULDERS, (0.15, 0.35, 0.05)),
    **dict.fromkeys(sk.ELBOWS, (2, 0.08, 2)),
    **dict.fromkeys(sk.WRISTS, (1, 1, 1)),
    **dict.fromkeys(sk.FEET, (10, 10, 10)),
}
# radians, by which a joint of somebody who stands and turns differs from its mean over the clip;
# were trunk and legs free, they would follow the landmarks' errors, and the turn would be wrong
OWN = {
    **dict.fromkeys((Joint.PELVIS, *sk.SPINE, *sk.COLLARS), 0.015),
    **dict.fromkeys((*sk.HIPS, *sk.KNEES, *sk.ANKLES, *sk.FEET), 0.03),
    **dict.fromkeys((Joint.NECK, Joint.HEAD), 0.05),
    **dict.fromkeys((*sk.SHOULDERS, *sk.ELBOWS, *sk.WRISTS), 0.06),
}
DEPTH_ACROSS, DEPTH_ALONG = 0.30, 0.15  # metres, of the detector's depths: shoulders, limbs
MARK = 0.02  # metres, that a detector's idea of a joint is off, the same in all frames
FAR = 0.5  # trust in the side of the body that is turned away
SLIP = 0.015  # metres, that a foot moves which rests in the picture
JITTER = 2.0  # radians a second squared, of a joint that moves naturally
JERK = 1.5  # metres a second squared, of the body as a whole
ROUNDS = 200  # steps
RATE, YAW_RATE, SHIFT_RATE, MARK_RATE = 0.03, 0.02, 0.02, 0.003  # Adam's, at the start


@dataclass(frozen=True)
class Tracked:
    """Poses of T frames and how well they explain what was seen."""

    rotations: np.ndarray  # [T, 22, 3] axis-angle relative to the parent
    translation: np.ndarray  # [T, 3] metres
    yaw: np.ndarray  # [T] radians, the side that is seen
    miss: np.ndarray  # [T] mean distance of trusted landmarks, shares of the body height


@dataclass(frozen=True)
class Freedom:
    """How freely a person moves between the frames."""

    own: float = 1.0  # times `OWN`
    steady: float = 1.0  # weight of steadiness in time
    held: float = 1.0  # weight of the likeliest pose
    depth: float = 1.0  # trust in the detector's depths
    bowing: bool = False  # whether they also tell how the trunk leans
    lifted: bool = False  # whether limbs start where they tell, and not at the likeliest pose
    planted: bool = False  # whether feet that rest in the picture rest in the world
    rounds: int = ROUNDS  # steps


TURNING, MOVING = Freedom(), Freedom(own=30.0)
ACTING = Freedom(
    own=60.0, steady=0.02, held=0.3, depth=2.0, bowing=True, lifted=True, planted=True, rounds=150
)  # quick moves, seen in every frame


def track(
    body: BodyPoints,
    seen: Seen,  # T frames, left and right in order
    camera: Camera,  # one for all
    yaw: np.ndarray,  # [T] radians, first estimate of the side that is seen
    rest: np.ndarray,  # [22, 3] axis-angles of the likeliest pose, such as the photo's
    freedom: Freedom = TURNING,
    tell: Callable[[float], None] | None = None,  # gets the share that is done; may raise
) -> Tracked:
    """The poses of all frames."""
    problem = _Problem(body, seen, camera, rest, freedom)
    unknowns = problem.start(yaw)
    names = ("yaw", "turns", "mean", "place", "marks")
    rates = (YAW_RATE, RATE, RATE, SHIFT_RATE, MARK_RATE)
    groups = [{"params": [unknowns[n]], "lr": r} for n, r in zip(names, rates, strict=True)]
    adam = torch.optim.Adam(groups, betas=(0.9, 0.99))
    for step in range(freedom.rounds):
        part = step / freedom.rounds
        if tell is not None and step % 10 == 0:
            tell(part)
        for group, rate in zip(adam.param_groups, rates, strict=True):
            group["lr"] = rate * (1 - part) ** 0.7 + 0.005 * rate
        adam.zero_grad()
        problem.loss(unknowns).backward()
        adam.step()
    return problem.result(unknowns)


class _Problem:
    """What the poses are held to."""

    def __init__(
        self, body: BodyPoints, seen: Seen, camera: Camera, rest: np.ndarray, freedom: Freedom
    ) -> None:
        self._body, self._seen, self._camera, self._freedom = body, seen, camera, freedom
        self._rest = torch.from_numpy(np.ascontiguousarray(rest)).float()
        stiff = np.sqrt(np.array([STIFF[Joint(j)] for j in range(JOINTS)])) / 0.8
        self._stiff = torch.from_numpy(stiff).float()  # [22, 3]
        own = torch.tensor([OWN[Joint(j)] for j in range(JOINTS)])
        self._own = (own * freedom.own)[:, None]  # [22, 1]
        self._unit = seen.unit
        rows = list(body.landmarks)
        sigma = torch.tensor([SIGMA[Keypoint(k)] for k in rows])
        trust = torch.from_numpy(seen.trust[:, rows] * _near_side(seen)[:, rows]).float()
        self._certain = trust.sqrt() / sigma  # [T, K]
        self._target = torch.from_numpy(seen.keypoints[:, rows, :2]).float()
        self._pairs, self._deep, self._deep_certain = _depth_pairs(seen, freedom)
        self._gaps()
        self._stands = [
            (lag, torch.from_numpy(share).float().sqrt())
            for lag, share in (standing_pairs(seen) if freedom.planted else ())
        ]

    def _gaps(self) -> None:
        """[T - 2, 1] seconds around every inner frame; None for photos."""
        time = self._seen.time
        self._step = None
        if len(time) > 2 and not np.isnan(time).any():
            gap = np.maximum(np.diff(time), 1e-3)
            self._step = torch.from_numpy(np.stack([gap[:-1], gap[1:]])).float()  # [2, T - 2]

    def start(self, yaw: np.ndarray) -> dict[str, Tensor]:
        """First guess: the likeliest pose, turned, where the hips are seen."""
        camera, count = self._camera, len(self._seen)
        hips = self._seen.keypoints[:, list(coco.HIPS), :2].mean(1)
        depth = camera.focal[1] * STATURE / self._unit
        ray = (hips - np.asarray(camera.center)) / np.asarray(camera.focal)
        place = np.concatenate([ray * (1, -1), np.full((count, 1), np.log(depth))], 1)
        values = {
            "yaw": torch.from_numpy(-np.unwrap(yaw.astype(np.float64))).float(),
            "turns": torch.zeros(count, JOINTS, 3),
            "mean": self._rest.clone(),
            "place": torch.from_numpy(place).float(),
            "marks": torch.zeros(len(self._body.landmarks), 3),
        }
        values["mean"][0, 1] = 0
        if self._freedom.lifted:
            turns = lifted_turns(self._body, self._seen, yaw, values["mean"].numpy())
            values["turns"] = torch.from_numpy(turns).float() - values["mean"]
        return {name: value.requires_grad_() for name, value in values.items()}

    def _posed(self, u: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        local = local_rotations(u["yaw"], u["mean"] + u["turns"])
        return self._body.pose(local, self._translation(u))

    def _translation(self, u: dict[str, Tensor]) -> Tensor:  # [T, 3] metres
        depth = u["place"][:, 2:].exp()
        return torch.cat([u["place"][:, :2] * depth, -depth], 1) - self._body.joints[0]

    def _project(self, points: Tensor) -> Tensor:  # [..., 3] -> [..., 2] px
        c = self._camera
        scale = torch.tensor([c.focal[0], -c.focal[1]])
        return points[..., :2] / -points[..., 2:] * scale + torch.tensor(c.center)

    def _landmarks(
        self, u: dict[str, Tensor], joints: Tensor, points: Tensor, turns: Tensor
    ) -> Tensor:  # [T, K, 2] shares of the height
        b = self._body
        marks = torch.cat([joints[:, list(b.of_joint)], points], 1)
        own = (turns[:, list(b.moved_by)] @ u["marks"][..., None])[..., 0]
        return (self._project(marks + own) - self._target) / self._unit

    def loss(self, u: dict[str, Tensor]) -> Tensor:
        """Half the sum of squares in standard deviations, of T frames."""
        joints, points, turns = self._posed(u)
        away = self._landmarks(u, joints, points, turns) * self._certain[..., None]
        total = _cauchy(away, 4.0).sum()
        a, b = self._pairs
        deep = joints[:, b, 2] - joints[:, a, 2]
        depth = self._freedom.depth
        off = (deep + self._deep) * self._deep_certain * depth
        total = total + _cauchy(off, 1.5 * depth).sum()
        total = total + self._prior(u) + self._steady(u, joints)
        feet = joints[:, list(SOLES)]
        for lag, stands in self._stands:
            moved = (feet[lag:] - feet[:-lag]) * (stands / SLIP)[..., None]
            total = total + _cauchy(moved, 3.0).sum()
        return total

    def _prior(self, u: dict[str, Tensor]) -> Tensor:
        own = u["turns"] / self._own
        pose = u["mean"] + u["turns"]
        knees, elbows = pose[:, list(sk.KNEES), 0], pose[:, list(sk.ELBOWS), 1]
        over = F.relu(-knees) + F.relu(elbows * torch.tensor([1.0, -1.0]))
        held = ((pose - self._rest) * self._stiff)[:, 1:].square().sum()
        upright = (pose[:, 0] * self._stiff[0]).square().sum()
        marks = (u["marks"] / MARK).square().sum()
        held = self._freedom.held * (held + upright)
        return 0.5 * (held + own.square().sum() + (over / 0.05).square().sum() + marks)

    def _steady(self, u: dict[str, Tensor], joints: Tensor) -> Tensor:
        """Second differences in time."""
        if self._step is None:
            return joints.new_zeros(())
        before, after = self._step
        weight = 2 / (before + after)

        def bend(x: Tensor) -> Tensor:  # [T - 2, ...]
            shape = (-1, *[1] * (x.ndim - 1))
            first = (x[1:-1] - x[:-2]) / before.view(shape)
            second = (x[2:] - x[1:-1]) / after.view(shape)
            # times a gap: a change of speed, which is what a frame that is off shows
            return (second - first) * weight.view(shape) * (before * after).view(shape).sqrt()

        gap = ((before + after) / 2).clamp(0.03, 1.0)
        angle = (bend(u["turns"]) / (JITTER * gap)[:, None, None]).square().sum()
        yaw = (bend(u["yaw"]) / (JITTER * gap)).square().sum()
        place = (bend(joints) / (JERK * gap)[:, None, None]).square().sum() / 3
        return 0.5 * self._freedom.steady * (angle + yaw + place)

    @torch.no_grad()
    def result(self, u: dict[str, Tensor]) -> Tracked:
        """The poses in the form that bodies take."""
        joints, points, turns = self._posed(u)
        local = local_rotations(u["yaw"], u["mean"] + u["turns"])
        away = self._landmarks(u, joints, points, turns).norm(dim=-1)
        trust = (self._certain > 0.5 * self._certain.max()).float()
        miss = (away * trust).sum(1) / trust.sum(1).clamp_min(1)
        yaw = side_seen(turns[:, 0, :, 2].numpy(), -joints[:, 0].numpy())
        return Tracked(
            rotations=matrix_to_axis_angle(local).numpy(),
            translation=self._translation(u).numpy(),
            yaw=yaw.astype(np.float32),
            miss=miss.numpy(),
        )


def _near_side(seen: Seen) -> np.ndarray:  # [T, 23]
    """Less for the side of the body that is turned away: it is guessed more than seen."""
    out = np.ones((len(seen), coco.BODY_AND_FEET.stop))
    for left in Keypoint:
        right = coco.MIRROR[left]
        if right <= left:
            continue
        away = seen.depth[:, left] - seen.depth[:, right]
        share = np.clip(np.nan_to_num(np.abs(away)) / 0.15, 0, 1)
        low = 1 - (1 - FAR) * share
        out[:, left] = np.where(away > 0, low, 1)
        out[:, right] = np.where(away > 0, 1, low)
    return out


def _depth_pairs(
    seen: Seen, freedom: Freedom
) -> tuple[tuple[list[int], list[int]], Tensor, Tensor]:
    """Joints a, b of lines; the detector's depth of b behind a [T, L]; its certainty [T, L]."""
    wide = (coco.SHOULDERS, coco.HIPS)
    trunk = tuple(zip(coco.HIPS, coco.SHOULDERS, strict=True)) if freedom.bowing else ()
    lines = [*wide, *trunk, *coco.ARM_LINES, *coco.LEG_LINES]
    a, b = ([line[i] for line in lines] for i in (0, 1))
    deep = seen.depth[:, b] - seen.depth[:, a]
    trust = np.minimum(seen.trust[:, a], seen.trust[:, b])
    sigma = np.array([DEPTH_ACROSS if line in wide else DEPTH_ALONG for line in lines])
    certain = np.where(np.isnan(deep), 0, trust) / sigma
    joints = [[int(JOINT_POINTS[Keypoint(p)]) for p in side] for side in (a, b)]
    return (
        (joints[0], joints[1]),
        torch.from_numpy(np.nan_to_num(deep)).float(),
        torch.from_numpy(certain).float(),
    )


def _cauchy(x: Tensor, scale: float) -> Tensor:
    return 0.5 * scale**2 * torch.log1p((x / scale).square())
