"""Follows the person through the chosen pictures: their pose in each, and how far to believe it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from svad.body.model import BodyModel
from svad.body.skeleton import SPINE, Joint
from svad.config.film import FilmConfig
from svad.core.progress import part
from svad.film.exposure import evened
from svad.film.turn import ENOUGH, Refine, Together, seen_poses, turning_poses
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.motion.stance import bends, bound_anew, bound_as, likely_bends, reposed, turns
from svad.track.held import MOVING, TURNING
from svad.track.points import JOINTS, body_points
from svad.track.problem import Tracked
from svad.track.seen import Seen
from svad.track.solve import track
from svad.track.yaw import side_seen
from svad.types import PHOTO_WEIGHT, BodyFit, Clip, Footage, Pose, Report, Subject

MOST = 0.9  # weight of the best frame; the photo has more
SHARP = 0.3  # sharpness below which a frame counts least
WORSE = 2.5  # times the median miss of the landmarks: a frame that misses by more is left out
LEFT_OUT = 0.05  # weight of such a frame


class FilmStage:
    """Brings the fitted body into every picture."""

    def __init__(
        self, config: FilmConfig, body: BodyModel, refine: Refine, together: Together
    ) -> None:
        self._config, self._body = config, body
        self._refine, self._together = refine, together

    def run(self, subject: Subject, footage: Footage, clip: Clip, report: Report) -> Clip:
        """The pictures as frames of known pose; the front is the first, the photo itself.

        `clip` is what the photo alone gave; its first guess of the avatar is kept. Of a turn it is
        bound to the stance in which the person turned, and the poses are those of this binding.
        """
        if clip.start is not None:  # a finished avatar of a clip was bound anew already
            clip = replace(clip, start=bound_as(clip.start, subject.body.pose))
        tracked = self.follow(subject.body, footage, part(report, 0, 150, 1000))
        filmed = Clip(
            rgb=evened(footage),
            matte=footage.matte,
            poses=nodded(poses_of(tracked, subject.body.pose), footage.front, subject.body.pose),
            cameras=footage.cameras,
            weight=weights(footage, tracked),
            yaw=tracked.yaw,
            start=clip.start,
        )
        told = part(report, 150, 1000, 1000, "following the person")
        filmed = replace(filmed, poses=self._seen(subject, footage, filmed, told))
        if _turning(footage):
            filmed = _rebound(filmed, self._body.parents)
        front = footage.front
        order = [front, *(i for i in range(len(filmed.rgb)) if i != front)]
        doubtful = int((filmed.weight < SHARP * MOST / 2).sum())
        filmed.weight[front] = PHOTO_WEIGHT
        note = f"{len(order)} pictures followed"
        report(1000, 1000, note + (f", {doubtful} hardly used" if doubtful else ""))
        return replace(filmed, yaw=side_of(filmed.poses, subject.body.joints))[order]

    def _seen(self, subject: Subject, footage: Footage, filmed: Clip, report: Report) -> Pose:
        """The poses as the pictures themselves tell them; of all, those kept aside included."""
        if not _turning(footage):
            return seen_poses(filmed, self._refine, report)
        return turning_poses(filmed, subject, self._refine, self._together, report)

    def follow(self, fit: BodyFit, footage: Footage, report: Report) -> Tracked:
        """The fitted body's pose in every picture."""
        seen = Seen(footage.keypoints, footage.depth, footage.matte, footage.time)
        freedom = MOVING if np.isnan(footage.time).any() else TURNING
        return track(
            body_points(self._body, fit), seen, footage.cameras[0], footage.yaw,
            fit.pose.rotations[0, :JOINTS].numpy(), freedom,
            lambda share: report(round(1000 * share), 1001, "following the body"),
        )  # fmt: skip


def _turning(footage: Footage) -> bool:
    """Whether the pictures are a clip with enough of them to tell poses and avatar apart."""
    return not np.isnan(footage.time).any() and len(footage.rgb) >= ENOUGH


def _rebound(filmed: Clip, parents: tuple[int, ...]) -> Clip:
    """The film on a first guess that is bound as the person stood."""
    rest = turns(bends(filmed.poses) - likely_bends(filmed.poses))
    start = None if filmed.start is None else bound_anew(filmed.start, rest)
    return replace(filmed, poses=reposed(filmed.poses, rest, parents), start=start)


def side_of(
    poses: Pose,  # T frames
    joints: np.ndarray,  # [55, 3] rest joints, metres
) -> np.ndarray:  # [T] float32 radians
    """The side from which a camera at the origin sees the pelvis."""
    ahead = rodrigues(poses.rotations[:, 0])[:, :, 2].numpy()
    return side_seen(ahead, -poses.translation.numpy() - joints[0]).astype(np.float32)


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


def nodded(
    poses: Pose,  # T frames
    front: int,  # the frame that is the photo
    photo: Pose,  # one
) -> Pose:  # T frames
    """Heads in all frames nod and turn as much more as makes the front's head the photo's.

    Landmarks see heads lifted by nine to 26 degrees, alike in all frames, where the photo's own fit
    is within four.
    """
    wanted, found = _head(photo.rotations[0]), _head(poses.rotations[front])
    more = found.transpose(-1, -2) @ wanted
    rotations = poses.rotations.clone()
    rotations[:, Joint.HEAD] = matrix_to_axis_angle(rodrigues(rotations[:, Joint.HEAD]) @ more)
    return replace(poses, rotations=rotations)


def _head(rotations: Tensor) -> Tensor:  # [55, 3] -> [3, 3]
    """The head's rotation in the world."""
    turn = rodrigues(rotations[Joint.PELVIS])
    for joint in (*SPINE, Joint.NECK, Joint.HEAD):
        turn = turn @ rodrigues(rotations[joint])
    return turn


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
