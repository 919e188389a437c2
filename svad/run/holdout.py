"""Frames kept from the training, and the avatar drawn in them: how good it is on a real clip."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svad.config.film import FilmConfig
from svad.core.files import write_json
from svad.core.progress import part, silent
from svad.types import Avatar, Clip, Footage, Pose, Report

if TYPE_CHECKING:
    import numpy as np

FOLDER, TABLE = "holdout", "holdout.json"
HEIGHT = 540  # px of the compared pictures, never enlarged
KINDS = ("refined", "unrefined")  # poses: brought nearer to the frame, and as they were tracked
DIGITS = 4  # of a figure in the table
PROTOCOL = (
    "Every picture is over white, {height} px high, the frame through its matte. PSNR (dB) and "
    "SSIM of the whole picture against the frame; poses as tracked (unrefined), and refined "
    "against the frame itself with the avatar frozen (refined)."
)
Refine = Callable[[Avatar, Clip, Report], Pose]


@dataclass(frozen=True)
class Compared:
    """An avatar beside frames that it did not learn from."""

    truth: np.ndarray  # [K, H, W, 3] uint8, over white
    drawn: dict[str, np.ndarray]  # by kind, [K, H, W, 3] uint8
    scores: dict[str, list[dict[str, float]]]  # by kind, K times psnr in dB and ssim


def learnable(clip: Clip, film: FilmConfig | None) -> Clip:
    """The clip as the training sees it: frames that are kept from it weigh nothing."""
    kept = film.held_out(len(clip.rgb)) if film is not None else []
    if not kept:
        return clip
    weight = clip.weight.copy()
    weight[kept] = 0
    return replace(clip, weight=weight)


def pictures(
    avatar: Avatar,
    clip: Clip,  # T frames; its poses and cameras
    report: Report = silent,
) -> np.ndarray:  # [T, H, W, 3] uint8
    """The avatar over white in a clip's poses, as it is shown to people: gaps closed."""
    return drawn(avatar, clip, report)[0]


def drawn(
    avatar: Avatar,
    clip: Clip,  # T frames; its poses and cameras
    report: Report = silent,
) -> tuple[np.ndarray, np.ndarray]:  # [T, H, W, 3] uint8, [T, H, W] uint8
    """`pictures`, and their mattes."""
    import numpy as np
    import torch

    from svad.body.poser import Poser
    from svad.media.images import to_uint8
    from svad.splat.render import render

    poser = Poser.of(avatar)
    size = len(clip.cameras), clip.cameras[0].height, clip.cameras[0].width
    out, matte = np.empty((*size, 3), np.uint8), np.empty(size, np.uint8)
    for i, camera in enumerate(clip.cameras):
        with torch.no_grad():
            shown = render(poser(clip.poses[i]), camera)
        alpha = shown.alpha[0].numpy()
        out[i], matte[i] = to_uint8(shown.image[0].numpy() + 1 - alpha[..., None]), to_uint8(alpha)
        report(i + 1, len(out), f"view {i + 1} of {len(out)}")
    return out, matte


def compare(
    avatar: Avatar,
    clip: Clip,  # K frames
    refine: Refine,
    report: Report = silent,
) -> Compared:
    """The avatar, frozen, in the clip's frames; first with its poses refined, then as tracked."""
    from svad.learn.metrics import psnr, ssim

    clip = _fitting(clip)
    truth = over_white(clip)
    poses = {
        "refined": refine(avatar, clip, part(report, 0, 900, 1000, "frames kept aside")),
        "unrefined": clip.poses,
    }
    told = part(report, 900, 1000, 1000, "frames kept aside")
    shown = {kind: pictures(avatar, replace(clip, poses=poses[kind]), told) for kind in KINDS}
    scores = {
        kind: [
            {"psnr": psnr(picture, frame), "ssim": ssim(picture, frame)}
            for picture, frame in zip(shown[kind], truth, strict=True)
        ]
        for kind in KINDS
    }
    return Compared(truth, shown, scores)


