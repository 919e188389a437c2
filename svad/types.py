"""What passes between the stages: frozen dataclasses of arrays and tensors, nothing else.

Letters: T frames, H rows, W columns, N Gaussians, V vertices, F faces, J = 55 joints,
K keypoints, E expression directions. Pictures are uint8 RGB numpy arrays, key points are (x, y)
in pixels of the picture they stand beside, lengths are metres.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from svad.compute.moved import moved
from svad.core.progress import Report as Report

if TYPE_CHECKING:  # for annotations only: importing these types must not cost the start of torch
    import numpy as np
    import torch
    from torch import Tensor

    from svad.geometry.camera import Camera
    from svad.splat.gaussians import Gaussians


@dataclass(frozen=True)
class Photo:
    """A decoded, upright photo without metadata."""

    rgb: np.ndarray  # [H, W, 3] uint8
    alpha: np.ndarray | None  # [H, W] uint8, only if the file had real transparency
    warnings: tuple[str, ...] = ()  # sentences for the person


@dataclass(frozen=True)
class Source:
    """What a person sent: photos or a clip; exactly one of the two is there."""

    photos: tuple[Photo, ...] = ()  # decoded, upright, in the order in which they were sent
    clip: Path | None = None


@dataclass(frozen=True)
class Pose:
    """Poses of one body in SMPL-X joint order, placed in the world: T frames, one pose is T = 1.

    `pose[2:5]` and `pose[[0, 7]]` are fewer frames. `pose[2]`, and what a loop gives, is a single
    frame without the frame axis. Whatever poses something takes both, and its result has the frame
    axis if the pose has.
    """

    rotations: Tensor  # [T, 55, 3] axis-angle relative to the parent, radians
    translation: Tensor  # [T, 3] metres, added after skinning
    expression: Tensor  # [T, E] coefficients, 0 = neutral

    @staticmethod
    def cat(
        parts: Sequence[Pose],  # T frames each, with one E
    ) -> Pose:
        """All frames of several poses, one after another."""
        import torch

        return Pose(
            torch.cat([part.rotations for part in parts]),
            torch.cat([part.translation for part in parts]),
            torch.cat([part.expression for part in parts]),
        )

    def __len__(self) -> int:
        """The number of frames; raises TypeError for a single frame without the frame axis."""
        if self.translation.ndim != 2:
            raise TypeError("a single frame of a pose has no length")
        return self.translation.shape[0]

    def __getitem__(self, index: int | slice | Sequence[int]) -> Pose:
        return Pose(self.rotations[index], self.translation[index], self.expression[index])

    def __iter__(self) -> Iterator[Pose]:
        return (self[frame] for frame in range(len(self)))

    def to(self, device: torch.device | str) -> Pose:
        """The same poses on another device."""
        return moved(self, device)


@dataclass(frozen=True)
class BodyFit:
    """The body model brought to one person: shape (as a rest body), pose and camera."""

    betas: np.ndarray  # [B] shape coefficients
    bone_scales: np.ndarray  # [11] length factors by limb group, 1 = as the betas say
    vertices: np.ndarray  # [V, 3] rest surface of this person (zero pose), metres
    joints: np.ndarray  # [55, 3] rest joints of this person, metres
    pose: Pose  # T = 1, the pose in the photo
    camera: Camera  # camera of the photo (svad.geometry.camera.photo_camera)


@dataclass(frozen=True)
class Closeup:
    """A part of the photo at a higher density than the working size."""

    rgb: np.ndarray  # [h, w, 3] uint8
    matte: np.ndarray  # [h, w] uint8
    box: tuple[int, int, int, int]  # x0, y0, x1, y1 in working pixels; h = density (y1 - y0)
    density: int  # pixels per working pixel, along each axis


@dataclass(frozen=True)
class Subject:
    """The person in the photo, understood."""

    photo: Photo  # at the working size
    matte: np.ndarray  # [H, W] uint8
    keypoints: np.ndarray  # [133, 3] x px, y px, score; COCO-WholeBody order
    face: np.ndarray | None  # [478, 3] face mesh, x px, y px, z px (smaller = nearer), or None
    head: Closeup | None  # the head at double density
    body: BodyFit
    warnings: tuple[str, ...]  # sentences for the person


@dataclass(frozen=True)
class SkinnedMesh:
    """A coloured triangle mesh in the rest pose, bound to the skeleton."""

    vertices: np.ndarray  # [V, 3] float32
    faces: np.ndarray  # [F, 3] int32
    colors: np.ndarray  # [V, 3] uint8
    joint_ids: np.ndarray  # [V, 4] int32
    joint_weights: np.ndarray  # [V, 4] float32, rows sum to 1
    expression_ids: np.ndarray  # [K] int32, the vertices an expression moves
    expression_dirs: np.ndarray  # [K, E, 3] float16, metres per unit coefficient


@dataclass(frozen=True)
class Correctives:
    """A small network from the body's pose to changes of N Gaussians (SVAD, Eq. 10).

    The rotations of the 21 body joints give H hidden values, these K coefficients, and each
    coefficient its share of a change. See `svad.body.correctives`.
    """

    hidden: Tensor  # [H, 126] of six numbers for each body joint
    hidden_bias: Tensor  # [H]
    output: Tensor  # [K, H]
    basis: Tensor  # [K, N, 7] per coefficient: metres (3), logarithm of the size (1), colour (3)

    def to(self, device: torch.device | str) -> Correctives:
        """The same network on another device."""
        return moved(self, device)


@dataclass(frozen=True)
class Avatar:
    """Gaussians in the rest pose (zero pose, T) with all that is needed to pose them."""

    gaussians: Gaussians  # N
    joint_ids: Tensor  # [N, 4] int64
    joint_weights: Tensor  # [N, 4] float32, rows sum to 1
    joints: Tensor  # [55, 3] rest joints, metres
    parents: tuple[int, ...]  # 55, root -1
    expression_names: tuple[str, ...]  # E
    expression_ids: Tensor  # [K] int64, the Gaussians an expression moves
    expression_dirs: Tensor  # [K, E, 3] float16, metres per unit coefficient
    mesh: SkinnedMesh  # the same person as a closed mesh, for .glb
    pose: Pose  # T = 1, the pose of the photo
    camera: Camera  # the camera of the photo
    correctives: Correctives | None = None  # what a pose changes beyond turning the limbs

    def to(self, device: torch.device | str) -> Avatar:
        """The same avatar on another device; the mesh stays in arrays."""
        return moved(self, device)


PHOTO_WEIGHT = 1.0  # of the photo among the frames of a clip; every other frame has less


@dataclass(frozen=True)
class Clip:
    """Frames of one person with known pose and camera."""

    rgb: np.ndarray  # [T, H, W, 3] uint8
    matte: np.ndarray  # [T, H, W] uint8
    poses: Pose  # T frames
    cameras: tuple[Camera, ...]  # T
    weight: np.ndarray  # [T] float32, how much a frame is to be believed
    yaw: np.ndarray  # [T] float32 radians, the side the person is seen from
    start: Avatar | None  # first guess of the avatar, where the source of the clip has one

    def __getitem__(self, rows: Sequence[int]) -> Clip:
        """The chosen frames, in that order."""
        rows = list(rows)
        return replace(
            self,
            rgb=self.rgb[rows],
            matte=self.matte[rows],
            poses=self.poses[rows],
            cameras=tuple(self.cameras[i] for i in rows),
            weight=self.weight[rows],
            yaw=self.yaw[rows],
        )

    def to(self, device: torch.device | str) -> Clip:
        """The same clip with poses and avatar on another device; pictures stay in arrays."""
        return moved(self, device)


@dataclass(frozen=True)
class Footage:
    """Pictures of one person, chosen from a clip or sent as photos, and what is seen in each."""

    photo: Photo  # the best picture of the front, as large as it came
    front: int  # its place among the pictures
    rgb: np.ndarray  # [T, H, W, 3] uint8, in the order of time; of photos, as they were sent
    matte: np.ndarray  # [T, H, W] uint8
    keypoints: np.ndarray  # [T, 133, 3] x px, y px, score; COCO-WholeBody order
    depth: np.ndarray  # [T, 133] metres relative to the hips, smaller = nearer; nan = unknown
    time: np.ndarray  # [T] float64 seconds from the clip's start; nan = a photo
    sharpness: np.ndarray  # [T] float32, 1 = the sharpest
    yaw: np.ndarray  # [T] float32 radians, a first estimate of the side that is seen
    cameras: tuple[Camera, ...]  # T
    warnings: tuple[str, ...]  # sentences for the person
    # [T, 4] x0, y0, x1, y1 of the picture in what was sent, px; may reach beyond it; None = all
    cuts: np.ndarray | None = None


@dataclass(frozen=True)
class Result:
    """What a person takes home; all of it lies in the job folder."""

    files: Mapping[str, Path]  # by the name of the format, see `svad.export.formats`

    @property
    def archive(self) -> Path:
        """The zip that holds the others."""
        return self.files["archive"]


@dataclass(frozen=True)
class StageState:
    """What the page and the terminal show of one stage."""

    name: str  # a row of the table of stages
    title: str  # a few plain words
    state: str  # waiting | running | done | kept | skipped | stopped | paused | failed
    done: int
    total: int
    note: str
    seconds: float  # spent so far
    remaining: float | None  # estimate, None when unknown
    thumbnail: Path | None  # small jpg in the job folder
