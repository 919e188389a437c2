"""The truth for what no photo shows: people as they are photographed, and all their other sides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from svad.body.free import load_free_body
from svad.core.errors import JobError, SvadError
from svad.evaluate.truth import Look
from svad.geometry.camera import Camera, photo_camera
from svad.motion.standing import a_pose
from svad.storage import load, save
from svad.types import PHOTO_WEIGHT, Clip, Pose
from tools.examples.others import EVERYBODY
from tools.examples.people import bare_figure
from tools.truth.kept import BUILDERS, PHOTO_HEIGHT, kept_person, key
from tools.truth.kinds import KINDS
from tools.truth.person import MovingPerson
from tools.truth.plain import frame
from tools.truth.scene import FRAME_WEIGHT, NOVEL, from_sides, placed
from tools.truth.stances import TURNED, posed

PHOTO_SHAPE = 0.75  # width of the photo over its height
SIDES = tuple(range(0, 360, 45))  # degrees that the person is turned by, to their left
CODE = (
    *("tools/truth/looks.py", "tools/truth/scene.py", "tools/truth/plain.py"),
    *("svad/motion/stills.py", "svad/motion/rig.py", "svad/motion/gestures.py"),
    *(f"svad/motion/authored/{still.motion}.py" for still in NOVEL),
)


Tell = Callable[[int, int, str], None]
"""`tell(done, total, note)`."""


def look(
    kind: str,
    name: str,
    size: int,  # px, side of a frame
    cache: Path,  # folder where drawn truths are kept
    tell: Tell,
) -> Look:
    """A person as they are photographed, and their sides in the A-pose and in three other poses.

    From the cache if the same code drew it before. Raises `SvadError` for a kind or a person that
    is not there.
    """
    for word, known in ((kind, tuple(KINDS)), (name, tuple(EVERYBODY))):
        if word not in known:
            raise SvadError(f"There is no {word} here. Choose from: {', '.join(known)}.")
    stance = KINDS[kind].stance

    def drawn(path: Path, draw: Callable[[MovingPerson], Clip]) -> Clip:
        try:
            return load(Clip, path)
        except JobError:  # not drawn yet, or not to its end
            tell(0, 1, f"building {name}")
            clip = draw(kept_person(name, cache))
            save(clip, path)
            return clip

    code = (*BUILDERS, *CODE)
    mark = key((*code, "tools/truth/stances.py"), stance, PHOTO_HEIGHT)
    photo = drawn(
        cache / "looks" / f"{name}-{stance}-{mark}.safetensors",
        lambda moving: photographed(moving, stance, PHOTO_HEIGHT, tell),
    )
    sides = drawn(
        cache / "looks" / f"{name}-sides-{key(code, size)}.safetensors",
        lambda moving: all_sides(moving, size, tell),
    )
    figure = bare_figure(EVERYBODY[name])
    joints = torch.from_numpy(figure.rest_joints).float()
    parents = tuple(load_free_body().parents)
    return Look(kind, name, photo, sides, len(SIDES), joints, parents)


def photographed(
    moving: MovingPerson,
    stance: str,  # a key of `STANCES`
    height: int,  # px
    tell: Tell,
) -> Clip:  # T = 1
    """The picture that the pipeline gets: the person in a stance, over white."""
    lens = photo_camera(round(PHOTO_SHAPE * height), height)
    pose = placed(moving, posed(moving, stance), lens, [0])
    degrees = TURNED if stance == "turned" else 0.0
    clip = _clip(moving, pose, lens, np.array([degrees]), tell)
    clip.weight[0] = PHOTO_WEIGHT
    return clip


def all_sides(
    moving: MovingPerson,
    size: int,  # px
    tell: Tell,
) -> Clip:  # T = 4 * 8, pose by pose
    """The A-pose and three other poses from eight sides each."""
    lens, joints = photo_camera(size, size), moving.joints.numpy()
    names = load_free_body().expression_names
    poses = [a_pose(joints, moving.parents, len(names))]
    poses += [still.pose(names, joints, moving.parents) for still in NOVEL]
    turned = Pose.cat([from_sides(moving, pose, SIDES, lens) for pose in poses])
    return _clip(moving, turned, lens, np.tile(SIDES, len(poses)), tell)


def _clip(
    moving: MovingPerson, poses: Pose, camera: Camera, degrees: np.ndarray, tell: Tell
) -> Clip:
    pictures = []
    for place, pose in enumerate(poses, 1):
        pictures.append(frame(moving, pose, camera))
        tell(place, len(poses), f"frame {place} of {len(poses)}")
    rgb, matte = map(np.stack, zip(*pictures, strict=True))
    weight = np.full(len(rgb), FRAME_WEIGHT, np.float32)
    yaw = -np.radians((degrees + 180) % 360 - 180).astype(np.float32)
    return Clip(rgb, matte, poses, (camera,) * len(rgb), weight, yaw, None)
