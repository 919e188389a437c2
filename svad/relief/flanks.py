"""Colours of the flanks: what the photo sees too steeply goes on as what it sees well."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from svad.geometry.camera import Camera
from svad.geometry.sampling import bilinear_between
from svad.media.fields import nearest_known
from svad.relief.laps import off_outline
from svad.relief.points import (
    FILL,
    FRONT,
    SIGMA,
    Points,
    Sheet,
    grid_positions,
    joined,
    quaternions,
)
from svad.relief.weights import head_share

STEEP = 2.0  # grid steps of surface per grid step of the picture, from which it shows too little
HEAD = 0.3  # share of the head above which the head's own texture takes over
LEAN = 1.0  # steps that dots go back for each step beyond the turn of the surface
JUMP = 12.0  # steps that a dot comes forward at the most; a forearm's radius is ten of them
BEHIND = 0.003  # metres that a flank lies behind the dots that the photo shows of it
LEAST = 6  # grid steps that a row must show well to tell how it goes on
EVEN = 0.012  # of the layer's height, over which the turn of the surface is evened out


@dataclass(frozen=True)
class _Turns:
    """Where each row of a sheet turns away from the camera, on one of its sides."""

    column: np.ndarray  # [h] grid steps; nan = the row does not tell
    near: np.ndarray  # [h] metres, depth of the front there
    far: np.ndarray  # [h] metres, of the back


def with_flanks(points: Points, sheets: list[Sheet], camera: Camera) -> Points:
    """The points whose flanks have the mirror image of what lies before them.

    A pixel at the rim is centimetres of flank: drawn out, a stripe that leaves the picture there
    becomes a band across it. Mirrored about the place where the surface turns away, patterns keep
    their size and meet at the side as at a seam, to which front and back are equally far. What the
    photo shows keeps its colours; heads have a texture of their own.
    """
    coarse = [sheet for sheet in sheets if sheet.density == 1]
    points = _shown_apart(points, coarse, camera)
    rgb = points.rgb.copy()
    depth = camera.project(points.xyz)[:, 2]
    bare = (points.side != FILL) & ~points.seen & (head_share(points.weights) < HEAD)
    for sheet in coarse:
        mine = np.flatnonzero(bare & (points.layer == sheet.layer))
        at = points.pixel[mine] - np.asarray(sheet.origin, np.float32) - 0.5  # column, row
        row = np.clip(np.round(at[:, 1]).astype(int), 0, len(sheet.mask) - 1)
        step = sheet.near[sheet.mask].mean() / camera.focal[0]
        for outward, turns in _turns(sheet, camera):
            before, behind = depth[mine] - turns.near[row], turns.far[row] - depth[mine]
            way = np.minimum(before, behind) / step  # along the surface, which is steep
            beyond = ((at[:, 0] - turns.column[row]) * outward > 0) & (way > 0)  # nan: neither
            place = np.stack([turns.column[row] - outward * way, at[:, 1]], 1)
            front = (points.side[mine] == FRONT) | (before < behind)
            for image, these in ((sheet.near_rgb, front), (sheet.far_rgb, ~front)):
                rgb[mine[beyond & these]] = bilinear_between(image, place[beyond & these])
    return replace(points, rgb=rgb)


def _shown_apart(
    points: Points,
    sheets: list[Sheet],  # as fine as the photo
    camera: Camera,
) -> Points:
    """Splits what the photo shows too steeply: a dot that faces the camera, and flank behind it.

    Drawn out along the flank, a pixel where an arm meets the trunk would be a band of its colour.
    Along the outline, which has its own fit, the background is kept out by the matte.
    """
    mine = np.zeros(len(points), bool)
    for sheet in sheets:
        here = np.flatnonzero((points.layer == sheet.layer) & points.seen)
        mine[here] = off_outline(sheet.alpha)[_cell(sheet, points.pixel[here])]
    drawn_out = points.scales.max(1) > STEEP * SIGMA * _step(points.xyz, camera)
    split = mine & drawn_out & (head_share(points.weights) < HEAD)
    xyz = _leaning(points, split, points.seen & ~drawn_out, sheets, camera)
    facing = np.broadcast_to(camera.rotation.T, (len(xyz), 3, 3))
    dots = replace(
        points.select(split),
        xyz=xyz,
        scales=(SIGMA * _step(xyz, camera)[:, None] * (1, 1, 0.2)).astype(np.float32),
        quats=quaternions(facing.astype(np.float32)),
    )
    eye = -camera.rotation.T @ camera.translation
    flank = points.xyz.copy()
    away = flank[split] - eye
    flank[split] += (BEHIND * away / np.linalg.norm(away, axis=1, keepdims=True)).astype(np.float32)
    return joined([replace(points, xyz=flank, seen=points.seen & ~split), dots])


def _step(
    xyz: np.ndarray,  # [P, 3]
    camera: Camera,
) -> np.ndarray:  # [P] metres of a pixel there
    return camera.project(xyz)[:, 2] / np.float32(camera.focal[0])


def _leaning(
    points: Points,
    split: np.ndarray,  # [P] bool, D of them
    well: np.ndarray,  # [P] bool, what the photo shows well
    sheets: list[Sheet],
    camera: Camera,
) -> np.ndarray:  # [D, 3] metres
    """Where the dots lie: where the surface turns away, and little farther back beyond.

    On the flank itself they would be spread over centimetres, a ladder of the edge's colours.
    """
    out = camera.project(points.xyz[split])
    layer, pixel = points.layer[split], points.pixel[split]
    for sheet in sheets:
        dots, known = layer == sheet.layer, np.zeros(sheet.mask.shape, bool)
        known[_cell(sheet, points.pixel[well & (points.layer == sheet.layer)])] = True
        if not dots.any() or not known.any():
            continue
        away = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
        step = sheet.near / np.float32(camera.focal[0])
        reach = nearest_known(sheet.near, known) + LEAN * away * step
        nearer = sheet.near - np.minimum(sheet.near, reach)
        nearer = np.where(nearer < JUMP * step, nearer, 0)  # a cuff before the hip has another turn
        out[dots, 2] -= nearer[_cell(sheet, pixel[dots])]
    return camera.unproject(out).astype(np.float32)


def _cell(
    sheet: Sheet,
    pixel: np.ndarray,  # [P, 2] working px
) -> tuple[np.ndarray, np.ndarray]:  # [P], [P]
    """Rows and columns of a sheet's grid."""
    x, y = np.floor(pixel - np.asarray(sheet.origin)).astype(int).T
    h, w = sheet.mask.shape
    return y.clip(0, h - 1), x.clip(0, w - 1)


