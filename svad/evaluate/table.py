"""Results for people to read: one table, and sheets of pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from svad.evaluate import from_clip, looks, synthetic
from svad.evaluate.truth import Truth
from svad.evaluate.views import heads
from svad.media.images import resize

# pictures of a view at most
SHOWN = {
    **{"photo": 1, "given": 2, "train": 3, "held_out": 4, "held_out_unrefined": 2},
    "novel_pose": 9,
}
SIDE = 360  # px, height of a picture on a sheet
HEAD = 1.6  # half a side of the enlarged square, in radii of the head
GAP = 4  # px
Row = synthetic.Row | from_clip.Row
Measured = synthetic.Measured | from_clip.Measured


def table(rows: Sequence[Row]) -> str:
    """Rows under a heading; psnr in dB / ssim, and lpips where it was measured."""
    views = list(rows[0].scores)
    return _columns([["case", "method", *views, "seconds"], *(_cells(row, views) for row in rows)])


def tracking_table(rows: Sequence[from_clip.Row]) -> str:
    """How far the tracked person was from the truth: degrees and millimetres."""
    lines = [
        [row.case, stage, *(f"{value:.1f}" for value in found.values())]
        for row in rows
        for stage, found in row.tracking.items()
    ]
    names = next(found for row in rows for found in row.tracking.values())
    return _columns([["case", "poses", *names], *lines])


def looks_table(rows: Sequence[looks.Row]) -> str:
    """Rows under a heading; psnr in dB / ssim / iou, then what the eye objects to."""
    flaws = list(rows[-1].looks)
    lines = [["case", *looks.VIEWS, *flaws, "seconds"]]
    for row in rows:
        scores = [
            f"{found['psnr']:.2f} / {found['ssim']:.4f} / {found['iou']:.3f}"
            for found in (row.scores[view] for view in looks.VIEWS)
        ]
        objected = [f"{row.looks[name]:.4f}" if name in row.looks else "-" for name in flaws]
        lines.append([row.case, *scores, *objected, f"{row.seconds:.1f}"])
    return _columns(lines)


def looks_sheet(
    measured: looks.Measured,
    count: int,  # sides of a pose
) -> np.ndarray:  # [h, w, 3] uint8
    """The photo, and for each pose a row of the truth's sides above one of the avatar's."""
    inked = (np.minimum(measured.truth, measured.drawn) < 250).any((0, -1))  # in any picture
    (top, bottom), (left, right) = (_ends(inked.any(axis)) for axis in (1, 0))
    rows = []
    for start in range(0, len(measured.truth), count):
        for pictures in (measured.truth, measured.drawn):
            cut = pictures[start : start + count, top:bottom, left:right]
            rows.append(np.concatenate([_fitted(picture) for picture in cut], 1))
    sides = np.concatenate(rows)
    photo = _fitted(measured.photo)
    beside = np.full((len(sides), photo.shape[1], 3), 255, np.uint8)
    beside[: len(photo)] = photo
    return np.concatenate([beside, sides], 1)


def _ends(inside: np.ndarray) -> tuple[int, int]:
    places = np.flatnonzero(inside)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, len(inside))


def _columns(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(row: Row, views: Sequence[str]) -> list[str]:
    scores = []
    for view in views:
        found = row.scores[view]
        text = f"{found['psnr']:.2f} / {found['ssim']:.4f}"
        scores.append(text + (f" / {found['lpips']:.4f}" if "lpips" in found else ""))
    return [row.case, row.method, *scores, f"{row.seconds:.1f}"]


def sheet(truth: Truth, measured: Sequence[Measured]) -> np.ndarray:  # [h, w, 3] uint8
    """For some frames of each view: the truth and every method's picture, whole and the head."""
    rows = []
    for view, most in SHOWN.items():
        if view not in measured[0].truth:
            continue
        clip = measured[0].truth[view]
        place = heads(truth, truth.novel) if view == "novel_pose" else None
        for i in np.unique(np.linspace(0, len(clip.rgb) - 1, most).round().astype(int)):
            pictures = [clip.rgb[i], *(one.drawn[view][i] for one in measured)]
            where = _head(clip.matte[i]) if place is None else place[i]
            whole = [_fitted(picture) for picture in pictures]
            near = [_enlarged(picture, where) for picture in pictures]
            rows.append(np.concatenate([*whole, *near], 1))
    width = max(row.shape[1] for row in rows)
    padded = [
        np.pad(row, ((0, GAP), (0, width - row.shape[1]), (0, 0)), constant_values=255)
        for row in rows
    ]
    return np.concatenate(padded)


def _head(matte: np.ndarray) -> np.ndarray:  # [3] x, y, radius
    """Where the head of a standing person is: the upper end of the matte."""
    ys, xs = np.nonzero(matte > 127)
    if not len(ys):
        return np.array([matte.shape[1] / 2, matte.shape[0] / 2, matte.shape[0] / 8])
    radius = 0.075 * (ys.max() - ys.min())
    top = ys < ys.min() + 2 * radius
    return np.array([np.median(xs[top]), ys.min() + radius, radius])


def _fitted(picture: np.ndarray) -> np.ndarray:  # [SIDE, w, 3]
    return resize(picture, round(picture.shape[1] * SIDE / picture.shape[0]), SIDE)


def _enlarged(picture: np.ndarray, where: np.ndarray) -> np.ndarray:  # [SIDE, SIDE, 3]
    x, y, radius = where
    reach = HEAD * radius
    scale = SIDE / (2 * reach)
    matrix = np.array([[scale, 0, -scale * (x - reach)], [0, scale, -scale * (y - reach)]])
    return cv2.warpAffine(
        picture, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderValue=(255,) * 3
    )