def over_white(clip: Clip) -> np.ndarray:  # [T, H, W, 3] uint8
    """The clip's frames through their mattes, over white.

    At the edge the frame's own background is taken out: it is not the person's colour.
    """
    import numpy as np

    from svad.media.foreground import premultiplied
    from svad.media.images import to_float, to_uint8

    out = np.empty_like(clip.rgb)
    for i, (rgb, matte) in enumerate(zip(clip.rgb, clip.matte, strict=True)):
        alpha = to_float(matte)
        out[i] = to_uint8(premultiplied(to_float(rgb), alpha) + 1 - alpha[..., None])
    return out


def write(
    folder: Path,
    found: Compared,
    clip: Clip,  # K frames
    times: Sequence[float | None],  # K, seconds from the clip's start; None = a photo
    rows: Sequence[int],  # K, places of the frames in the film
) -> list[Path]:
    """Writes `truth_000.png`, `refined_000.png` and so on, and `holdout.json`; returns the paths.

    Pictures of an earlier, longer row of frames go. Raises `OutputError`.
    """
    from svad.media.images import save_png

    again = (folder / TABLE).is_file()  # else pictures of these names are somebody's own
    paths = []
    for kind, images in {"truth": found.truth, **found.drawn}.items():
        for i, image in enumerate(images):
            paths.append(folder / f"{kind}_{i:03}.png")
            save_png(paths[-1], image)
        for left in set(folder.glob(f"{kind}_[0-9][0-9][0-9].png")) - set(paths) if again else ():
            left.unlink()
    frames = [
        {
            "picture": i,
            "frame": int(row),
            "time": None if time is None else round(time, 3),
            "yaw_degrees": round(math.degrees(float(clip.yaw[i])), 2),
            "weight": round(float(clip.weight[i]), DIGITS),
            **{kind: _rounded(found.scores[kind][i]) for kind in KINDS},
        }
        for i, (row, time) in enumerate(zip(rows, times, strict=True))
    ]
    mean = {kind: _mean(found.scores[kind]) for kind in KINDS}
    protocol = PROTOCOL.format(height=found.truth.shape[1])
    paths.append(folder / TABLE)
    write_json(
        paths[-1], {"protocol": protocol, "count": len(frames), "mean": mean, "frames": frames}
    )
    return paths


def times_of(footage: Footage) -> list[float | None]:
    """When the frames of a film were taken, front first as it has them; None for photos."""
    others = (i for i in range(len(footage.rgb)) if i != footage.front)
    found = (float(footage.time[i]) for i in (footage.front, *others))
    return [time if math.isfinite(time) else None for time in found]


def measure(
    avatar: Avatar,
    film: Clip,  # T frames
    footage: Footage,
    rows: Sequence[int],  # of the film, to be measured
    folder: Path,
    refine: Refine,
    report: Report = silent,
) -> list[Path]:
    """Compares the avatar with some frames of a film and writes what was found into `folder`.

    Frames in which nobody is seen are left out. Raises `OutputError`.
    """
    seen = [row for row in rows if film.matte[row].any()]
    if not seen:
        return []
    clip, times = film[seen], times_of(footage)
    found = compare(avatar, clip, refine, report)
    return write(folder, found, clip, [times[row] for row in seen], seen)


def said(folder: Path) -> str:
    """What was found, in a sentence; "" where a job kept no frames from its training."""
    try:
        found = json.loads((folder / FOLDER / TABLE).read_text("utf-8"))
        count, means = int(found["count"]), [float(found["mean"][kind]["psnr"]) for kind in KINDS]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return (
        f"In {count} frames that were kept from the training the avatar comes to {means[0]:.1f} dB "
        f"({means[1]:.1f} in the poses as tracked). Both are in {folder / FOLDER}."
    )


def _fitting(clip: Clip) -> Clip:
    """The clip at the height of the compared pictures."""
    height, width = clip.matte.shape[1:]
    if height <= HEIGHT:
        return clip
    import numpy as np

    from svad.media.images import resize

    cameras = tuple(camera.resized(HEIGHT / height) for camera in clip.cameras)
    size = cameras[0].width, cameras[0].height
    return replace(
        clip,
        rgb=np.stack([resize(rgb, *size) for rgb in clip.rgb]),
        matte=np.stack([resize(matte, *size) for matte in clip.matte]),
        cameras=cameras,
    )


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, DIGITS) for name, value in scores.items()}


def _mean(scores: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {
        name: round(sum(one[name] for one in scores) / len(scores), DIGITS) for name in scores[0]
    }
