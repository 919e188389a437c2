"""Drawn clips for the stage, and networks small or made up enough for tests."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import lru_cache

import cv2
import numpy as np
from torch import Tensor, nn

from svad.body.coco import FACE
from svad.body.free import load_free_body
from svad.body.keypoints import whole_body
from svad.face.landmarks import five_points
from svad.face.projection import KnownFace
from svad.geometry.camera import photo_camera
from svad.restoration.networks import build_networks
from svad.restoration.restorer import Restored, Restorer
from svad.restoration.sizes import Sizes
from svad.types import Clip, Pose, Report, Subject
from svad.weights.strict import fill as give
from tests.fill import fill
from tests.helpers import one_pose
from tests.relief.people import subject_of
from tests.subject.people import person, pose_of

SIZE = (240, 320)  # width, height
PLACE = (0.0, -0.55, -2.2)  # down to the hips: the face's square is 70 px
MICRO = Sizes(
    block_out_channels=(8, 8, 16, 16),
    head_channels=8,
    norm_num_groups=4,
    control_heads=(1, 1, 2, 2),
    control_time_width=16,
    prompt_tokens=4,
    prompt_width=16,
    prompt_hidden=16,
    vae_channels=(4, 4, 8, 8),
    vae_layers=1,
)


@lru_cache(maxsize=1)
def subject() -> Subject:
    """The person from the front."""
    return subject_of(place=PLACE, size=SIZE)


@lru_cache(maxsize=16)
def turned(degrees: float, across: float = 0.0) -> tuple[np.ndarray, np.ndarray, Pose]:
    """The person turned and moved across (metres): picture, matte, pose."""
    pose, place = pose_of({0: (0, degrees, 0)}), (across, *PLACE[1:])
    one = person(pose, width=SIZE[0], height=SIZE[1], place=place)
    names = load_free_body().expression_names
    return one.rgb, one.matte, one_pose(pose, place, np.zeros(len(names)))


def clip_of(views: list[tuple[float, float]]) -> Clip:
    """The photo, then the person at (degrees, metres across)."""
    photo = subject()
    frames = [turned(*view) for view in views]
    return Clip(
        rgb=np.stack([photo.photo.rgb, *(rgb for rgb, _, _ in frames)]),
        matte=np.stack([photo.matte, *(matte for _, matte, _ in frames)]),
        poses=Pose.cat([photo.body.pose, *(pose for _, _, pose in frames)]),
        cameras=(photo_camera(*SIZE),) * (len(frames) + 1),
        weight=np.ones(len(frames) + 1, np.float32),
        yaw=np.radians([0.0, *(degrees for degrees, _ in views)]).astype(np.float32),
        start=None,
    )


def still_clip(frames: int, sigma: float) -> Clip:
    """The photo again and again, with fresh sensor noise of `sigma` levels in each frame."""
    clip, random = clip_of([(0.0, 0.0)] * (frames - 1)), np.random.default_rng(0)
    noise = random.normal(0, sigma, clip.rgb.shape)
    rgb = np.clip(np.rint(clip.rgb[:1] + noise), 0, 255).astype(np.uint8)
    return replace(clip, rgb=rgb)


def known_face(one: Subject) -> KnownFace:
    """The face of a subject on the default body, where the photo shows it."""
    return KnownFace(load_free_body(), one.body, one.keypoints)


def known_points(clip: Clip, frame: int) -> np.ndarray:  # [5, 2] px, whole-numbered centres
    """Where the body's five points are in a frame."""
    known = known_face(subject())
    return five_points(known.landmarks(clip.poses[frame], clip.cameras[frame])) - 0.5


def body_landmarks(clip: Clip, frame: int) -> np.ndarray:  # [68, 2] px
    """The landmarks of the fitted body itself."""
    import torch

    body, pose = load_free_body(), clip.poses[frame]
    rest = body.rest(torch.zeros(10))
    vertices = body.pose_vertices(rest, pose.rotations, pose.translation)
    joints = body.posed_joints(rest.joints, pose.rotations, pose.translation)
    return clip.cameras[frame].project(whole_body(body).points(vertices, joints).numpy())[FACE, :2]


@dataclass
class MadeUpRestorer:
    """Gives crops a colour cast and sharper edges, but nothing to those numbered in `fail`."""

    cast: tuple[int, int, int] = (40, 0, -40)
    sharper: float = 3.0
    fail: tuple[int, ...] = ()  # counted over all crops
    batches: list[int] = field(default_factory=list)
    noises: list[Tensor] = field(default_factory=list)
    weight: Tensor = field(default_factory=lambda: fill("weight", (1,), 0))

    def attempt(
        self, crops: np.ndarray, noise: Tensor, count: int, report: Report, batch: int
    ) -> Restored:
        before = sum(self.batches)
        self.noises.append(noise)
        for k in range(count):
            report(k, count, f"faces 1 to {len(crops)} of {len(crops)}, step {k + 1} of {count}")
        self.batches.append(len(crops))
        detail = [c.astype(np.float32) - cv2.GaussianBlur(c, (0, 0), 8) for c in crops]
        rgb = crops + self.sharper * np.stack(detail) + self.cast
        rgb = np.clip(rgb, 0, 255).astype(np.uint8)
        failed = tuple(i for i in range(len(crops)) if before + i in self.fail)
        rgb[list(failed)] = crops[list(failed)]
        return Restored(rgb=rgb, failed=failed)


class RowsDetector:
    """A detector that finds given rows, by the frame's own bytes."""

    def __init__(self, rows: dict[bytes, np.ndarray]) -> None:
        self.rows = rows

    def faces(self, rgb: np.ndarray) -> list[np.ndarray]:
        return [self.rows.get(f.tobytes(), np.zeros((0, 15), np.float32)) for f in rgb]


def row(points: np.ndarray) -> np.ndarray:  # [5, 2] -> [15]
    """A row of the detector around five points."""
    low, high = points.min(0) - 10, points.max(0) + 10
    return np.concatenate([low, high, [0.99], points.ravel()]).astype(np.float32)


@lru_cache(maxsize=1)
def micro_restorer() -> Restorer:
    """The real networks and sampler at the smallest sizes, with filled weights."""
    networks = build_networks(MICRO)
    for part in fields(networks):
        network: nn.Module = getattr(networks, part.name)
        shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        give(network, {key: fill(key, shape, 0) for key, shape in shapes.items()}, part.name)
    return Restorer(networks)
