"""A drawn clip of a person and all that is known of it, as it lies in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from svad.core.errors import JobError
from svad.geometry.camera import Camera
from svad.media.images import read_png, resize
from svad.types import Pose

CLIP, PHOTO, TRUTH = "clip.mp4", "photo_{}.jpg", "truth.safetensors"
RGB, MATTE = "rgb/{:03d}.png", "matte/{:03d}.png"  # over white and sharp; the covered share


@dataclass(frozen=True)
class Filmed:
    """A clip of T frames, or T photos, and the truth; poses are those of the person's own body."""

    folder: Path
    fps: float  # 0 = photos
    poses: Pose  # T frames
    cameras: tuple[Camera, ...]  # T, of the clip's size
    joints: Tensor  # [55, 3] rest joints, metres
    parents: tuple[int, ...]  # 55, root -1
    yaw: np.ndarray  # [T] float32 radians, the side that is seen, as `Clip.yaw`
    gain: np.ndarray  # [T, 3] float32, what the camera multiplied each channel by
    blurred: np.ndarray  # [T] bool

    @property
    def files(self) -> list[Path]:
        """The clip itself, or the photos."""
        if self.fps:
            return [self.folder / CLIP]
        return [self.folder / PHOTO.format(place) for place in range(len(self.cameras))]

    def picture(
        self,
        place: int,
        width: int,
        height: int,
        cut: np.ndarray | None = None,  # [4] x0, y0, x1, y1 px of the clip's; None = all of it
    ) -> tuple[np.ndarray, np.ndarray]:  # [h, w, 3] uint8 over white, [h, w] uint8
        """The truth of one frame, or of a part of it, at a size; its matte is exact."""
        camera = self.cameras[place]
        box = np.array((0, 0, camera.width, camera.height)) if cut is None else cut
        parts = []
        for name, beyond in ((RGB, (255, 255, 255)), (MATTE, (0, 0, 0))):
            whole = read_png(self.folder / name.format(place))
            scale = whole.shape[0] / camera.height
            parts.append(_part(whole, box * scale, width, height, beyond))
        return parts[0], parts[1]


def _part(
    picture: np.ndarray,  # [H, W] or [H, W, 3] uint8
    box: np.ndarray,  # [4] x0, y0, x1, y1 px, may reach beyond the picture
    width: int,
    height: int,
    beyond: tuple[int, int, int],  # what lies there
) -> np.ndarray:  # [height, width] or [height, width, 3] uint8
    """A part of a picture at a size; in whole multiples first, so that pixels are mixed."""
    if np.array_equal(box, (0, 0, picture.shape[1], picture.shape[0])):
        return resize(picture, width, height)
    more = max(1, round((box[3] - box[1]) / height))
    scale = np.array([width, height]) * more / (box[2:] - box[:2])
    shift = -box[:2] * scale + 0.5 * scale - 0.5  # pixel centres lie at halves
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    large = (width * more, height * more)
    return resize(cv2.warpAffine(picture, matrix, large, borderValue=beyond), width, height)


def read_filmed(folder: Path) -> Filmed:
    """Reads what `tools/truth/clips.py` wrote; raises `JobError` where it is not whole."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = load_file(folder / TRUTH)
        return unpacked(folder, found)
    except (OSError, SafetensorError, KeyError) as error:
        raise JobError(f"{folder} holds no drawn clip ({type(error).__name__}).") from error


def unpacked(
    folder: Path,
    found: dict[str, np.ndarray],  # [..] by name, as `packed` gives them
) -> Filmed:
    """The clip whose arrays these are; raises KeyError where one is missing."""
    width, height = (int(size) for size in found["size"])
    rows = zip(*(found[name] for name in ("rotation", "move", "focal", "center")), strict=True)
    return Filmed(
        folder=folder,
        fps=float(found["fps"]),
        poses=Pose(*(torch.from_numpy(found[f"pose.{f}"]) for f in Pose.__dataclass_fields__)),
        cameras=tuple(
            Camera(turn, move, _pair(focal), _pair(center), width, height)
            for turn, move, focal, center in rows
        ),
        joints=torch.from_numpy(found["joints"]),
        parents=tuple(found["parents"].tolist()),
        yaw=found["yaw"],
        gain=found["gain"],
        blurred=found["blurred"],
    )


def packed(filmed: Filmed) -> dict[str, np.ndarray]:
    """All that is known of a clip but its pictures, as plain arrays."""
    cameras = filmed.cameras
    poses = {f"pose.{f}": getattr(filmed.poses, f).numpy() for f in Pose.__dataclass_fields__}
    return {
        **{name: np.ascontiguousarray(value) for name, value in poses.items()},
        "rotation": np.stack([c.rotation for c in cameras]).astype(np.float32),
        "move": np.stack([c.translation for c in cameras]).astype(np.float32),
        "focal": np.array([c.focal for c in cameras]),
        "center": np.array([c.center for c in cameras]),
        "size": np.array([cameras[0].width, cameras[0].height]),
        "joints": filmed.joints.numpy(),
        "parents": np.array(filmed.parents),
        "yaw": filmed.yaw,
        "gain": filmed.gain,
        "blurred": filmed.blurred,
        "fps": np.array(filmed.fps),
    }


def nearest(
    filmed: Filmed,
    time: np.ndarray,  # [K] seconds
) -> list[int]:
    """The frames of the clip that were shown at those times."""
    last = len(filmed.cameras) - 1
    return np.clip(np.rint(np.asarray(time) * filmed.fps), 0, last).astype(int).tolist()


def _pair(values: np.ndarray) -> tuple[float, float]:
    x, y = values.tolist()
    return x, y
