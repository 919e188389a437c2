"""Motion transfer: the person of the photo in the movements of somebody else's clip, as a video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from svad.config.diffusion import DiffusionConfig
from svad.core.progress import part
from svad.diffusion.canvas import Canvas, compose, letterbox
from svad.diffusion.generate import Request
from svad.diffusion.stage import Generate
from svad.pose.align import align
from svad.pose.keypoints import Figure, WholeBody, to_figure
from svad.types import Report, Subject

LOOKED, TOTAL = 200, 1000  # where looking at the clip ends in the bar

People = Callable[[Iterable[np.ndarray]], Iterator[WholeBody]]
"""`people(frames)`: the key points of the person in each frame of a clip."""


class FollowStage:
    """SVAD section 3.1 on a clip of one's own: figures found, aligned in the picture, drawn.

    Nothing is known of body and camera in such frames, so they make a video and no avatar.
    """

    def __init__(self, config: DiffusionConfig, generate: Generate, people: People) -> None:
        self.config, self.generate, self.people = config, generate, people

    def run(
        self,
        subject: Subject,
        frames: Sequence[np.ndarray],  # T x [H, W, 3] uint8, of one size
        report: Report,
    ) -> np.ndarray:  # [T, height, width, 3] uint8
        """The person in the pose of each frame. Raises `MissingWeights`, `WeightsMismatch`."""
        size, found = (frames[0].shape[0], frames[0].shape[1]), []
        looking = part(report, 0, LOOKED, TOTAL)
        for person in self.people(frames):
            found.append(to_figure(person, size))
            looking(len(found), len(frames), f"looking at frame {len(found)} of {len(frames)}")
        height, width = subject.matte.shape
        points = WholeBody(subject.keypoints[:, :2], subject.keypoints[:, 2])
        aligned = align(to_figure(points, (height, width)), found)
        canvas = letterbox(
            _bounds(subject, aligned.figures),
            (width, height),
            self.config.width,
            self.config.height,
        )
        photo, _ = compose(subject, canvas)
        figures = tuple(_moved(figure, canvas, (width, height)) for figure in aligned.figures)
        report(LOOKED, TOTAL, " ".join(("figures drawn", *aligned.warnings)))
        return self.generate(Request(photo, figures, size), part(report, LOOKED, TOTAL, TOTAL))


def _bounds(subject: Subject, figures: Sequence[Figure]) -> np.ndarray:  # [4] px of the photo
    """What the person covers in the photo and the seen joints anywhere in the clip."""
    ys, xs = np.nonzero(subject.matte > 127)
    size = np.array(subject.matte.shape[::-1])
    spots = [figure.body[figure.body_seen] * size for figure in figures]
    spots.append(np.array([[xs.min(), ys.min()], [xs.max() + 1, ys.max() + 1]], np.float64))
    every = np.concatenate(spots)
    return np.concatenate([every.min(0), every.max(0)])


def _moved(figure: Figure, canvas: Canvas, size: tuple[int, int]) -> Figure:
    """A figure normalised to the photo, normalised to the canvas."""
    whole = np.array([canvas.width, canvas.height])

    def move(points: np.ndarray) -> np.ndarray:
        return canvas.move(points * np.array(size), size) / whole

    return replace(
        figure, body=move(figure.body), hands=move(figure.hands), face=move(figure.face),
        aspect=canvas.width / canvas.height,
    )  # fmt: skip
