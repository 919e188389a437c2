"""Draws still pictures of an avatar with straight alpha: the front, all sides, other poses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from svad.body.poser import Poser
from svad.body.skin import pose_gaussians
from svad.export.context import ExportContext
from svad.geometry.camera import Camera
from svad.geometry.rotation import axis_rotation
from svad.media.images import save_png
from svad.motion.stills import POSES
from svad.splat.cutout import cutout
from svad.splat.gaussians import Gaussians
from svad.splat.scene import frame_camera
from svad.types import Avatar

SAMPLE = 4000  # points that are enough to frame a person
SWEEP = 12  # turns that stand for all


def write_front(context: ExportContext, path: Path) -> None:
    """The front view as .png."""
    front = draw_front(context.avatar, *context.size)
    save_png(path, front)
    context.progress.next(over_white(front))


def write_views(context: ExportContext, path: Path) -> None:
    """NNN.png in the folder `path`, the views from all sides."""
    count, height = context.settings.views, context.settings.view_height
    for number, picture in enumerate(draw_views(context.drawn, count, height)):
        save_png(path / f"{number:03}.png", picture)
        context.progress.next(over_white(picture))
    for old in path.glob("*.png"):  # of a run with more views
        if old.stem.isdigit() and int(old.stem) >= count:
            old.unlink()


def write_poses(context: ExportContext, path: Path) -> None:
    """NAME.png in the folder `path`, one for each still pose."""
    for name, picture in draw_poses(context.poser, context.settings.view_height):
        save_png(path / f"{name}.png", picture)
        context.progress.next(over_white(picture))


def draw_front(avatar: Avatar, width: int, height: int) -> np.ndarray:  # [height, width, 4] uint8
    """The avatar in the photo's own pose and camera, at the photo's size."""
    camera = avatar.camera
    if (camera.width, camera.height) != (width, height):
        raise ValueError(
            f"the avatar's camera is {camera.width} x {camera.height} px, "
            f"the photo {width} x {height}"
        )
    return cutout(pose_gaussians(avatar, avatar.pose[0]), camera)


def draw_views(
    standing: Gaussians,  # N
    count: int,
    height: int,  # px
) -> Iterator[np.ndarray]:  # count x [height, W, 4] uint8
    """`count` equal steps around the avatar, the first from the front, all framed alike."""
    for camera in around(standing.means.cpu().numpy(), count, height):
        yield cutout(standing, camera)


def draw_poses(
    poser: Poser,
    height: int,  # px
) -> Iterator[tuple[str, np.ndarray]]:  # name, [height, W, 4] uint8
    """The avatar from the front in other poses."""
    avatar = poser.avatar
    for name, still in POSES.items():
        pose = still.pose(avatar.expression_names, avatar.joints.cpu().numpy(), avatar.parents)
        posed = poser(pose[0])
        camera = frame_camera(posed.means.cpu().numpy(), height, pitch=0.0)
        yield name, cutout(posed, camera)


def over_white(picture: np.ndarray) -> np.ndarray:  # [H, W, 4] -> [H, W, 3] uint8
    """A picture with straight alpha on white paper, for thumbnails."""
    color, alpha = picture[..., :3].astype(np.float32), picture[..., 3:] / np.float32(255)
    return (color * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)


def around(
    points: np.ndarray,  # [N, 3] all that has to be seen, metres
    count: int,
    height: int,  # px
) -> list[Camera]:
    """`count` level cameras in equal steps, to the person's left first, all with one framing."""
    points = points[:: max(1, len(points) // SAMPLE)]
    axis = (points.min(0) + points.max(0)) / 2 * (1, 0, 1)
    turns = [axis_rotation(1, 2 * np.pi * k / SWEEP) for k in range(SWEEP)]
    swept = np.concatenate([(points - axis) @ turn.T + axis for turn in turns])
    base = frame_camera(swept, height, pitch=0.0)
    cameras = []
    for k in range(count):
        # turning the person is walking round the other way
        turn = axis_rotation(1, -2 * np.pi * k / count)
        shift = base.translation + base.rotation @ (axis - turn @ axis)
        rotation = (base.rotation @ turn).astype(np.float32)
        cameras.append(replace(base, rotation=rotation, translation=shift.astype(np.float32)))
    return cameras
