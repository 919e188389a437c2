"""The truth of one example person: photo, turning frames and novel poses, drawn once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from svad.body.free import load_free_body
from svad.body.model import RestBody
from svad.core.errors import JobError, SvadError
from svad.evaluate.truth import Truth
from svad.geometry.camera import Camera, photo_camera
from svad.geometry.rotation import matrix_to_axis_angle, rodrigues
from svad.motion.stills import Still
from svad.pose.drive import driving_poses, turning
from svad.storage import load, save
from svad.types import PHOTO_WEIGHT, Clip, Pose
from tools.examples.make import photo_view
from tools.examples.people import PEOPLE, bare_figure
from tools.truth.kept import BUILDERS, PHOTO_HEIGHT, kept_person, key
from tools.truth.person import MovingPerson
from tools.truth.plain import frame

ROUNDS = 4  # of the placing before the camera
FILLED = 0.87  # of the picture's height, or width, that the person fills
NOVEL = (
    Still(motion="wave", moment=0.5),
    Still(motion="walk", moment=0.1),  # a step, one knee bent
    Still(motion="raise_arms", moment=0.14),  # arms up to the side
)
NOVEL_YAWS = (0.0, 50.0, -130.0)  # degrees
FRAME_WEIGHT = 0.9  # every frame but the photo is believed a little less
CODE = (  # what is drawn, beside the people themselves
    *(
        "tools/truth/scene.py",
        "tools/truth/plain.py",
        "svad/pose/drive.py",
        "svad/motion/stills.py",
    ),
    *("svad/motion/rig.py", "svad/motion/gestures.py", "svad/motion/motion.py"),
    *(f"svad/motion/authored/{still.motion}.py" for still in NOVEL),
)

Tell = Callable[[int, int, str], None]
"""`tell(done, total, note)`."""


def truth(
    name: str,
    count: int,  # frames of the turn
    size: int,  # px, side of a frame
    cache: Path,  # folder where drawn truths are kept
    tell: Tell,
) -> Truth:
    """The truth of a person, from the cache if the same code drew it before.

    Raises `SvadError` for a person that is not there.
    """
    if name not in PEOPLE:
        raise SvadError(f"There is no person named {name}. Choose from: {', '.join(PEOPLE)}.")
    person = PEOPLE[name]
    folder = cache / f"{name}-{key((*BUILDERS, *CODE), count, size)}"
    paths = [folder / f"{part}.safetensors" for part in ("photo", "turning", "novel")]
    figure = bare_figure(person)
    joints = torch.from_numpy(figure.rest_joints).float()
    parents = tuple(load_free_body().parents)
    try:
        clips = [load(Clip, path) for path in paths]
    except JobError:  # not drawn yet, or not to its end
        tell(0, count, f"building {name}")
        moving = kept_person(name, cache)
        camera = photo_view(person, float(figure.vertices[:, 1].max()), PHOTO_HEIGHT)
        clips = draw(moving, camera, count, size, tell)
        for clip, path in zip(clips, paths, strict=True):
            save(clip, path)
    return Truth(name, *clips, joints=joints, parents=parents)


def draw(
    moving: MovingPerson,
    camera: Camera,  # of the photo
    count: int,
    size: int,
    tell: Tell,
) -> list[Clip]:
    """Photo (one frame), turn (`count` frames) and novel poses, each with its exact matte."""
    turn = turning("even", count)
    rest = RestBody(moving.points, moving.joints)
    poses = driving_poses(rest, load_free_body(), turn, np.zeros(3))
    lens = photo_camera(size, size)
    sequences = (
        (moving.pose, (camera,), np.zeros(1)),
        (placed(moving, poses, lens, [0]), (lens,) * count, turn),
        (*_novel(moving, lens), np.tile(NOVEL_YAWS, len(NOVEL))),
    )
    total, done = sum(len(poses) for poses, _, _ in sequences), 0
    clips = []
    for poses, cameras, degrees in sequences:
        pictures = []
        for pose, view in zip(poses, cameras, strict=True):
            pictures.append(frame(moving, pose, view))
            done += 1
            tell(done, total, f"frame {done} of {total}")
        rgb, matte = map(np.stack, zip(*pictures, strict=True))
        weight = np.full(len(rgb), FRAME_WEIGHT, np.float32)
        yaw = -np.radians((degrees + 180) % 360 - 180).astype(np.float32)
        clips.append(Clip(rgb, matte, poses, cameras, weight, yaw, None))
    clips[0].weight[0] = PHOTO_WEIGHT
    return clips


def _novel(moving: MovingPerson, lens: Camera) -> tuple[Pose, tuple[Camera, ...]]:
    """Every novel pose turned to every yaw, each pose framed on its own."""
    names = load_free_body().expression_names
    parts = []
    for still in NOVEL:
        pose = still.pose(names, moving.joints.numpy(), moving.parents)
        parts.append(from_sides(moving, pose, NOVEL_YAWS, lens))
    poses = Pose.cat(parts)
    return poses, (lens,) * len(poses)


def from_sides(
    moving: MovingPerson,
    pose: Pose,  # T = 1
    degrees: Sequence[float],  # S
    lens: Camera,
) -> Pose:  # T = S
    """A pose turned to several sides, its distance such that all of them fit the picture."""
    poses = Pose.cat([_turned(pose, yaw) for yaw in degrees])
    return placed(moving, poses, lens, range(len(poses)))


def _turned(pose: Pose, degrees: float) -> Pose:
    """The pose turned about the vertical through the pelvis."""
    turn = rodrigues(torch.tensor([0.0, float(np.radians(degrees)), 0.0]))
    rotations = pose.rotations.clone()
    rotations[:, 0] = matrix_to_axis_angle(turn @ rodrigues(pose.rotations[:, 0]))
    return replace(pose, rotations=rotations)


def placed(
    moving: MovingPerson,
    poses: Pose,  # T frames
    lens: Camera,
    looked_at: Iterable[int],  # frames
) -> Pose:  # T frames
    """The poses moved before the camera so that those looked at fill the picture."""
    points = np.concatenate([moving.vertices(poses[i], np.zeros(3)) for i in looked_at])
    size = max(np.ptp(points[:, :2], axis=0))
    middle = (points.min(0) + points.max(0)) / 2
    place = np.array([-middle[0], -middle[1], -size * lens.focal[1] / (FILLED * lens.height)])
    for _ in range(ROUNDS):  # what is nearer than the middle is larger
        seen = lens.project(points + place)[:, :2]
        low, high = seen.min(0), seen.max(0)
        off = (low + high) / 2 - np.asarray(lens.center)
        place[:2] += off * [1, -1] * place[2] / lens.focal[1]
        place[2] *= max(high - low) / (FILLED * lens.height)
    shift = torch.from_numpy(place).float()
    return replace(poses, translation=poses.translation + shift)


def people() -> tuple[str, ...]:
    """The names of all who can be drawn."""
    return tuple(PEOPLE)
