"""The person of the photo turning around, as frames from the video diffusion model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from svad.body.model import BodyModel
from svad.config.diffusion import DiffusionConfig
from svad.core.progress import part
from svad.diffusion import frame_confidence as confidence
from svad.diffusion.canvas import Canvas, compose, letterbox, squash
from svad.diffusion.generate import Request
from svad.diffusion.view import followed
from svad.geometry.camera import Camera
from svad.media.images import resize
from svad.pose.align import align
from svad.pose.drive import (
    SIZE,
    Driving,
    drive_default,
    drive_fitted,
    driving_bounds,
    rest_of,
    turning,
)
from svad.pose.keypoints import Figure, WholeBody, to_figure
from svad.types import PHOTO_WEIGHT, Avatar, Clip, Pose, Report, Subject

FRAME_HEIGHT = 768  # px, to which SVAD brings the frames, whatever size they were made at
PREPARED, GENERATED, TOTAL = 100, 850, 1000  # where the parts of the stage end in its bar

Generate = Callable[[Request, Report], np.ndarray]
"""`generate(request, report)`: frames [T, H, W, 3] uint8."""


class DiffusionStage:
    """From the photo to a clip of the person turning, every frame with pose and camera."""

    def __init__(
        self,
        config: DiffusionConfig,
        body: BodyModel,
        generate: Generate,
        reader: confidence.Reader,
    ) -> None:
        self.config, self.body = config, body
        self.generate, self.reader = generate, reader

    def run(self, subject: Subject, start: Avatar | None, report: Report) -> Clip:
        """The photo as frame 0, then the generated frames; `start` goes along with them.

        With figures aligned in the picture (`fit` "keypoints") the poses are those of the person's
        own body in the same movement, and the camera brings it onto the figures: close, not exact.
        Raises `SettingError`, `MissingWeights`, `WeightsMismatch`.
        """
        c = self.config
        c.require_valid()
        turn = turning(c.turn, c.frames)
        report(0, TOTAL, "placing the person")
        canvas = self._canvas(subject, turn)
        photo, matte = self._photo(subject, canvas)
        camera = canvas.camera(subject.body.camera)
        posing = part(report, 0, PREPARED, TOTAL)
        driving = drive_fitted(
            self.body, replace(subject.body, camera=camera), turn,
            lambda i, n: posing(i, n, f"pose {i} of {n}"),
        )  # fmt: skip
        request = self._request(subject, canvas, photo, driving, turn)
        if c.fit == "keypoints":
            driving = followed(driving, request.figures)
        frames = self.generate(request, part(report, PREPARED, GENERATED, TOTAL))
        return self._clip(subject, start, camera, driving, (photo, matte), frames, report)

    def _canvas(self, subject: Subject, turn: np.ndarray) -> Canvas:
        c, height, width = self.config, *subject.matte.shape
        if c.squash:
            return squash(c.width, c.height)
        ys, xs = np.nonzero(subject.matte > 127)
        seen = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float64)
        moved = driving_bounds(self.body, subject.body, turn)
        box = np.concatenate([np.minimum(seen[:2], moved[:2]), np.maximum(seen[2:], moved[2:])])
        return letterbox(box, (width, height), c.width, c.height)

    def _photo(self, subject: Subject, canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
        if not self.config.squash:
            return compose(subject, canvas)
        return canvas.place(subject.photo.rgb, 0), canvas.place(subject.matte, 0)

    def _request(
        self,
        subject: Subject,
        canvas: Canvas,
        photo: np.ndarray,
        driving: Driving,
        turn: np.ndarray,
    ) -> Request:
        size = (canvas.height, canvas.width)
        if self.config.fit == "body":
            return Request(photo, tuple(driving.figures()), size)
        clip = drive_default(self.body, turn)
        aligned = align(reference_figure(subject, canvas), clip.figures())
        return Request(photo, aligned.figures, SIZE)

    def _clip(
        self,
        subject: Subject,
        start: Avatar | None,
        photo_view: Camera,  # the photo's camera, seeing the canvas
        driving: Driving,
        first: tuple[np.ndarray, np.ndarray],  # the photo on the canvas and its matte
        frames: np.ndarray,  # [T, H, W, 3] uint8
        report: Report,
    ) -> Clip:
        rest = rest_of(subject.body)
        count = len(frames)
        mattes, qualities = [], []
        looking = part(report, GENERATED, TOTAL, TOTAL)
        for i, frame in enumerate(frames):
            looking(i, count, f"looking at frame {i + 1} of {count}")
            body = confidence.silhouette(self.body, rest, driving, i)
            sight = self.reader(frame)
            if sight is None:
                mattes.append(body)
                qualities.append(0.0)
                continue
            mattes.append(sight.matte)
            yaw = float(driving.yaw[i])
            qualities.append(confidence.quality(sight, driving.points[i], body, yaw))
        lost = [i for i, quality in enumerate(qualities) if quality < confidence.LOST]
        factor = min(1.0, FRAME_HEIGHT / frames.shape[1])
        own, camera = (view.resized(factor) for view in (photo_view, driving.camera))
        size = (camera.width, camera.height)
        clip = Clip(
            rgb=np.stack([resize(picture, *size) for picture in (first[0], *frames)]),
            matte=np.stack([resize(matte, *size) for matte in (first[1], *mattes)]),
            poses=Pose.cat([subject.body.pose, driving.poses]),
            cameras=(own, *(camera,) * count),
            weight=np.array([PHOTO_WEIGHT, *map(confidence.weight_of, qualities)], np.float32),
            yaw=np.concatenate([np.zeros(1, np.float32), driving.yaw]),
            start=start,
        )
        report(TOTAL, TOTAL, summary(count, lost), confidence.strip(frames, lost))
        return clip


def reference_figure(subject: Subject, canvas: Canvas) -> Figure:
    """The person's own key points on the canvas."""
    height, width = subject.matte.shape
    points = canvas.move(subject.keypoints, (width, height))
    return to_figure(WholeBody(points[:, :2], points[:, 2]), (canvas.height, canvas.width))


def summary(count: int, lost: list[int]) -> str:
    """What became of the frames, for the person; frames are counted from 0, the photo."""
    if not lost:
        return f"{count} frames"
    if len(lost) == count:
        return f"all {count} frames lost the person: nothing can be learned from them"
    numbers = confidence.names([i + 1 for i in lost])
    return f"{count} frames; {len(lost)} lost the person and count little: {numbers}"
