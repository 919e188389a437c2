"""Motions as a detector would have seen them: landmarks of known poses, with noise, no pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from svad.body import coco
from svad.body.free import load_free_body
from svad.body.skeleton import ANKLES
from svad.geometry.camera import Camera, photo_camera
from svad.geometry.rotation import axis_rotation
from svad.motion import rig
from svad.motion.authored import authored
from svad.motion.capture import ordinary
from svad.motion.rig import Skeleton, Track, turn_y
from svad.track.held import MARKED
from svad.track.points import JOINT_POINTS, body_points
from svad.track.seen import Seen
from svad.track.watch import Watched

WIDTH, HEIGHT = 540, 720
NOISE, DEPTH_NOISE = 3.0, 0.05  # px, of a landmark; metres
AWAY = 5.2  # metres


@dataclass(frozen=True)
class Acted:
    """A motion and what was seen of it."""

    track: Track  # in the world, the floor that of the rest pose
    watched: Watched
    fps: float


def played(motion: str, seconds: float, heading: float = 20.0, stride: bool = True) -> Track:
    """An authored motion on a person who is not of mean build; a walk leaves its treadmill."""
    body = load_free_body()
    rest = body.rest(torch.zeros(0))
    skeleton = Skeleton(rest.joints.double().numpy(), body.parents)
    made = authored()[motion]
    count = round(made.seconds * 30)
    track = made.author(skeleton, np.arange(count) / count)
    index = np.arange(round(seconds * 30)) % count
    track = replace(track, rotations=track.rotations[index], pelvis=track.pelvis[index].copy())
    if motion == "walk" and stride:
        ankles = rig.forward(track)[1][:, list(ANKLES)]
        speed = np.gradient(ankles[..., 2], axis=0)
        low = np.take_along_axis(speed, ankles[..., 1].argmin(1)[:, None], 1)[:, 0]
        track.pelvis[:, 2] -= np.median(low) * (np.arange(len(index)) - len(index) / 2)
    turn = turn_y(heading)
    track.rotations[:, 0] = turn @ track.rotations[:, 0]
    track.pelvis[:] = track.pelvis @ turn.T
    return track


def acted(
    motion: str,
    seconds: float = 3.5,
    *,
    heading: float = 20.0,
    tilt: float = 0.0,  # degrees that the camera looks down
    noise: float = NOISE,
    lost: tuple[float, float] = (0.0, 0.0),  # seconds in which nobody is seen
    rate: int = 15,  # frames a second that are looked at
    seed: int = 0,
) -> Acted:
    """What a detector sees, about as well as it does."""
    rng = np.random.default_rng(seed)
    track = played(motion, seconds, heading)
    body = load_free_body()
    camera = photo_camera(WIDTH, HEIGHT)
    points = body_points(body, ordinary(body, camera))
    step = 30 // rate
    rotations = torch.from_numpy(track.rotations[::step, :22]).float()
    shift = torch.from_numpy(track.pelvis[::step] - track.skeleton.joints[0]).float()
    joints, skin, turns = points.pose(rotations, shift)
    marks = torch.cat([joints[:, list(points.of_joint)], skin], 1).numpy()
    for point, mark in MARKED.items():  # hips where a detector has them
        turned = turns[:, JOINT_POINTS[point]].numpy()
        marks[:, points.landmarks.index(point)] += turned @ np.array(mark, np.float32)
    seen_from = tilted(camera, np.radians(tilt))
    drawn = seen_from.project(marks)
    count = len(marks)
    keypoints = np.zeros((count, coco.COUNT, 3), np.float32)
    rows = list(points.landmarks)
    keypoints[:, rows, :2] = drawn[..., :2] + rng.normal(0, noise, (count, len(rows), 2))
    keypoints[:, rows, 2] = 1
    depth = np.full((count, coco.COUNT), np.nan, np.float32)
    hips = drawn[:, [rows.index(p) for p in coco.HIPS], 2].mean(1, keepdims=True)
    depth[:, rows] = drawn[..., 2] - hips + rng.normal(0, DEPTH_NOISE, (count, len(rows)))
    time = np.arange(count) / rate
    here = (time < lost[0]) | (time >= lost[1])
    matte = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (count, HEIGHT, WIDTH))
    seen = Seen(keypoints[here], depth[here], matte[here], time[here])
    faces = np.full((int(here.sum()), 478, 3), np.nan, np.float32)
    return Acted(track, Watched(seen, faces, ()), 30.0)


def tilted(camera: Camera, tilt: float) -> Camera:
    """A camera before the person that looks down by so many radians at the hips."""
    look = axis_rotation(0, tilt)
    rotation = camera.rotation @ look
    back = look.T @ np.array([0, 0, AWAY])
    return replace(camera, rotation=rotation, translation=-rotation @ back)


def places(track: Track) -> np.ndarray:  # [T, 22, 3]
    """Joints in the world."""
    return rig.forward(track)[1][:, :22]


def from_root(joints: np.ndarray) -> np.ndarray:  # [T, 22, 3]
    """Joints relative to the pelvis."""
    return joints - joints[:, :1]


def no_fingers(*_: object):
    """A reader of hands that sees none."""
    return lambda points, rotations, translation: rotations
