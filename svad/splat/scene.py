"""Pictures of Gaussians on a calm studio backdrop: framing, floor shadow, compositing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from svad.core.ahead import ahead
from svad.geometry.camera import Camera, orbit_camera
from svad.geometry.sampling import smoothstep
from svad.splat.gaussians import Gaussians
from svad.splat.kernels.backdrop import lay
from svad.splat.render import render

BACKDROP = ((0.955, 0.955, 0.96), (0.865, 0.87, 0.885))  # RGB in the light behind, at the edges
SHADOW_TINT = np.array([0.80, 0.78, 0.74], np.float32)  # how much a full shadow takes of R, G, B
SHADOW_SPAN = 2.8  # metres, side of the square of floor that can hold shadow
SHADOW_CELLS = 128
SHADOW_POINTS = 20_000
# Heights above the floor, metres: (from, to, blur in metres, darkness).
SHADOW_BANDS = ((-0.2, 0.05, 0.022, 0.52), (0.02, 0.25, 0.06, 0.30), (0.1, 1.3, 0.17, 0.30))
TELE = 2.0  # focal length in picture heights, as in the photo
TABLE_PITCH, TABLE_RISE = 0.09, 0.025  # radians, turntable: mean height of the camera, its rise
TABLE_MARGIN = 0.055  # free share of the turntable picture along each edge


@dataclass(frozen=True)
class Shadow:
    """What a person takes from the light on the floor."""

    dark: np.ndarray  # [SHADOW_CELLS, SHADOW_CELLS] float32, along z and x; 0 = lit, 1 = darkest
    corner: np.ndarray  # [2] metres, x and z of the grid's first corner
    floor: float  # metres


@dataclass(frozen=True)
class Studio:
    """What stands around the person in every frame of one video."""

    backdrop: np.ndarray  # [H, W, 3] float32, RGB in 0..1
    floor: float | None  # height of the floor in the world, metres; None = no shadow
    shadow: Shadow | None = None  # of a person at rest; otherwise each frame casts its own


def studio(
    width: int,  # px
    height: int,  # px
    floor: float | None = None,  # metres
) -> Studio:
    """A light backdrop, brightest behind the chest, with enough noise not to show bands."""
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    away = np.hypot(x[None] / 0.75, (y[:, None] - 0.38) / 0.85)
    edge = smoothstep(away)[..., None]
    middle, rim = (np.asarray(c, np.float32) for c in BACKDROP)
    noise = np.random.default_rng(0).uniform(-1, 1, (height, width, 1)).astype(np.float32) / 255
    return Studio(middle + (rim - middle) * edge + noise, floor)


def draw(gaussians: Gaussians, camera: Camera, stage: Studio) -> np.ndarray:  # [H, W, 3] uint8
    """One frame of posed Gaussians in the studio."""
    with torch.no_grad():
        picture = render(gaussians, camera)
    image, alpha = picture.image[0].cpu().numpy(), picture.alpha[0].cpu().numpy()
    top, dark = 0, np.zeros((0, camera.width), np.float32)
    if stage.floor is not None:
        top, dark = lay_shadow(stage.shadow or shadow_of(gaussians, stage.floor), camera)
    out = np.empty(image.shape, np.uint8)
    lay(0, camera.height, image, alpha, stage.backdrop, dark, top, SHADOW_TINT, out)
    return out


def draw_rgba(gaussians: Gaussians, camera: Camera) -> np.ndarray:  # [H, W, 4] uint8
    """One frame with straight (not premultiplied) colours."""
    with torch.no_grad():
        picture = render(gaussians, camera)
    image, alpha = picture.image[0].cpu().numpy(), picture.alpha[0].cpu().numpy()[..., None]
    straight = image / np.maximum(alpha, 1e-4)
    out = np.concatenate([straight, alpha], -1)
    return (np.clip(out, 0, 1) * 255 + 0.5).astype(np.uint8)


def shadow_of(gaussians: Gaussians, floor: float) -> Shadow:
    """The shadow of posed Gaussians on a floor at a height (metres)."""
    means = gaussians.means.detach()
    return cast_shadow(means[:: max(1, len(means) // SHADOW_POINTS)].cpu().numpy(), floor)


def cast_shadow(
    points: np.ndarray,  # [N, 3] a sample of the person, metres
    floor: float,  # metres
) -> Shadow:
    """A soft shadow: sharp and dark where the person is near the floor, wide and faint from above.

    Points are dropped on a grid on the floor, blurred by how high they are.
    """
    cell = SHADOW_SPAN / SHADOW_CELLS
    corner = np.median(points[:, [0, 2]], 0) - SHADOW_SPAN / 2
    height = points[:, 1] - floor
    index = ((points[:, [0, 2]] - corner) / cell).astype(int)
    inside = ((index > 0) & (index < SHADOW_CELLS - 1)).all(1)
    dark = np.zeros((SHADOW_CELLS, SHADOW_CELLS), np.float32)
    for low, high, spread, depth in SHADOW_BANDS:
        x, z = index[inside & (height >= low) & (height < high)].T
        covered = np.zeros_like(dark)
        covered[z, x] = 1
        dark += depth * cv2.GaussianBlur(covered, (0, 0), spread / cell)
    ramp = np.minimum(np.arange(SHADOW_CELLS), np.arange(SHADOW_CELLS)[::-1]) / (
        0.15 * SHADOW_CELLS
    )
    fade = np.minimum(ramp, 1).astype(np.float32)  # nothing ends at the border of the grid
    return Shadow(np.minimum(dark, 0.8) * fade * fade[:, None], corner, floor)


def lay_shadow(
    shadow: Shadow,
    camera: Camera,
) -> tuple[int, np.ndarray]:  # first row; darkness [R, W] float32 of it and the rows below
    """The shadow as the camera sees it: the grid drawn as a plane, by its homography."""
    cell = SHADOW_SPAN / SHADOW_CELLS
    ends = [(a, shadow.floor, b) for a in (0, SHADOW_SPAN) for b in (0, SHADOW_SPAN)]
    corner = np.array([shadow.corner[0], 0.0, shadow.corner[1]])
    rows = camera.project(np.array(ends) + corner)[:, 1]
    first, last = np.clip([np.floor(rows.min()), np.ceil(rows.max())], 0, camera.height).astype(int)
    # cell (i, j) has its centre at corner + cell (i + 0.5, j + 0.5) on the floor
    start = corner + [cell / 2, shadow.floor, cell / 2]
    r = camera.rotation.astype(np.float64)
    plane = np.stack([r[:, 0] * cell, r[:, 2] * cell, r @ start + camera.translation], 1)
    (fx, fy), (cx, cy) = camera.focal, camera.center  # cv2 counts pixels from their centres
    lens = np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5 - first], [0, 0, 1]])
    if last <= first:
        return 0, np.zeros((0, camera.width), np.float32)
    return first, cv2.warpPerspective(shadow.dark, lens @ plane, (camera.width, last - first))


def frame_camera(
    points: np.ndarray,  # [M, 3] all that has to be seen, metres
    height: int,  # px
    middle: np.ndarray | None = None,  # [3] stays on the vertical middle line, if given
    *,
    yaw: float = 0.0,  # radians, see orbit_camera
    pitch: float = 0.07,  # radians, positive = from above
    margin: float = 0.06,  # free share of the picture along each edge
    slimmest: float = 9 / 16,  # width over height
    widest: float = 1.0,
) -> Camera:
    """The nearest camera that sees all points, in a picture only as wide as they need.

    Both sizes are even. The smallest distance is found exactly: a point at y, z is inside when
    slope |y + shift| <= z + distance, which bounds distance + shift and distance - shift.
    """
    height = _even(height)
    focal = TELE * height
    base = orbit_camera(np.zeros(3), 0.0, yaw, pitch, focal, height, height)
    x, y, z = (np.asarray(points, np.float64) @ base.rotation.T.astype(np.float64)).T
    shift_y, depth = _fit(y, z, TELE / (0.5 - margin))
    slope = TELE / (0.5 - margin) / widest
    shift_x, wide = _fit(x, z, slope)
    if middle is not None:
        shift_x = -float(base.rotation[0] @ middle)
        wide = (slope * np.abs(x + shift_x) - z).max()
    depth = max(depth, wide)
    reach = focal * np.abs((x + shift_x) / (z + depth)).max() / (0.5 - margin)
    width = _even(np.clip(reach, slimmest * height, widest * height))
    return Camera(
        rotation=base.rotation,
        translation=np.array([shift_x, shift_y, depth], np.float32),
        focal=(focal, focal),
        center=(width / 2, height / 2),
        width=width,
        height=height,
    )


def _fit(offset: np.ndarray, depth: np.ndarray, slope: float) -> tuple[float, float]:
    """Shift and distance so that slope |offset + shift| <= depth + distance, distance smallest."""
    above, below = (slope * offset - depth).max(), (-slope * offset - depth).max()
    return (below - above) / (2 * slope), (above + below) / 2


def turntable(
    gaussians: Gaussians,  # N, posed
    frames: int,
    height: int,  # px
    *,
    floor: float | None = None,  # metres; default = the lowest Gaussians
) -> Iterator[np.ndarray]:  # [H, W, 3] uint8 each
    """Frames of a camera going once round the person, who seems to turn left."""
    points = gaussians.means.detach().cpu().numpy()
    sample = points[:: max(1, len(points) // 4000)]
    floor = floor_height(points) if floor is None else floor
    cameras = turntable_cameras(sample, frames, height)
    stage = studio(cameras[0].width, cameras[0].height, floor)
    stage = replace(stage, shadow=shadow_of(gaussians, floor))
    yield from ahead(lambda camera: draw(gaussians, camera, stage), cameras)


def turntable_cameras(
    points: np.ndarray,  # [M, 3] a sample of the person, metres
    frames: int,  # 1 or more
    height: int,  # px
) -> list[Camera]:
    """Cameras round the person's axis, all at one distance, rising and sinking a little."""
    height = _even(height)
    target = np.median(points, 0).astype(np.float64)
    target[1] = (points[:, 1].max() + points[:, 1].min()) / 2
    offset = points - target
    radius = np.linalg.norm(offset[:, [0, 2]], axis=1)
    angles = np.arange(16) * np.pi / 8
    x, z = radius[:, None] * np.cos(angles), radius[:, None] * np.sin(angles)
    swept = np.stack([x, np.broadcast_to(offset[:, 1, None], x.shape), z], -1).reshape(-1, 3)
    pitches = TABLE_PITCH + TABLE_RISE * np.sin(2 * np.pi * np.arange(frames) / frames)
    focal, slope = TELE * height, TELE / (0.5 - TABLE_MARGIN)
    extremes = (pitches.min(), pitches.max())
    ends = [orbit_camera(np.zeros(3), 0.0, 0.0, p, focal, 2, 2).rotation for p in extremes]
    x, y, z = (swept @ np.stack(ends).transpose(0, 2, 1)).reshape(-1, 3).T
    distance = max((slope * np.abs(y) - z).max(), (slope * np.abs(x) - z).max())
    reach = focal * np.abs(x / (z + distance)).max() / (0.5 - TABLE_MARGIN)
    width = _even(np.clip(reach, height * 9 / 16, height))
    yaws = -2 * np.pi * np.arange(frames) / frames
    return [
        orbit_camera(target, distance, yaw, pitch, focal, width, height)
        for yaw, pitch in zip(yaws, pitches, strict=True)
    ]


def _even(size: float) -> int:
    """The next even number of pixels, as video needs."""
    return 2 * int(np.ceil(size / 2))


def floor_height(
    points: np.ndarray,  # [N, 3] metres
) -> float:
    """Where the soles are: the lowest points, a few stray ones apart."""
    return float(np.quantile(points[:, 1], 0.002))
