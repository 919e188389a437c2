"""Figures for the pose tests: golden ones, and a made-up person."""

from __future__ import annotations

import numpy as np

from svad.pose.keypoints import Figure, Packed, WholeBody, to_figure, unpack

SIZE = (400, 300)  # height, width of the made-up person's picture


def golden_figure(data: dict[str, np.ndarray], prefix: str, aspect: float, frame=()) -> Figure:
    """The only person of `<prefix>body, subset, hands, faces` (of one frame)."""
    body, subset, hands, faces = (
        data[prefix + name][frame] for name in ("body", "subset", "hands", "faces")
    )
    (figure,) = unpack(Packed(body, subset, hands, faces), aspect)
    return figure


def person(scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> Figure:
    """Somebody standing with the arms out, all points seen."""
    xy = np.zeros((133, 2))
    xy[:17] = [
        *((150, 60), (158, 52), (142, 52), (166, 56), (134, 56), (190, 100), (110, 100)),
        *((225, 140), (75, 140), (255, 180), (45, 180), (175, 210), (125, 210)),
        *((180, 290), (120, 290), (182, 370), (118, 370)),
    ]
    xy[17:23] = xy[[15, 15, 15, 16, 16, 16]] + [(8, 12), (14, 10), (-4, 8)] * 2
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    xy[23:91] = xy[0] + 14 * np.stack([np.cos(turn), np.sin(turn)], 1)
    spread = np.stack(np.meshgrid(np.arange(5) * 4 - 8, np.arange(1, 5) * 5), -1)
    fingers = spread.transpose(1, 0, 2).reshape(20, 2)
    for first, wrist in ((91, 9), (112, 10)):
        xy[first] = xy[wrist]
        xy[first + 1 : first + 21] = xy[wrist] + fingers
    return to_figure(WholeBody(xy * scale + shift, np.ones(133)), SIZE)
