"""What a person is told of a restoration: what came of it, and a picture before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count, groupby

import numpy as np

from svad.media.images import resize
from svad.restoration.models import DETECTOR, PARSER, RESTORER, UPSAMPLER, RestorationModels

PICTURE = 240  # px, height of the picture before and after
SHARE = 3  # the picture shows the upper third of the person
NAMED = 12  # so many spans of frames are named


def summary(
    models: RestorationModels,
    frames: int,
    scale: float,
    restored: Sequence[int],  # frames with a restored face
    left: Mapping[str, Sequence[int]],  # reason -> frames whose face is as it was
    photo_kept: bool,
) -> str:
    """The stage's last note. Frames are counted from 0, the photo."""
    parts = [f"{frames} frames at {scale:g} times their size"]
    if models.upsampler is None:
        parts.append(f"sharpened without a network ({models.file(UPSAMPLER)} is missing)")
    if models.restorer is None:
        return "; ".join([*parts, f"background only ({models.file(RESTORER)} is missing)"])
    faces = f"{len(restored)} faces restored"
    if models.detector is None:
        found = "a tracker's" if models.landmarks is not None else "the body's own"
        faces += f", at {found} key points ({models.file(DETECTOR)} is missing)"
    if models.parser is None:
        faces += f", with a soft oval mask ({models.file(PARSER)} is missing)"
    parts.append(faces)
    if photo_kept:
        parts.append("the photo keeps its own face, which is sharper")
    if left:
        number = len({t for numbers in left.values() for t in numbers})
        reasons = ", ".join(f"{reason}: {spans(numbers)}" for reason, numbers in left.items())
        parts.append(f"{number} faces left as they were ({reasons})")
    return "; ".join(parts)


def spans(numbers: Iterable[int]) -> str:
    """Frame numbers for a sentence, neighbours together."""
    counter = count()
    runs = [list(run) for _, run in groupby(sorted(numbers), lambda n: n - next(counter))]
    words = [str(r[0]) if len(r) == 1 else f"{r[0]} to {r[-1]}" for r in runs]
    kind = "frame" if len(runs) == 1 and len(runs[0]) == 1 else "frames"
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return f"{kind} {', '.join(words[:NAMED])}{more}"


def before_and_after(
    before: np.ndarray,  # [H, W, 3] uint8
    after: np.ndarray,  # [h, w, 3] uint8
    matte: np.ndarray,  # [H, W] uint8 of `before`
) -> np.ndarray:  # [240, 2 x 240 + 4, 3] uint8
    """The upper part of the person, side by side."""
    rows, columns = np.nonzero(matte > 127)
    height, width = matte.shape
    if not len(rows):
        rows, columns = np.array([0, height - 1]), np.array([0, width - 1])
    side = max(8, min(int(np.ptp(rows) + 1) // SHARE, height, width))
    top = max(0, min(int(rows.min()) - side // 10, height - side))
    middle = columns[rows <= rows.min() + side // 2].mean()
    left = max(0, min(round(middle - side / 2), width - side))
    pictures = []
    for picture in (before, after):
        y, x = picture.shape[0] / height, picture.shape[1] / width
        part = picture[round(top * y) : round((top + side) * y)]
        part = part[:, round(left * x) : round((left + side) * x)]
        pictures.append(resize(part, PICTURE, PICTURE))
    line = np.full((PICTURE, 4, 3), 255, np.uint8)
    return np.concatenate([pictures[0], line, pictures[1]], 1)
