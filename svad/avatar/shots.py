"""Takes a motion with a camera of choice: frames of a video that closes where the motion does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from svad.avatar.animate import LOOKS, animate, motion_camera, motion_points
from svad.body.lbs import rigid_chain
from svad.body.skeleton import Joint
from svad.geometry.camera import Camera
from svad.geometry.rotation import rodrigues
from svad.media.shot import STUDIO, Shot, backdrop
from svad.motion.motion import Motion
from svad.motion.recorded import played_at
from svad.splat.scene import frame_camera, turntable_cameras
from svad.types import Avatar, Report

YAWS = {"left": math.pi / 2, "side": math.pi / 2, "back": math.pi, "right": -math.pi / 2}
SHORTEST, ROUND = 4.0, 6.0  # seconds of a video whose motion closes; of one round about the person
CALM = 0.5  # seconds; a portrait follows the person's way, smoothed by this
ORBIT_LOOKS = 8  # poses looked at to find how far away a camera has to go round


@dataclass(frozen=True)
class Film:
    """What there is to write."""

    frames: Iterator[np.ndarray]  # [H, W, 3] or [H, W, 4] uint8 each
    fps: float


def film(
    avatar: Avatar,
    motion: Motion,
    shot: Shot,
    report: Report | None = None,
    *,
    still: bool = False,  # one frame instead of all
) -> Film:
    """The frames of a shot; a short motion that closes is played several times.

    The last frame is the one before the first, so that a player repeats it without a halt; an
    orbit closes with it. Raises `SettingError` for a still of a frame that there is not.
    """
    whole = played_at(motion, shot.fps or motion.fps)
    orbit, each = shot.camera == "orbit", len(whole.poses)
    least = ROUND if orbit else SHORTEST
    rounds = max(1, math.ceil(least / whole.seconds - 1e-6)) if motion.looped else 1
    cameras = shot_cameras(avatar, whole, shot, rounds)
    if still:
        at = shot.at(len(cameras))
        cameras, rounds = cameras[at : at + 1], 1
        whole = replace(whole, poses=whole.poses[[at % each]])
    elif orbit:
        whole = replace(whole, poses=whole.poses[[*range(each)] * rounds])
    frames = animate(
        avatar, whole, cameras, report,
        transparent=shot.transparent, backdrop=_backdrop(shot, cameras[0]),
    )  # fmt: skip
    return Film(frames if orbit or rounds == 1 else _repeated(frames, rounds), whole.fps)


def shot_cameras(
    avatar: Avatar,
    motion: Motion,  # T frames
    shot: Shot,
    rounds: int = 1,  # how often the motion is played
) -> list[Camera]:
    """A camera for each of the T frames; one that goes round has `rounds` T of them.

    Of a motion of the face the cameras that do not go round show head and shoulders.
    """
    count = len(motion.poses)
    if shot.camera == "orbit":
        points = np.concatenate(list(motion_points(avatar, motion, ORBIT_LOOKS)))
        return turntable_cameras(points, rounds * count, shot.height)
    if shot.camera == "portrait":
        return _portrait(avatar, replace(motion, focus="bust"), shot.height)
    yaw = YAWS.get(shot.camera, 0.0)
    return [motion_camera(avatar, motion, shot.height, yaw=yaw)] * count


def _portrait(avatar: Avatar, motion: Motion, height: int) -> list[Camera]:
    """Head and shoulders; the camera goes along with a person who goes, and minds no bobbing."""
    turns = rodrigues(motion.poses.rotations.double().cpu())
    _, places = rigid_chain(turns, avatar.joints.double().cpu(), tuple(avatar.parents))
    way = (places[:, Joint.HEAD] + motion.poses.translation.double().cpu()).numpy()  # [T, 3]
    edge = "wrap" if motion.looped else "nearest"
    way = gaussian_filter1d(way, CALM * motion.fps, axis=0, mode=edge)
    seen = motion_points(avatar, motion)
    step = max(1, len(way) // LOOKS)
    points = np.concatenate([p - at for p, at in zip(seen, way[::step], strict=True)])
    camera = frame_camera(points, height, np.median(points, 0), pitch=0.02, margin=0.1, widest=0.8)
    shifts = camera.translation - way @ camera.rotation.T
    return [replace(camera, translation=shift.astype(np.float32)) for shift in shifts]


def _backdrop(shot: Shot, camera: Camera) -> np.ndarray | None:  # [H, W, 3]
    if shot.transparent or shot.background == STUDIO:
        return None
    return backdrop(shot.background, camera.width, camera.height)


def _repeated(frames: Iterator[np.ndarray], rounds: int) -> Iterator[np.ndarray]:
    kept = []
    for frame in frames:
        kept.append(frame)
        yield frame
    for _ in range(rounds - 1):
        yield from kept
