"""A motion from what a camera saw of somebody: tracked, bridged, smoothed, put on the floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from svad.body import skeleton as sk
from svad.body.coco import HANDS
from svad.body.model import BodyModel
from svad.core.progress import part
from svad.face.reading import read_expressions
from svad.geometry.camera import Camera, photo_camera
from svad.geometry.rotation import rodrigues_array
from svad.geometry.sampling import smoothstep
from svad.motion.ground import grounded
from svad.motion.level import levelled
from svad.motion.recorded import Recorded, poses_at
from svad.motion.rig import Skeleton, Track
from svad.motion.smooth import steady_path, steady_turns
from svad.motion.standing import A_POSE
from svad.track.held import ACTING
from svad.track.points import JOINTS, body_points
from svad.track.watch import BRIDGED, Watched
from svad.track.windows import track_long
from svad.track.yaw import yaws
from svad.types import BodyFit, Pose, Report

FPS = 30.0  # of the motion
Fingers = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""`fingers(points [133, 3], rotations [55, 3], translation [3])`: axis-angles [55, 3], with wrists
and fingers filled."""
Reader = Callable[[BodyModel, BodyFit, Camera, float], Fingers]
SURE = 0.7  # score of a hand from which on its fingers count


def captured(
    watched: Watched,
    body: BodyModel,
    reader: Reader,
    report: Report,
) -> Recorded:
    """The motion of a watched person, on a body of ordinary shape.

    Root motion is relative to the first frame, whose pelvis is at x = z = 0.
    """
    seen = watched.seen
    height, width = seen.matte.shape[1:]
    camera = photo_camera(width, height)
    fit = ordinary(body, camera)
    yaw, swap = yaws(seen)
    seen = seen.mirrored(swap)
    told = part(report, 0, 850, 1000)
    tracked = track_long(
        body_points(body, fit), seen, camera, yaw, A_POSE[:JOINTS], ACTING,
        lambda share: told(share, 1, "following the body"),
    )  # fmt: skip
    rotations = np.tile(A_POSE.astype(np.float64), (len(seen), 1, 1))
    rotations[:, :JOINTS] = tracked.rotations
    fingers = reader(body, fit, camera, seen.unit)
    told = part(report, 850, 950, 1000)
    read_hands(rotations, tracked.translation, seen.keypoints, seen.time, fingers, told)
    report(950, 1000, "reading the face")
    faces = _filled(read_expressions(watched.faces, body), seen.time)
    poses = Pose(
        torch.from_numpy(rotations).float(),
        torch.from_numpy(tracked.translation).float(),
        torch.from_numpy(faces).float(),
    )
    report(970, 1000, "putting the feet on the floor")
    made = Recorded(FPS, bridged(poses, seen.time, FPS), fit.joints, body.expression_names)
    return replace(cleaned(made, body.parents), warnings=watched.warnings)


def ordinary(body: BodyModel, camera: Camera) -> BodyFit:
    """A body of mean shape at rest."""
    rest = body.rest(torch.zeros(0))
    return BodyFit(
        betas=np.zeros(0, np.float32),
        bone_scales=np.ones(11, np.float32),
        vertices=rest.vertices.numpy(),
        joints=rest.joints.numpy(),
        pose=Pose(torch.zeros(1, len(sk.JOINTS), 3), torch.zeros(1, 3), torch.zeros(1, 0)),
        camera=camera,
    )


def rest_joints(body: BodyModel) -> np.ndarray:  # [55, 3] metres
    """The joints of a body of mean shape at rest."""
    return body.rest(torch.zeros(0)).joints.numpy()


def cleaned(motion: Recorded, parents: tuple[int, ...]) -> Recorded:
    """Without jitter, in a level world, with standing feet at rest on the floor."""
    joints = np.asarray(motion.joints, np.float64)
    turns = rodrigues_array(motion.poses.rotations.double().numpy())
    made = Track(
        Skeleton(joints, parents),
        steady_turns(turns, motion.fps),
        steady_path(motion.pelvis, motion.fps),
    )
    made = grounded(levelled(made, motion.fps), motion.fps)
    return replace(motion, poses=replace(made.poses(()), expression=motion.poses.expression))


def bridged(
    poses: Pose,  # F frames
    time: np.ndarray,  # [F] seconds, rising
    fps: float,
) -> Pose:  # T frames
    """Poses at an even rate. Over a long gap the last pose is held, then eased into the next."""
    wanted = time[0] + np.arange(max(2, round((time[-1] - time[0]) * fps) + 1)) / fps
    place = np.clip(np.searchsorted(time, wanted, "right") - 1, 0, len(time) - 2)
    start, end = time[place], time[place + 1]
    held = start + (end - start) * smoothstep((wanted - (end - BRIDGED)) / BRIDGED)
    return poses_at(poses, time, np.where(end - start > BRIDGED, held, wanted))


def read_hands(
    rotations: np.ndarray,  # [F, 55, 3] axis-angles; wrists and fingers are changed
    translation: np.ndarray,  # [F, 3] metres
    keypoints: np.ndarray,  # [F, 133, 3]
    time: np.ndarray,  # [F] seconds
    fingers: Fingers,
    report: Report,
) -> None:
    """Fingers as they are seen, bridged where they are not for a moment, else at ease."""
    large = {side: keypoints[:, hand.start, 2] > SURE for side, hand in HANDS.items()}
    any_hand = np.flatnonzero(large["left"] | large["right"])
    read = np.full(rotations.shape, np.nan)
    for done, frame in enumerate(any_hand):
        report(done, len(any_hand), "reading the hands")  # a tenth of a second for each frame
        points = keypoints[frame].copy()
        for side, hand in HANDS.items():
            points[hand, 2] *= large[side][frame]  # what is not taken need not be solved for
        found = fingers(points, rotations[frame], translation[frame])
        for side, joints in sk.HANDS.items():
            if large[side][frame]:
                read[frame, list(joints)] = found[list(joints)]
    for joints in sk.HANDS.values():
        rows = read[:, list(joints)].reshape(len(time), -1)
        rest = rotations[:, list(joints)].reshape(len(time), -1)
        rotations[:, list(joints)] = _filled(rows, time, rest).reshape(len(time), -1, 3)


def _filled(
    rows: np.ndarray,  # [F, C]; nan = unknown
    time: np.ndarray,
    rest: np.ndarray | float = 0.0,  # [F, C]
) -> np.ndarray:  # [F, C]
    """Unknown rows between others for a moment, else at rest."""
    known = np.isfinite(rows).all(1) if rows.shape[1] else np.zeros(len(rows), bool)
    if not known.any():
        return np.broadcast_to(rest, rows.shape).copy()
    own = time[known]
    between = np.stack([np.interp(time, own, column) for column in rows[known].T], 1)
    place = np.searchsorted(own, time).clip(0, len(own) - 1)
    away = np.minimum(np.abs(own[place] - time), np.abs(time - own[(place - 1).clip(0)]))
    share = np.clip(2 - away / (BRIDGED / 2), 0, 1)[:, None]
    return share * between + (1 - share) * rest