def _turns(sheet: Sheet, camera: Camera) -> list[tuple[int, _Turns]]:
    """For the left side (-1) and the right one (1)."""
    xyz = grid_positions(sheet, sheet.near, camera)
    step = np.where(sheet.mask, sheet.near, 1.0) / camera.focal[0]
    way = np.linalg.norm(np.diff(xyz, axis=1), axis=-1) / step[:, 1:]
    well = sheet.mask[:, 1:] & sheet.mask[:, :-1] & (way < STEEP)
    h, w = sheet.mask.shape
    found = well.sum(1) >= LEAST
    first, last = well.argmax(1), w - 1 - well[:, ::-1].argmax(1)
    sigma = EVEN * max(1, int(sheet.mask.any(1).sum()))
    rows, out = np.arange(h), []
    for outward, column in ((-1, first), (1, last)):
        values = (column, sheet.near[rows, column], sheet.far[rows, column])
        out.append((outward, _Turns(*(_evened(one, found, sigma) for one in values))))
    return out


def _evened(
    values: np.ndarray,  # [h]
    known: np.ndarray,  # [h] bool
    sigma: float,  # rows
) -> np.ndarray:  # [h], nan where nothing is known
    """Known values without jitter from row to row."""
    share = gaussian_filter1d(known.astype(np.float32), sigma)
    out = gaussian_filter1d(np.where(known, values, 0.0), sigma) / np.maximum(share, 1e-6)
    return np.where(known, out, np.nan)
