"""The frames of a clip that an avatar is made from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from svad.config.footage import FootageConfig
from svad.core.ahead import ahead
from svad.core.errors import SourceError
from svad.core.progress import part
from svad.footage import sentences as say
from svad.footage.choose import LEAST_TURN, front_first, shows_back, sides_seen, spread
from svad.footage.eyes import Eyes
from svad.footage.follow import Follower
from svad.geometry.camera import photo_camera
from svad.media.clips import candidates, frame_at
from svad.media.containers import ClipInfo, clip_info
from svad.track.seen import Box, Glimpse, Seen
from svad.track.watch import OTHERS, UPSIDE_DOWN
from svad.track.yaw import yaws
from svad.types import Footage, Photo, Report

SCANNED = 1080  # px, height at which a clip is looked through; a person may be small in it
QUALITY = 95  # JPEG, of frames that wait to be chosen
FILLS = 0.55  # of the picture's height that the person fills; else the frames are cut to them
AROUND = 0.12  # of their height, then left around
LOST = 0.4  # share of the frames without the person above which the clip is refused
TRIED = 5  # frames asked for a face


@dataclass(frozen=True)
class Kept:
    """A frame that waits to be chosen, small."""

    time: float  # seconds
    sharpness: float
    jpeg: np.ndarray  # encoded
    glimpse: Glimpse  # its mask is that of the box alone


def from_clip(path: Path, config: FootageConfig, eyes: Eyes, report: Report) -> Footage:
    """Frames evenly over the turn, and the best front; a single one if nobody turns."""
    info = clip_info(path)
    kept, missed, others = _followed(path, info, config, eyes, part(report, 0, 550, 1000))
    if len(kept) < 3 or missed > LOST * (missed + len(kept)):
        raise SourceError(say.NOBODY if len(kept) < 3 else say.leaves(missed, missed + len(kept)))
    scale = min(1.0, SCANNED / info.height)
    shape = round(scale * info.height), round(scale * info.width)
    seen = Seen.of([k.glimpse for k in kept], [k.time for k in kept], shape)
    if seen.upside_down:
        raise SourceError(UPSIDE_DOWN)
    yaw, swap = yaws(seen)
    sharp = np.array([k.sharpness for k in kept])
    rows = spread(yaw, seen.time, sharp, config.frames)
    front = _front(kept, yaw, sharp, eyes)
    turned = sides_seen(yaw) >= LEAST_TURN
    rows = sorted({*rows, front}) if turned else [front]
    warnings = [*info.warnings, *_warnings(yaw, turned, missed, others)]
    chosen = [kept[i] for i in rows]
    box = _cut(chosen, *shape)
    rgb, seen = _developed(chosen, box, config, eyes, part(report, 550, 950, 1000))
    seen = seen.mirrored(swap[rows])
    photo = Photo(frame_at(path, info, kept[front].time), None)
    report(1000, 1000, f"{len(rows)} frames chosen")
    height, width = rgb.shape[1:3]
    return Footage(
        photo=photo,
        front=rows.index(front),
        rgb=rgb,
        matte=seen.matte,
        keypoints=seen.keypoints,
        depth=seen.depth,
        time=seen.time,
        sharpness=_relative(sharp)[rows],
        yaw=yaw[rows],
        cameras=(photo_camera(width, height),) * len(rows),
        warnings=tuple(warnings),
        cuts=np.tile(np.array(box) / scale, (len(rows), 1)),
    )


def _followed(
    path: Path, info: ClipInfo, config: FootageConfig, eyes: Eyes, report: Report
) -> tuple[list[Kept], int, int]:
    """The frames with the person, how many are without, and how many other people there are."""
    kept: list[Kept] = []
    follower, missed = Follower(eyes), 0
    height = min(info.height, SCANNED)
    # what is looked at ten times a second, at most
    total = max(1, min(config.candidates, int(10 * info.seconds)))
    with closing(candidates(path, info, config.candidates, height)) as frames:
        for number, frame in enumerate(frames):
            report(min(number, total - 1), total, f"looking at {frame.time:.1f} s of the clip")
            glimpse = follower.see(frame.rgb, frame.time)
            if glimpse is None:
                missed += 1
                continue
            _, jpeg = cv2.imencode(
                ".jpg", frame.rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
            )
            x0, y0, x1, y1 = glimpse.box
            small = replace(glimpse, soft=glimpse.soft[y0:y1, x0:x1].astype(np.float16))
            kept.append(Kept(frame.time, frame.sharpness, jpeg, small))
    return kept, missed, follower.others


def _relative(sharpness: np.ndarray) -> np.ndarray:  # [T] -> [T] float32, 1 = the sharpest
    best = max(float(np.percentile(sharpness, 90)), 1e-9)
    return np.minimum(sharpness / best, 1.0).astype(np.float32)


def _front(kept: Sequence[Kept], yaw: np.ndarray, sharp: np.ndarray, eyes: Eyes) -> int:
    """The frame that stands for a photo: near the front, sharp, a face in it."""
    order = front_first(yaw, sharp)
    for i in order[:TRIED]:
        if eyes.has_face(_decoded(kept[i]), kept[i].glimpse.keypoints):
            return i
    return order[0]


def _decoded(kept: Kept) -> np.ndarray:  # [H, W, 3] uint8
    return cv2.imdecode(kept.jpeg, cv2.IMREAD_COLOR)[..., ::-1]


def _warnings(yaw: np.ndarray, turned: bool, missed: int, others: int) -> list[str]:
    texts = []
    if not turned:
        texts.append(say.NO_TURN)
    elif not shows_back(yaw):
        texts.append(say.NO_BACK)
    elif sides_seen(yaw) < 1.5 * np.pi:
        texts.append(say.HALF_TURN)
    if missed:
        texts.append(say.left_out(missed))
    if others:
        texts.append(OTHERS)
    return texts


def _cut(kept: Sequence[Kept], height: int, width: int) -> Box:
    """The part of the picture that is used: all of it, or what the person moves in."""
    boxes = np.array([k.glimpse.box for k in kept])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    tall = float(np.median(boxes[:, 3] - boxes[:, 1]))
    if tall >= FILLS * height:
        return 0, 0, width, height
    room = AROUND * tall
    x0, y0 = np.maximum(np.floor(low - room), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high + room), (width, height)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _developed(
    kept: Sequence[Kept], box: Box, config: FootageConfig, eyes: Eyes, report: Report
) -> tuple[np.ndarray, Seen]:  # [T, H, W, 3] uint8
    """The chosen frames at their size, with mattes; two at a time."""
    factor = min(1.0, config.height / (box[3] - box[1]))
    size = (round((box[2] - box[0]) * factor), round((box[3] - box[1]) * factor))
    done = []
    report(0, len(kept), "cutting out")
    with closing(ahead(lambda k: _one(k, box, size, factor, eyes), kept)) as frames:
        for number, frame in enumerate(frames, 1):
            done.append(frame)
            report(number, len(kept), f"cutting out, {number} of {len(kept)}")
    rgb, points, matte = map(np.stack, zip(*done, strict=True))
    depth, time = np.stack([k.glimpse.depth for k in kept]), np.array([k.time for k in kept])
    return rgb, Seen(points, depth, matte, time)


def _one(
    kept: Kept, box: Box, size: tuple[int, int], factor: float, eyes: Eyes
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One chosen frame, its points and its matte."""
    whole = _decoded(kept)
    glimpse = kept.glimpse
    x0, y0, x1, y1 = glimpse.box
    soft = np.zeros(whole.shape[:2], np.float32)
    soft[y0:y1, x0:x1] = glimpse.soft
    left, top, right, bottom = box
    part_of = np.ascontiguousarray(whole[top:bottom, left:right])
    rgb = cv2.resize(part_of, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(soft[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    points = glimpse.keypoints.copy()
    points[:, :2] = (points[:, :2] - (left, top)) * factor
    corners = (np.array(glimpse.box).reshape(2, 2) - (left, top)) * factor
    low, high = corners.round().astype(int).clip(0, size).tolist()
    points, matte = eyes.sharp(
        rgb, replace(glimpse, keypoints=points, soft=mask, box=(*low, *high))
    )
    return rgb, points, matte
