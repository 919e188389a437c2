"""One frame as a phone films it: the person before a room, gains, blur of motion, noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from svad.body.skeleton import Joint
from svad.evaluate.tracked import seen_from
from svad.evaluate.views import posed_joints
from svad.geometry.camera import Camera
from svad.media.images import to_float, to_uint8
from svad.types import Pose
from tools.truth.acting import SUB, Act, act, front_and_back
from tools.truth.handheld import framing, gains, handheld, two_gains, two_places
from tools.truth.person import MovingPerson
from tools.truth.plain import frame
from tools.truth.room import ROOMS, Room, behind

NOISE = 0.011  # standard deviation of the sensor's
BORDER = 0.25  # metres around the joints that a person is drawn in
BLURRED, FAST = 0.12, 2.5  # share of frames that are blurred at most; px a frame, least of those
TRACKED = 22  # joints whose speed tells how far a frame is blurred
FOCALS = (1.6, 2.0, 1.8, 1.6)  # of the picture's height, person by person
PAIR = "pair"  # two photos, of the front and of the back
FEET = (Joint.LEFT_ANKLE, Joint.LEFT_FOOT, Joint.RIGHT_ANKLE, Joint.RIGHT_FOOT)


@dataclass(frozen=True)
class Shot:
    """All that a clip is drawn from: T frames."""

    person: MovingPerson
    act: Act
    cameras: tuple[Camera, ...]  # T
    gain: np.ndarray  # [T, 3] of each channel
    blurred: np.ndarray  # [T] bool
    places: np.ndarray  # [T, 55, 3] joints, metres
    yaw: np.ndarray  # [T] radians, the side that is seen
    floor: float  # metres
    room: Room
    seed: int


@dataclass(frozen=True)
class Drawn:
    """One frame, as it is filmed and as it is."""

    filmed: np.ndarray  # [H, W, 3] uint8
    rgb: np.ndarray  # [H, W, 3] uint8 over white, sharp, without gains and noise
    matte: np.ndarray  # [H, W] uint8


def shot(
    person: MovingPerson,
    motion: str,  # one of `acting.MOTIONS`, or `PAIR`
    width: int,  # px
    height: int,  # px
    seed: int,  # whose room, lens and way of moving
    seconds: float | None = None,  # of a turn
) -> Shot:
    """Plans a clip: what is done, where the camera is, how the exposure drifts."""
    joints = person.joints.numpy()
    expressions = person.pose.expression.shape[-1]
    if motion == PAIR:
        done = front_and_back(joints, person.parents, expressions, seed)
    else:
        done = act(motion, joints, person.parents, expressions, seed, seconds)
    poses = done.middles
    places = posed_joints(person.joints, person.parents, poses)
    rng = np.random.default_rng([seed, 1])
    floor = float(person.vertices(poses[0], np.zeros(3))[:, 1].min())
    body = list(range(TRACKED))
    body.append(body.pop(Joint.HEAD))  # the framing wants it last
    still = framing(places[:, body], FOCALS[seed % len(FOCALS)], width, height, floor)
    cameras, gain = _filmed_by(still, motion, np.arange(len(poses)) / (done.fps or 1.0), rng)
    return Shot(
        person=person,
        act=done,
        cameras=cameras,
        gain=gain,
        blurred=_blurred(person, done, cameras),
        places=places,
        yaw=seen_from(poses, places[:, Joint.PELVIS], cameras),
        floor=floor,
        room=ROOMS[seed % len(ROOMS)],
        seed=seed,
    )


def _filmed_by(
    still: Camera, motion: str, time: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[Camera, ...], np.ndarray]:  # T, [T, 3]
    """A turn is filmed by hand, other motions from a stand, photos from two places."""
    if motion == PAIR:
        return two_places(still, rng), two_gains(rng)
    cameras = handheld(still, time, rng) if motion == "turn" else (still,) * len(time)
    return cameras, gains(time, rng)


def drawn(
    shot: Shot,
    place: int,  # of the frame
) -> Drawn:
    """Draws a frame; the same shot gives the same."""
    camera = shot.cameras[place]
    moments = shot.act.frame(place)
    middle = SUB // 2
    rgb, matte = boxed(shot.person, moments[middle], camera, shot.places[place])
    over, cover = [to_float(rgb)], [to_float(matte)]
    if shot.blurred[place]:
        for moment in (i for i in range(SUB) if i != middle):
            more = boxed(shot.person, moments[moment], camera, shot.places[place])
            over.append(to_float(more[0]))
            cover.append(to_float(more[1]))
    seen, alpha = np.mean(over, 0), np.mean(cover, 0)[..., None]
    joints = shot.places[place]
    room = behind(shot.room, camera, shot.floor, joints[list(FEET)], joints[Joint.PELVIS])
    light = (seen - (1 - alpha) + (1 - alpha) * room) * shot.gain[place]
    rng = np.random.default_rng([shot.seed, 2, place])
    noise = rng.standard_normal(light.shape, np.float32) * np.float32(NOISE)
    return Drawn(to_uint8(light + noise), rgb, matte)


def boxed(
    person: MovingPerson,
    pose: Pose,  # a single frame
    camera: Camera,
    joints: np.ndarray,  # [J, 3] metres, roughly where the person is
) -> tuple[np.ndarray, np.ndarray]:  # [H, W, 3] uint8 over white, [H, W] uint8
    """The person over white, drawn in their own part of the picture only: it saves time."""
    seen = camera.project(joints)
    margin = BORDER * camera.focal[0] / seen[:, 2:]
    low = np.floor((seen[:, :2] - margin).min(0)).astype(int)
    high = np.ceil((seen[:, :2] + margin).max(0)).astype(int)
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, (camera.width, camera.height))
    center = (camera.center[0] - x0, camera.center[1] - y0)
    part = replace(camera, center=center, width=int(x1 - x0), height=int(y1 - y0))
    rgb = np.full((camera.height, camera.width, 3), 255, np.uint8)
    matte = np.zeros((camera.height, camera.width), np.uint8)
    rgb[y0:y1, x0:x1], matte[y0:y1, x0:x1] = frame(person, pose, part)
    return rgb, matte


def _blurred(person: MovingPerson, done: Act, cameras: tuple[Camera, ...]) -> np.ndarray:  # [T]
    """The frames in which something moves fastest."""
    ends = [
        posed_joints(person.joints, person.parents, done.poses[i::SUB])[:, :TRACKED]
        for i in (0, SUB - 1)
    ]
    ways = [
        np.linalg.norm(camera.project(b)[:, :2] - camera.project(a)[:, :2], axis=1).max()
        for a, b, camera in zip(*ends, cameras, strict=True)
    ]
    return (done.fps > 0) & (np.array(ways) > max(FAST, np.quantile(ways, 1 - BLURRED)))
