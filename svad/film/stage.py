"""Follows the person through the chosen pictures: their pose in each, and how far to believe it."""

from __future__ import annotations

import numpy as np
import torch

from svad.body.model import BodyModel
from svad.config import FilmConfig
from svad.track.points import JOINTS, body_points
from svad.track.seen import Seen
from svad.track.solve import MOVING, TURNING, Freedom, Tracked, track
from svad.types import PHOTO_WEIGHT, BodyFit, Clip, Footage, Pose, Report, Subject

MOST = 0.9  # weight of the best frame; the photo has more
SHARP = 0.3  # sharpness below which a frame counts least
WORSE = 2.5  # times the median miss of the landmarks: a frame that misses by more is left out
LEFT_OUT = 0.05  # weight of such a frame


class FilmStage:
    """Brings the fitted body into every picture."""

    def __init__(self, config: FilmConfig, body: BodyModel) -> None:
        self._config, self._body = config, body

    def run(self, subject: Subject, footage: Footage, clip: Clip, report: Report) -> Clip:
        """The pictures as frames of known pose; the front is the first, the photo itself.

        `clip` is what the photo alone gave; its first guess of the avatar is kept.
        """
        tracked = self.follow(subject.body, footage, report)
        weight = weights(footage, tracked)
        order = [footage.front, *(i for i in range(len(weight)) if i != footage.front)]
        weight[footage.front] = PHOTO_WEIGHT
        left = int((weight < SHARP * MOST / 2).sum())
        note = f"{len(order)} pictures followed" + (f", {left} hardly used" if left else "")
        report(1000, 1000, note)
        return Clip(
            rgb=footage.rgb[order],
            matte=footage.matte[order],
            poses=poses_of(tracked, subject.body.pose)[order],
            cameras=tuple(footage.cameras[i] for i in order),
            weight=weight[order],
            yaw=tracked.yaw[order],
            start=clip.start,
        )

    def follow(
        self, fit: BodyFit, footage: Footage, report: Report, freedom: Freedom | None = None
    ) -> Tracked:
        """The fitted body's pose in every picture."""
        seen = Seen(footage.keypoints, footage.depth, footage.matte, footage.time)
        if freedom is None:
            freedom = MOVING if np.isnan(footage.time).any() else TURNING
        return track(
            body_points(self._body, fit), seen, footage.cameras[0], footage.yaw,
            fit.pose.rotations[0, :JOINTS].numpy(), freedom,
            lambda share: report(round(1000 * share), 1001, "following the body"),
        )  # fmt: skip


def poses_of(tracked: Tracked, photo: Pose) -> Pose:
    """Poses of T frames, with the photo's hands and a neutral face."""
    count = len(tracked.rotations)
    rotations = photo.rotations[:1].repeat(count, 1, 1)
    rotations[:, :JOINTS] = torch.from_numpy(tracked.rotations)
    return Pose(
        rotations=rotations,
        translation=torch.from_numpy(tracked.translation),
        expression=photo.expression[:1].repeat(count, 1),
    )


def weights(footage: Footage, tracked: Tracked) -> np.ndarray:  # [T] float32
    """How far each frame is to be believed: blurred and badly tracked ones less."""
    sharp = np.clip(footage.sharpness / max(float(np.median(footage.sharpness)), 1e-6), SHARP, 1)
    worse = tracked.miss > WORSE * max(float(np.median(tracked.miss)), 1e-6)
    whole = np.array([_inside(one) for one in footage.matte])
    return np.where(worse | ~whole, LEFT_OUT, MOST * sharp).astype(np.float32)


def _inside(matte: np.ndarray) -> bool:  # [H, W] uint8
    """Whether the sides of the picture do not cut the person."""
    solid = matte > 127
    sides = solid[:, 0].sum() + solid[:, -1].sum()
    return bool(solid.any() and sides < 0.15 * len(solid))
