"""The driving sequence: a body in the A-pose that turns before the camera, as key points.

SVAD (arXiv 2505.05475) section 3.1 drives with footage of a man; here a posed body model takes his
place, so that every frame has an exact pose and camera and nobody's recording is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from svad.body.coco import BODY_AND_FEET, FACE, HEAD, LIMBS
from svad.body.keypoints import whole_body
from svad.body.model import BodyModel, RestBody
from svad.body.skeleton import ARMS, Joint
from svad.geometry.camera import Camera, photo_camera
from svad.geometry.rotation import rodrigues
from svad.geometry.zbuffer import draw
from svad.motion import gestures, rig
from svad.motion.rig import Skeleton, Track, turn_y, turn_z
from svad.motion.standing import A_POSE
from svad.pose.keypoints import Figure, WholeBody, to_figure
from svad.types import BodyFit, Pose

Tick = Callable[[int, int], None]
"""`tick(frames done, frames in all)`, called after each frame."""

FPS = 25  # of the published clip
# (frames, degrees at the start, in the middle, at the end) of the published clip's three parts
PAPER_PARTS = ((86, (0.0, 95.0, 0.0)), (62, (0.0, -85.0, 0.0)), (41, (130.0, 180.0, 230.0)))
PAPER_FRAMES = sum(frames for frames, _ in PAPER_PARTS)  # 189

SHARE = 0.8  # of the picture's height that the person fills
SIZE = (1080, 1080)  # height, width of the default picture
HIDDEN_JOINT = 0.5  # score of a limb's joint behind the body: trackers still guess it well
DEPTH_SCALE = 0.5  # size of the depth maps over that of the picture
# metres a point may lie behind the nearest surface and still be seen
INSIDE_LIMB, INSIDE_HAND, ON_SKIN = 0.16, 0.12, 0.02


@dataclass(frozen=True)
class Driving:
    """T frames of a turning body."""

    poses: Pose  # T frames
    camera: Camera  # of all frames
    points: np.ndarray  # [T, 133, 3] x px, y px, score; COCO-WholeBody order
    yaw: np.ndarray  # [T] float32 radians, the side the body is seen from (its left: positive)

    def figures(self) -> list[Figure]:
        """What is drawn of each frame."""
        size = (self.camera.height, self.camera.width)
        return [to_figure(WholeBody(p[:, :2], p[:, 2]), size) for p in self.points]


def paper_turn(frames: int = PAPER_FRAMES) -> np.ndarray:  # [T] degrees
    """The published clip's schedule, or the same in another number of frames.

    Front to one profile and back, front to the other profile and back, then over the back; with a
    cut between the parts. Positive = the body faces the right side of the picture.
    """
    ends = np.cumsum([part for part, _ in PAPER_PARTS]) / PAPER_FRAMES * frames
    counts = np.diff(np.rint(ends).astype(int), prepend=0)
    parts = [
        np.interp(np.linspace(0, 2, count), [0, 1, 2], degrees)
        for count, (_, degrees) in zip(counts, PAPER_PARTS, strict=True)
    ]
    return np.concatenate(parts)


def even_turn(frames: int) -> np.ndarray:  # [T] degrees
    """Once around at an even pace; the frame after the last would be the first."""
    return np.arange(frames) * 360.0 / frames


def turning(name: str, frames: int) -> np.ndarray:  # [T] degrees
    """The schedule "paper" or "even"; raises ValueError for another name."""
    if name not in ("paper", "even"):
        raise ValueError(f"the turn must be paper or even, not {name!r}")
    return even_turn(frames) if name == "even" else paper_turn(frames)


def drive_default(
    body: BodyModel,
    turn: np.ndarray,  # [T] degrees
    size: tuple[int, int] = SIZE,  # height, width
    tick: Tick | None = None,
) -> Driving:
    """The body's mean shape in the middle of a picture; for alignment in the picture (2D)."""
    rest = body.rest(torch.zeros(body.shape_dirs.shape[-1]))
    low, high = (float(v) for v in (rest.vertices[:, 1].min(), rest.vertices[:, 1].max()))
    camera = photo_camera(size[1], size[0])
    distance = (high - low) * camera.focal[1] / (SHARE * size[0])
    place = np.array([0.0, -(low + high) / 2, -distance])
    return drive(body, rest, driving_poses(rest, body, turn, place), camera, turn, tick)


def drive_fitted(
    body: BodyModel,
    fit: BodyFit,
    turn: np.ndarray,  # [T] degrees
    tick: Tick | None = None,
) -> Driving:
    """The person's own body, standing where they stand in the photo, seen by its camera."""
    rest = rest_of(fit)
    return drive(body, rest, fitted_poses(body, fit, turn), fit.camera, turn, tick)


