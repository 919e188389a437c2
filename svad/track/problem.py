"""What the poses of a clip are held to: the cost and its normal equations, all frames at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from svad.body import coco
from svad.body import skeleton as sk
from svad.body.coco import Keypoint
from svad.body.skeleton import Joint
from svad.geometry.camera import Camera
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues_array
from svad.track.bordered import Normal, Tie, cauchy, trust
from svad.track.chain import LEVEL, OWN, PLACE, TILT, TURNS, YAW, Chain, Standing, of_joints, shared
from svad.track.held import (
    BIAS,
    JERK,
    JITTER,
    MARK,
    MARKED,
    MOVED,
    OWN_TURN,
    SLIP,
    STIFF,
    Freedom,
    deviations,
    near_side,
)
from svad.track.lift import lifted_turns
from svad.track.lines import lines
from svad.track.planted import SOLES, standing_pairs
from svad.track.points import JOINTS, BodyPoints
from svad.track.seen import STATURE, Seen
from svad.track.yaw import side_seen

LIMITED = [  # knees and elbows, the axis they bend about
    TURNS.start + 3 * joint + axis
    for pair, axis in ((sk.KNEES, 0), (sk.ELBOWS, 1))
    for joint in pair
]
SIGNS = np.array([-1.0, -1.0, 1.0, -1.0])  # of the wrong way


@dataclass(frozen=True)
class Tracked:
    """Poses of T frames and how well they explain what was seen."""

    rotations: np.ndarray  # [T, 22, 3] axis-angle relative to the parent
    translation: np.ndarray  # [T, 3] metres
    yaw: np.ndarray  # [T] radians, the side that is seen
    miss: np.ndarray  # [T] mean distance of trusted landmarks, shares of the body height


@dataclass(frozen=True)
class Values:
    """The unknowns of T frames, and where K landmarks lie on the body."""

    own: np.ndarray  # [T, OWN] yaw, turns off the mean, place
    mean: np.ndarray  # [66] axis-angles
    marks: np.ndarray  # [K, 3] metres
    bias: np.ndarray  # [B] metres, that the detector's depths along some lines are off
    tilt: np.ndarray  # [2] radians, about x and z: the vertical off the camera's

    def posed(self) -> np.ndarray:  # [T, OWN]
        """Yaw, turns and place of every frame, the mean added."""
        own = self.own.copy()
        own[:, TURNS] += self.mean
        return own

    def moved(
        self,
        own: np.ndarray,  # [T, OWN]
        common: np.ndarray,  # [66 + 3 K + B + 2] mean, marks, bias and tilt
    ) -> Values:
        """The values after a step."""
        ends = np.cumsum([self.mean.size, self.marks.size, self.bias.size])
        mean, marks, bias, tilt = np.split(common, ends)
        marks = self.marks + marks.reshape(-1, 3)
        return Values(self.own + own, self.mean + mean, marks, self.bias + bias, self.tilt + tilt)


class Problem:
    """What the poses are held to."""

    def __init__(
        self,
        body: BodyPoints,
        seen: Seen,  # T frames, left and right in order
        camera: Camera,  # one for all
        rest: np.ndarray,  # [22, 3] axis-angles of the likeliest pose
        freedom: Freedom,
    ) -> None:
        self._body, self._seen, self._camera, self._freedom = body, seen, camera, freedom
        self._chain = Chain(body)
        self._rest = np.ascontiguousarray(rest, np.float64)
        stiff = np.sqrt(np.array([STIFF[Joint(j)] for j in range(JOINTS)]) * freedom.held) / 0.8
        self._stiff = stiff.ravel()  # [66]
        own = np.array([OWN_TURN[Joint(j)] for j in range(JOINTS)]) * freedom.own
        self._loose = np.repeat(1 / own, 3)  # [66]
        points = [Keypoint(k) for k in body.landmarks]
        self._marked = np.array([MARKED.get(k, (0.0, 0.0, 0.0)) for k in points])  # [K, 3]
        self._mark = MARK * freedom.marks
        self._unit = seen.unit
        believed = seen.trust[:, points] * near_side(seen)[:, points]
        self._certain = np.sqrt(believed) / deviations(points, freedom)  # [T, K]
        self._target = seen.keypoints[:, points, :2].astype(np.float64)
        self._lines = lines(seen, freedom)
        self._gaps()
        self._stands = standing_pairs(seen) if freedom.planted else []

    def _gaps(self) -> None:
        """Second differences in time; none for photos."""
        time = self._seen.time
        self._bend = None
        if len(time) > 2 and not np.isnan(time).any():
            gap = np.maximum(np.diff(time), 1e-3)
            before, after = gap[:-1], gap[1:]
            # times a gap: a change of speed, which is what a frame that is off shows
            weight = 2 / (before + after) * np.sqrt(before * after)
            parts = (1 / before, -1 / before - 1 / after, 1 / after)
            self._bend = Tie((0, 1, 2), np.stack(parts, 1) * weight[:, None])
            self._even = np.sqrt(self._freedom.steady) / np.clip((before + after) / 2, 0.03, 1.0)

    def start(
        self,
        yaw: np.ndarray,  # [T] radians, first estimate of the side that is seen
    ) -> Values:
        """First guess: the likeliest pose, turned, where the hips are seen."""
        camera, count = self._camera, len(self._seen)
        hips = self._seen.keypoints[:, list(coco.HIPS), :2].mean(1)
        depth = camera.focal[1] * STATURE / self._unit
        ray = (hips - np.asarray(camera.center)) / np.asarray(camera.focal)
        own = np.zeros((count, OWN))
        own[:, YAW] = -np.unwrap(yaw.astype(np.float64))
        own[:, PLACE] = np.concatenate([ray * (1, -1), np.full((count, 1), np.log(depth))], 1)
        mean = self._rest.copy()
        mean[0, 1] = 0
        if self._freedom.lifted:
            turns = lifted_turns(self._body, self._seen, yaw, mean)
            own[:, TURNS] = (turns - mean).reshape(count, -1)
        bias = np.zeros(len(self._lines.biased))
        return Values(own, mean.ravel(), self._marked.copy(), bias, LEVEL)

    def _landmarks(self, at: Standing) -> np.ndarray:  # [T, K, 2] standard deviations
        c, p = self._camera, at.marks
        flat = p[..., :2] / -p[..., 2:] * (c.focal[0], -c.focal[1]) + np.asarray(c.center)
        return (flat - self._target) * (self._certain / self._unit)[..., None]

    def _limits(self, posed: np.ndarray) -> np.ndarray:  # [T, 4]
        """Knees and elbows that bend the wrong way."""
        return np.maximum(posed[:, LIMITED] * SIGNS, 0) / 0.05

    def _pose(self, values: Values) -> tuple[np.ndarray, Standing]:
        posed = values.posed()
        return posed, self._chain.pose(posed, values.marks, values.tilt)

    def cost(self, values: Values) -> float:
        """Half the sum of squares in standard deviations, of T frames."""
        posed, at = self._pose(values)
        held = (posed[:, TURNS] - self._rest.ravel()) * self._stiff
        depths = self._lines.off(at.joints, values.bias)
        total = cauchy(self._landmarks(at), 4.0) + cauchy(depths, self._far)
        total += cauchy(values.own[:, TURNS] * self._loose, MOVED)
        squares: Sequence[np.ndarray] = (
            held,
            self._limits(posed),
            self._common(values)[0],
        )
        total += 0.5 * sum(float(np.square(s).sum()) for s in squares)
        for tie, weight, row in self._ties(at):
            total += 0.5 * float(((tie.of(row) * weight) ** 2).sum())
        for tie, weight, row, _ in self._standing(at):
            total += cauchy(tie.of(row) * weight, 3.0)
        if self._bend is not None:
            total += 0.5 * float(((self._bend.of(values.own) * self._own_even()) ** 2).sum())
        return total

    @property
    def _far(self) -> float:
        return 1.5 * self._freedom.depth

    def _own_even(self) -> np.ndarray:  # [T - 2, OWN]
        weight = np.zeros((len(self._even), OWN))
        weight[:, : PLACE.start] = (self._even / JITTER)[:, None]
        return weight

    def _ties(self, at: Standing) -> list[tuple[Tie, np.ndarray, np.ndarray]]:
        if self._bend is None:
            return []
        row = at.joints.reshape(len(at.joints), -1)
        weight = np.repeat((self._even / JERK / np.sqrt(3))[:, None], row.shape[1], 1)
        return [(self._bend, weight, row)]

    def _standing(self, at: Standing) -> list[tuple[Tie, np.ndarray, np.ndarray, list[int]]]:
        out, feet = [], list(SOLES)
        for lag, stands in self._stands:
            tie = Tie((0, lag), np.tile([-1.0, 1.0], (len(stands), 1)))
            weight = np.repeat(np.sqrt(stands) / SLIP, 3, axis=1)
            out.append((tie, weight, at.joints[:, feet].reshape(len(at.joints), -1), feet))
        return out

    def normal(self, values: Values) -> Normal:
        """The normal equations around some values."""
        posed, at = self._pose(values)
        count, common = len(posed), 3 * (JOINTS + len(values.marks)) + len(values.bias) + TILT
        reach = 0 if self._bend is None else 2
        for lag, _ in self._stands:
            reach = max(reach, lag)
        out = Normal(count, OWN, common, reach)
        slopes = self._chain.slopes(at)
        self._add_landmarks(out, at, slopes)
        self._add_depths(out, at, slopes, values.bias)
        self._add_priors(out, posed, values)
        for tie, weight, row in self._ties(at):
            out.tied(tie, weight, row, *of_joints(slopes, range(JOINTS), common))
        for tie, weight, row, feet in self._standing(at):
            weight = weight * np.sqrt(trust(tie.of(row) * weight, 3.0))
            out.tied(tie, weight, row, *of_joints(slopes, feet, common))
        if self._bend is not None:
            out.own_tied(self._bend, self._own_even(), values.own)
        return out

    def _add_landmarks(self, out: Normal, at: Standing, slopes: np.ndarray) -> None:
        c, p = self._camera, at.marks
        near = -1 / p[..., 2]
        flat = np.zeros((*p.shape[:2], 2, 3))
        for k, focal in enumerate((c.focal[0], -c.focal[1])):
            flat[..., k, k] = focal * near
            flat[..., k, 2] = focal * p[..., k] * near**2
        away = self._landmarks(at)
        weight = np.sqrt(trust(away, 4.0))
        flat *= (weight * (self._certain / self._unit)[..., None])[..., None]
        own, common = shared(flat @ slopes[:, JOINTS:], out.common_gradient.size)
        turned = flat @ at.turns[:, self._chain.moved_by]  # [T, K, 2, 3]
        for k in range(p.shape[1]):
            first = 3 * (JOINTS + k)
            common[:, k, :, first : first + 3] = turned[:, k]
        rows = (len(p), 2 * p.shape[1])
        out.rows((away * weight).reshape(rows), own.reshape(*rows, -1), common.reshape(*rows, -1))

    def _add_depths(self, out: Normal, at: Standing, slopes: np.ndarray, bias: np.ndarray) -> None:
        off = self._lines.off(at.joints, bias)
        weight = np.sqrt(trust(off, self._far))
        slope = self._lines.slopes(slopes) * weight[..., None]
        own, common = shared(slope, out.common_gradient.size)
        first = out.common_gradient.size - TILT - len(bias)
        common[..., first:-TILT] = self._lines.by_bias() * weight[..., None]
        out.rows(off * weight, own, common)

    def _add_priors(self, out: Normal, posed: np.ndarray, values: Values) -> None:
        turns = np.arange(TURNS.start, TURNS.stop)
        mean = np.arange(3 * JOINTS)
        square = np.tile(self._stiff**2, (len(posed), 1))
        pull = square * (posed[:, TURNS] - self._rest.ravel())
        at = np.array(LIMITED) - TURNS.start
        over = self._limits(posed)
        square[:, at] += (over > 0) / 0.05**2
        pull[:, at] += over / 0.05 * SIGNS
        own = values.own[:, TURNS]
        loose = trust(own * self._loose, MOVED) * self._loose**2
        out.own[:, turns, turns] += square + loose
        out.gradient[:, TURNS] += pull + own * loose
        out.border[:, turns, mean] += square
        out.common[mean, mean] += square.sum(0)
        out.common_gradient[mean] += pull.sum(0)
        off, sigma = self._common(values)
        others = np.arange(3 * JOINTS, out.common_gradient.size)
        out.common[others, others] += 1 / sigma**2
        out.common_gradient[others] += off / sigma

    def _common(self, values: Values) -> tuple[np.ndarray, np.ndarray]:  # [G - 66] each
        """Marks, bias and tilt in standard deviations off the likeliest, and those."""
        parts = (
            (values.marks - self._marked, self._mark),
            (values.bias, BIAS),
            (values.tilt, self._freedom.tilt),
        )
        sigma = np.concatenate([np.full(part.size, one) for part, one in parts])
        return np.concatenate([part.ravel() for part, _ in parts]) / sigma, sigma

    def result(self, values: Values) -> Tracked:
        """The poses in the form that bodies take."""
        posed, at = self._pose(values)
        local = rodrigues_array(posed[:, TURNS].reshape(-1, JOINTS, 3))
        local[:, 0] = at.turns[:, 0]
        away = np.linalg.norm(self._landmarks(at), axis=-1)
        sure = self._certain > 0.5 * self._certain.max()
        away = np.where(sure, away / np.maximum(self._certain, 1e-9), 0)
        miss = away.sum(1) / np.maximum(sure.sum(1), 1)
        yaw = side_seen(at.turns[:, 0, :, 2], -at.joints[:, 0])
        offset = at.offset - self._chain.pelvis
        return Tracked(
            rotations=matrix_to_axis_angle(torch.from_numpy(local).float()).numpy(),
            translation=offset.astype(np.float32),
            yaw=yaw.astype(np.float32),
            miss=miss.astype(np.float32),
        )
