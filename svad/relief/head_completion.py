"""Head completion all around: segmented hair and skin, texture, points for the steep sides."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from svad.body.model import BodyModel
from svad.body.skeleton import Joint
from svad.core.ahead import ahead
from svad.face.landmarks import SKIN
from svad.geometry.camera import Camera
from svad.geometry.sampling import bilinear
from svad.media.fields import blur
from svad.relief.densify import densifying_points, unstretched
from svad.relief.head import face_hull, face_on
from svad.relief.head_texture import HeadTexture, make_head_texture, squareness
from svad.relief.mouth import Rig, at_landmarks, mouth_points
from svad.relief.points import (
    FRONT,
    Points,
    Sheet,
    grid_positions,
    joined,
    sheet_pixels,
    sheet_points,
)
from svad.relief.weights import head_share
from svad.types import Subject

TIP = 0.014  # metres, half the width of what may be a tip of background


def inner_mouth(
    sheets: list[Sheet],
    face: np.ndarray,  # [478, 3] working px
    camera: Camera,
) -> tuple[Points, Rig]:
    """The hidden points behind the lips, and how they follow them."""
    sheet = sheets[-1] if sheets[-1].density > 1 else sheets[0]
    grid = face_on(sheet, face)
    near, rgb = at_landmarks(sheet.near, grid), at_landmarks(sheet.near_rgb, grid)
    points, rig = mouth_points(face, near, rgb, camera, sheet.near_weights.shape[-1], Joint.HEAD)
    # on the far side of a turned face the surface is too steep to hide anything behind it
    inside = cv2.erode(sheet.own.astype(np.uint8), np.ones((7, 7))) * squareness(sheet, camera)
    keep = sampled(inside.astype(np.float32), sheet, points.pixel) > 0.6
    return points.select(keep), rig.select(keep)


def trimmed(sheet: Sheet, texture: HeadTexture, camera: Camera) -> Sheet:
    """Without thin odd tips beside the neck, which are background in the matte."""
    step = float(np.median(sheet.near[sheet.mask])) / camera.focal[1] / sheet.density
    r = max(2, round(TIP / step))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))
    padded = cv2.copyMakeBorder(sheet.mask.astype(np.uint8), r, r, r, r, cv2.BORDER_REPLICATE)
    solid = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)[r:-r, r:-r] > 0
    height = texture.frame.local(grid_positions(sheet, sheet.near, camera))[..., 1]
    beside = (height < texture.frame.nose) & (height > texture.frame.chin - 0.10)
    tips = sheet.mask & ~solid & beside
    n, pieces, stats, _ = cv2.connectedComponentsWithStats(tips.astype(np.uint8), connectivity=4)
    mask = sheet.mask.copy()
    for k in range(1, n):
        piece = pieces == k
        size = stats[k, cv2.CC_STAT_AREA]
        if not 4 * r < size < 0.012 * sheet.mask.sum() or texture.odd[piece].mean() < 0.35:
            continue
        grown = cv2.dilate(piece.astype(np.uint8), disc) > 0
        wider = cv2.dilate(grown.astype(np.uint8), disc) > 0
        around = texture.odd & wider & sheet.mask
        if (texture.odd & piece).sum() > 0.4 * around.sum():  # no collar
            mask &= ~(piece | (grown & (texture.odd | (sheet.alpha < 0.9))))
    return replace(sheet, mask=mask, own=sheet.own & mask)


def faced(sheet: Sheet, face: np.ndarray) -> Sheet:  # face [478, 3] working px
    """Binds the whole face, chin included, to the head: the body's own chin lies elsewhere."""
    hull = face_hull(face_on(sheet, face), sheet.mask.shape).astype(np.float32)
    width = float(np.ptp(face[SKIN, 0])) * sheet.density
    share = np.clip(2 * blur(hull, 0.03 * width), 0, 1) * sheet.own
    weights = sheet.near_weights * (1 - share[..., None])
    weights[..., Joint.HEAD] += share
    return replace(sheet, near_weights=weights.astype(np.float32))