def driving_bounds(
    body: BodyModel,
    fit: BodyFit,
    turn: np.ndarray,  # [T] degrees
    looked_at: int = 12,
) -> np.ndarray:  # [4] x0, y0, x1, y1 in pixels of the photo
    """What the person's own body covers of the photo's plane during the movement."""
    rest, poses = rest_of(fit), fitted_poses(body, fit, turn)
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for pose in poses[:: max(1, len(poses) // looked_at)]:
        vertices = body.pose_vertices(rest, pose.rotations, pose.translation).numpy()
        pixels = fit.camera.project(vertices)[:, :2]
        low, high = np.minimum(low, pixels.min(0)), np.maximum(high, pixels.max(0))
    return np.concatenate([low, high])


def rest_of(fit: BodyFit) -> RestBody:
    """The fitted body in its zero pose."""
    return RestBody(torch.from_numpy(fit.vertices).float(), torch.from_numpy(fit.joints).float())


def fitted_poses(
    body: BodyModel,
    fit: BodyFit,
    turn: np.ndarray,  # [T] degrees
) -> Pose:
    """The movement on the person's own skeleton, at their place in the photo."""
    rest = rest_of(fit)
    pose = fit.pose[0]
    soles = float(body.pose_vertices(rest, pose.rotations, pose.translation)[:, 1].min())
    place = pose.translation.double().numpy()
    place[1] = soles - float(rest.vertices[:, 1].min())
    return driving_poses(rest, body, turn, place)


def driving_poses(
    rest: RestBody,
    body: BodyModel,
    turn: np.ndarray,  # [T] degrees
    place: np.ndarray,  # [3] metres, where the rest body is moved to
) -> Pose:
    """The A-pose turned about the vertical through the pelvis; it breathes, the arms drift."""
    skeleton = Skeleton(rest.joints.numpy().astype(np.float64), tuple(body.parents))
    frames = len(turn)
    track, phase = Track.still(skeleton, frames), np.arange(frames) / frames
    track.rotations[:] = rodrigues(torch.from_numpy(A_POSE).double()).numpy()
    track.pelvis[:, 1] += skeleton.floor - rig.contact_points(track)[0, :, 1].min()
    breaths = max(1, round(frames / FPS / 4))  # one in four seconds
    gestures.breathe(track, phase, breaths)
    for side, lag in (("left", 0.2), ("right", 0.3)):
        shoulder = ARMS[side][1]
        drift = turn_z(0.8 * gestures.wave_of(phase, breaths, lag))
        drift = drift if side == "left" else rig.mirrored(drift)
        track.rotations[:, shoulder] = drift @ track.rotations[:, shoulder]
    track.rotations[:, Joint.PELVIS] = turn_y(turn) @ track.rotations[:, Joint.PELVIS]
    track.pelvis[:] += place
    return track.poses(body.expression_names)


def drive(
    body: BodyModel,
    rest: RestBody,
    poses: Pose,  # T frames
    camera: Camera,
    turn: np.ndarray,  # [T] degrees, only to tell the side each frame is seen from
    tick: Tick | None = None,
) -> Driving:
    """Project the 133 points of a posed body and tell which of them are seen."""
    rows = []
    for points in _points(body, rest, poses, camera):
        rows.append(points)
        if tick:
            tick(len(rows), len(poses))
    yaw = -np.radians((np.asarray(turn) + 180) % 360 - 180).astype(np.float32)
    return Driving(poses, camera, np.stack(rows), yaw)


def _points(
    body: BodyModel, rest: RestBody, poses: Pose, camera: Camera
) -> Iterator[np.ndarray]:  # [133, 3] each
    table, faces = whole_body(body), body.faces.numpy()
    for pose in poses:
        vertices = body.pose_vertices(rest, pose.rotations, pose.translation)
        joints = body.posed_joints(rest.joints, pose.rotations, pose.translation)
        points = camera.project(table.points(vertices, joints).numpy())
        seen = _seen(points, camera.project(vertices.numpy()), faces, camera)
        yield np.concatenate([points[:, :2], _scores(seen)[:, None]], 1).astype(np.float32)


def _seen(
    points: np.ndarray,  # [133, 3] x px, y px, depth m
    vertices: np.ndarray,  # [V, 3] likewise
    faces: np.ndarray,  # [F, 3]
    camera: Camera,
) -> np.ndarray:  # [133] bool
    """Whether a point is at the nearest surface, or inside the limb that is."""
    height, width = (round(s * DEPTH_SCALE) for s in (camera.height, camera.width))
    scale = np.array([width / camera.width, height / camera.height, 1.0])
    near = draw(vertices * scale, faces, height, width).near
    near = np.pad(near, 2, constant_values=np.inf)
    pixel = np.floor(points[:, :2] * scale[:2]).astype(int)
    x, y = np.clip(pixel, -1, (width, height)).T + 2
    # the farthest of 3 x 3: a point on the outline must not be lost to rounding
    around = np.stack([near[y + j, x + i] for j in (-1, 0, 1) for i in (-1, 0, 1)]).max(0)
    depth_limit = np.full(len(points), INSIDE_HAND)
    depth_limit[BODY_AND_FEET] = INSIDE_LIMB
    depth_limit[FACE], depth_limit[HEAD] = ON_SKIN, ON_SKIN
    return points[:, 2] <= around + depth_limit


def _scores(seen: np.ndarray) -> np.ndarray:  # [133] bool -> [133]
    """1 for what is seen; limbs behind the body keep half, face and hands nothing."""
    score = seen.astype(np.float32)
    limbs = slice(LIMBS.start, BODY_AND_FEET.stop)
    score[limbs] = np.maximum(score[limbs], HIDDEN_JOINT)
    return score