def headed_points(
    sheets: list[Sheet],  # the torso's first, the head's last where it has its own
    subject: Subject,
    body: BodyModel,
    vertices: np.ndarray,  # [V, 3] posed
    joints: np.ndarray,  # [55, 3] posed
    seed: int,
) -> tuple[list[Sheet], Points]:
    """All sheets as points, the head finished all around (and the sheets' backs with it)."""
    camera = subject.body.camera
    texture = make_head_texture(sheets, subject, body, vertices, joints, seed)
    if texture is not None and sheets[-1].density > 1:
        sheets = [*sheets[:-1], trimmed(sheets[-1], texture, camera)]
    if subject.face is not None and sheets[-1].density > 1:
        sheets = [*sheets[:-1], faced(sheets[-1], subject.face)]
    parts = list(ahead(lambda s: sheet_points(s, camera), sheets))
    if sheets[-1].density > 1:
        parts[-1] = unstretched(parts[-1], sheets[-1], camera)
        parts += densifying_points(sheets[-1], camera)
    points = joined(parts)
    if texture is None:
        return sheets, points
    first = coloured_sheet(sheets[0], texture, camera)
    rest = [coloured_sheet(s, texture, camera) if s.density > 1 else s for s in sheets[1:]]
    return [first, *rest], coloured_points(points, texture, sheets[0].layer)


def sampled(image: np.ndarray, sheet: Sheet, pixel: np.ndarray) -> np.ndarray:  # [P, 2] -> [P]
    """Values of a map on a sheet's grid at working pixels; 0 outside."""
    at = (pixel - np.asarray(sheet.origin, np.float32)) * sheet.density
    return bilinear(image, at, outside=0)


def coloured_points(points: Points, texture: HeadTexture, torso_layer: int) -> Points:
    """Gives what the photo does not show squarely the colours of the unwrapped head."""
    mine = np.flatnonzero(points.layer == torso_layer)
    share = np.clip((head_share(points.weights[mine]) - 0.3) / 0.4, 0, 1)
    side, pixel = points.side[mine], points.pixel[mine]
    trust = np.where(side == FRONT, sampled(texture.trust, texture.sheet, pixel), 0.0)
    fine = sampled(texture.sheet.mask.astype(np.float32), texture.sheet, pixel) > 0
    cloth = np.where(side == FRONT, 0, sampled(texture.cloth, texture.sheet, pixel))
    own = _collared(texture, points.rgb[mine], pixel, cloth)
    share = share * (1 - trust) * (1 - cloth) * np.where(side == FRONT, fine, 1)
    curtain = np.where(side == FRONT, 0, sampled(texture.curtain, texture.torso, pixel))
    keep = (share > 0) | (curtain > 0) | (cloth > 0)
    mine, share, curtain = mine[keep], share[keep, None], curtain[keep, None]
    rgb = shaded(texture, points.xyz[mine], own[keep], share, curtain)
    out = points.rgb.copy()
    out[mine] = rgb
    return replace(points, rgb=out)


def _collared(
    texture: HeadTexture,
    rgb: np.ndarray,  # [P, 3] as they are
    pixel: np.ndarray,  # [P, 2]
    cloth: np.ndarray,  # [P] share of a collar behind the neck
) -> np.ndarray:  # [P, 3]
    """Points of the back, with a collar's colours in place of the throat before it."""
    return rgb + cloth[:, None] * (sampled(texture.collar, texture.sheet, pixel) - rgb)


def shaded(
    texture: HeadTexture,
    xyz: np.ndarray,  # [P, 3]
    rgb: np.ndarray,  # [P, 3] as they are
    share: np.ndarray,  # [P, 1] of the head's colour
    curtain: np.ndarray,  # [P, 1] of hair hanging behind
) -> np.ndarray:  # [P, 3]
    """Mixes own colours with those of the unwrapped head."""
    made = texture.map
    out = rgb * (1 - share) + made.sample(made.rgb, xyz) * share
    u, _ = texture.frame.angles(xyz)
    behind = np.clip((np.abs(u)[:, None] - 1.2) / 0.4, 0, 1) * curtain
    return out * (1 - behind) + made.sample(made.hair, xyz) * behind


def coloured_sheet(sheet: Sheet, texture: HeadTexture, camera: Camera) -> Sheet:
    """The same for a sheet's back, which becomes the mesh's."""
    far = grid_positions(sheet, sheet.far, camera)
    mask = sheet.mask
    share = np.clip((head_share(sheet.far_weights[mask]) - 0.3) / 0.4, 0, 1)[:, None]
    pixel = sheet_pixels(sheet)[mask]
    cloth = sampled(texture.cloth, texture.sheet, pixel)
    curtain = sampled(texture.curtain, texture.torso, pixel)[:, None]
    rgb = sheet.far_rgb.copy()
    own = _collared(texture, rgb[mask], pixel, cloth)
    rgb[mask] = shaded(texture, far[mask], own, share * (1 - cloth[:, None]), curtain)
    return replace(sheet, far_rgb=np.clip(rgb, 0, 1))
