"""The colours of a whole head: what the photo shows of it, hair and skin where it shows nothing."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.body.model import BodyModel
from svad.body.skeleton import Joint
from svad.face.landmarks import MeshPoint
from svad.geometry.camera import Camera
from svad.geometry.sampling import smoothstep
from svad.geometry.surface import interpolate
from svad.media.fields import blur
from svad.relief.collar import cloth_behind, going_behind
from svad.relief.hair import HeadMap, Seen, Strands, hair_detail
from svad.relief.head import face_hull, skin_colours
from svad.relief.head_frame import HeadFrame, head_frame
from svad.relief.points import Sheet, grid_positions
from svad.relief.weights import folded, head_share
from svad.types import Subject

SKIN_LIKE, HAIR_LIKE, PURE_HAIR = 20.0, 45.0, 22.0  # distances in Lab, lightness counted less
FOOT = 0.3  # share of the head from which on a collar may lie around the neck
LOCK = 0.006  # metres, half the width of hair that hangs below the nose
BESIDE = 0.15  # of the face's width beside it, where hair hangs that is no beard
HANGS = 0.01  # of the face's area: less of it there is a strand
STRAND = 8.0  # from a tone of hair, within which a cheek is hidden by hair


@dataclass(frozen=True)
class HairTones:
    """Colours that tell hair (and hats) from skin, in Lab."""

    skin: np.ndarray  # [j, 3]
    hair: np.ndarray  # [k, 3]

    def distances(
        self,
        rgb: np.ndarray,  # [h, w, 3] float32, 0..1
    ) -> tuple[np.ndarray, np.ndarray]:  # two [h, w]
        """To the nearest tone of hair and to that of skin."""
        lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 0.8), cv2.COLOR_RGB2LAB)
        scale = np.array([0.6, 1, 1], np.float32)
        hair, skin = (
            np.min([np.linalg.norm((lab - tone) * scale, axis=-1) for tone in tones], 0)
            for tones in (self.hair, self.skin)
        )
        return hair, skin


@dataclass(frozen=True)
class HeadTexture:
    """Everything needed to colour points of the head."""

    frame: HeadFrame
    map: HeadMap
    trust: np.ndarray  # [h, w] of the head's sheet: how squarely the photo shows a pixel
    cloth: np.ndarray  # [h, w] of the head's sheet: collars and hoods, which go all around
    collar: np.ndarray  # [h, w, 3] of the head's sheet: their colours behind
    odd: np.ndarray  # [h, w] bool of the head's sheet: neither hair nor face
    sheet: Sheet  # the head's
    curtain: np.ndarray  # [h, w] of the torso's sheet: share of hair hanging behind
    torso: Sheet


def body_face(
    subject: Subject,
    vertices: np.ndarray,  # [V, 3] posed
    body: BodyModel,
) -> np.ndarray | None:  # [478, 3] px
    """Where the body's own face is in the photo; None if it looks away.

    Stands in for the face mesh where none was found.
    """
    triangles = body.faces[body.mesh_faces].numpy()  # [478, 3]
    xyz = interpolate(vertices, triangles, body.mesh_weights.numpy()).astype(np.float32)
    left = xyz[MeshPoint.LEFT_EYE_OUTER] - xyz[MeshPoint.RIGHT_EYE_OUTER]
    up = xyz[MeshPoint.FOREHEAD] - xyz[MeshPoint.CHIN]
    forward = np.cross(left, up)
    forward /= max(float(np.linalg.norm(forward)), 1e-9)
    camera = subject.body.camera
    pixels = camera.project(xyz)
    if (camera.rotation @ forward)[2] > -0.3:
        return None
    pixels[:, 2] = (pixels[:, 2] - pixels[:, 2].mean()) * camera.focal[1] / pixels[:, 2].mean()
    return pixels


def hair_tones(
    rgb: np.ndarray,  # [h, w, 3]
    where: np.ndarray,  # [h, w] bool, sure pixels of the head outside the face
    height: np.ndarray,  # [h, w] metres above the eyes
    frame: HeadFrame,
    skin: np.ndarray,  # [j, 3] Lab, of all of it first
) -> HairTones:
    """Hair (or a hat) is what lies above the forehead and what lies beside the eyes."""
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 1.0), cv2.COLOR_RGB2LAB)
    away = np.linalg.norm((lab - skin[0]) * (0.6, 1, 1), axis=-1)
    above = where & (height > frame.brow)
    top = above & (away > 14)
    if top.sum() < 0.1 * above.sum():  # bald: the scalp is what there is
        top = above
    beside = where & (np.abs(height - frame.brow / 2) < frame.brow / 2) & (away > 12)
    tones = [np.median(lab[r], 0) for r in (top, beside) if r.sum() > 20]
    for region in (top, beside):  # dark and light strands
        if region.sum() > 200:
            light = lab[region][:, 0]
            tones += [np.median(lab[region][light < np.quantile(light, 0.3)], 0)]
            tones += [np.median(lab[region][light > np.quantile(light, 0.7)], 0)]
    hair = np.array(tones or [skin[0] * (0.6, 1, 1)], np.float32)
    # a cheek behind a strand of hair tells nothing of the skin
    apart = [np.linalg.norm((hair - one) * (0.6, 1, 1), axis=-1).min() for one in skin]
    return HairTones(skin[(np.array(apart) > STRAND) | (np.arange(len(skin)) == 0)], hair)


def connected(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:  # [h, w] bool
    """Pieces of the mask that hold a seed."""
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    hold = np.unique(pieces[seeds & mask])
    return np.isin(pieces, hold[hold > 0])


def make_head_texture(
    sheets: list[Sheet],
    subject: Subject,
    body: BodyModel,
    vertices: np.ndarray,  # [V, 3] posed
    joints: np.ndarray,  # [55, 3] posed
    seed: int,
) -> HeadTexture | None:
    """Reads the head in the photo; None where no face is to be seen."""
    camera = subject.body.camera
    face = subject.face if subject.face is not None else body_face(subject, vertices, body)
    if face is None:
        return None
    weights = folded(body.weights.numpy())
    skull = weights[:, Joint.HEAD] > 0.8
    depth = float(np.median(camera.project(vertices[skull])[:, 2]))
    thickness = float(np.ptp(subject.body.vertices[skull, 2]))
    frame = head_frame(face, camera, depth, thickness, joints[[Joint.SPINE3, Joint.NECK]])
    sheet = sheets[-1] if sheets[-1].density > 1 else sheets[0]
    torso = sheets[0]
    px = camera.focal[1] / depth  # working px per metre
    near = grid_positions(sheet, sheet.near, camera)
    share = head_share(sheet.near_weights)
    own = sheet.own & sheet.mask & (share > 0.5)
    sure = own & (cv2.erode((sheet.alpha > 0.9).astype(np.uint8), np.ones((3, 3))) > 0)
    height = frame.local(near)[..., 1]
    local = face_on(sheet, face)
    hull = face_hull(local, own.shape)
    grown = cv2.dilate(hull.astype(np.uint8), np.ones((2 * int(0.02 * px) + 1,) * 2)) > 0
    tones = hair_tones(
        sheet.near_rgb, sure & ~grown, height, frame, skin_colours(sheet.near_rgb, local)
    )
    to_hair, to_skin = tones.distances(sheet.near_rgb)
    hairy = sure & (to_hair < to_skin) & (to_hair < HAIR_LIKE)
    hairy |= sure & (height > frame.brow + 0.01) & (to_hair < 30) & ~hull
    curtain, long = hair_behind(torso, tones, camera, frame, face)
    step = 1 / (px * sheet.density)
    if not long:  # a neck in the shade is no hair, nor is the shaded edge of a cheek
        hairy &= (height > frame.chin) & ((height > frame.nose) | opened(hairy, LOCK / step))
    hairy = connected(hairy, hairy & (height > 0) & ~hull)
    skin = sure & (to_skin < SKIN_LIKE) & ~hairy
    skin &= (height < 0) | connected(skin, skin & hull)
    trust = squareness(sheet, camera) * sure
    u, v = frame.angles(near)
    pick = sure
    odd = ~hairy & ~skin & ~hull
    pure = hairy & (to_hair < PURE_HAIR)
    pure = cv2.erode(pure.astype(np.uint8), np.ones((5, 5))) > 0
    seen = Seen(
        u[pick],
        v[pick],
        sheet.near_rgb[pick],
        trust[pick],
        hairy[pick],
        pure[pick],
        skin[pick],
        odd[pick],
    )
    square = pure & (trust > 0.6)
    strands = None
    if square.sum() > 200:
        strands = Strands(hair_detail(sheet.near_rgb, square, 0.012 / step), square, v)
    made = HeadMap(frame, seen, long=long, cell=step, strands=strands, seed=seed)
    wide = sheet.own & sheet.mask & (share > FOOT)
    cloth = (sure & odd) | (wide & ~own & (sheet.alpha > 0.9) & (to_skin > SKIN_LIKE))
    cloth &= height < 0.02
    cloth = cv2.morphologyEx(cloth.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))) > 0
    spread = cv2.dilate(cloth.astype(np.uint8), np.ones((5, 5))) > 0
    trust = np.where(own & spread & ~hairy & ~skin, 1.0, trust).astype(np.float32)
    around = cloth_behind(spread & wide, wide, height < frame.mouth)
    collar = going_behind(sheet.near_rgb, cloth, wide, around, seed)
    return HeadTexture(frame, made, trust, around, collar, sure & odd, sheet, curtain, torso)


def opened(mask: np.ndarray, radius: float) -> np.ndarray:  # [h, w] bool
    """What of a mask is nowhere thinner than a disc of that radius in pixels."""
    size = 2 * max(1, round(radius)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0


def face_on(sheet: Sheet, face: np.ndarray) -> np.ndarray:  # [478, 3] steps of the sheet's grid
    """The face mesh on a sheet's grid."""
    local = face * np.float32(sheet.density)
    local[:, :2] -= np.asarray(sheet.origin, np.float32) * sheet.density
    return local


def squareness(sheet: Sheet, camera: Camera) -> np.ndarray:  # [h, w] 0..1
    """0 where the surface turns away from the photo's camera, 1 where it faces it."""
    step = sheet.near / camera.focal[1] / sheet.density
    smooth = cv2.GaussianBlur(sheet.near, (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 8
    cos = 1 / np.sqrt(1 + (slope / step) ** 2)
    return smoothstep((cos - 0.22) / 0.25).astype(np.float32)


def hair_behind(
    torso: Sheet,
    tones: HairTones,
    camera: Camera,
    frame: HeadFrame,
    face: np.ndarray,  # [478, 3] working px
) -> tuple[np.ndarray, bool]:  # [h, w] 0..1, whether hair is long
    """Hair that hangs beside the neck or the jaw hangs behind it too, between its strands.

    Hair that ends between mouth and chin counts where it stands off the face on both sides, which
    neither a beard nor a cheek in the shade does; it is not long: the nape is bare below it.
    """
    near = grid_positions(torso, torso.near, camera)
    p = frame.local(near)
    to_hair, to_skin = tones.distances(torso.near_rgb)
    sure = torso.own & (torso.alpha > 0.8)
    cloth_zone = sure & (p[..., 1] < frame.chin - 0.18)
    like = (to_hair < to_skin) & (to_hair < 22)
    if cloth_zone.sum() > 100:
        lab = cv2.cvtColor(torso.near_rgb, cv2.COLOR_RGB2LAB)
        cloth = np.median(lab[cloth_zone], 0)
        to_cloth = np.linalg.norm((lab - cloth) * (0.6, 1, 1), axis=-1)
        like &= (to_cloth > to_hair) | (p[..., 1] > frame.chin)
        if np.min(np.linalg.norm((tones.hair - cloth) * (0.6, 1, 1), axis=-1)) < 9:
            like &= p[..., 1] > frame.chin - 0.07
    like &= sure & (p[..., 1] > frame.chin - 0.45)
    hull = face_hull(face_on(torso, face), torso.own.shape)
    whole = cv2.morphologyEx((like & ~hull).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))) > 0
    hair = connected(whole, whole & (p[..., 1] > 0))
    low = hair & (p[..., 1] < frame.chin - 0.01)
    long = bool(low.sum() >= 0.05 * hull.sum())
    if not long and not _stands_off(hair & (p[..., 1] < frame.mouth), hull):
        return np.zeros(torso.own.shape, np.float32), False
    filled = np.zeros(hair.shape, bool)
    middle = float(np.median(np.flatnonzero(hull.any(0))))
    start = int(np.flatnonzero(hull.any(1))[0])
    counts = low.sum(1)
    for y in np.flatnonzero(hair.any(1)):
        x = np.flatnonzero(hair[y])
        if y < start or (counts[y] < 3 and p[y, x, 1].mean() < frame.chin):
            continue
        x0, x1 = min(x[0], middle), max(x[-1], middle)
        filled[y, int(x0) : int(x1) + 1] = True
    filled &= torso.own | torso.mask
    rough = np.random.default_rng(7).standard_normal(filled.shape[1]).astype(np.float32)
    rough = cv2.GaussianBlur(rough[None], (0, 0), 1.2)[0]
    shift = np.round(3 * rough / max(float(rough.std()), 1e-6)).astype(int)
    rows = np.arange(filled.shape[0])[:, None] + shift[None]
    ragged = filled[rows.clip(0, filled.shape[0] - 1), np.arange(filled.shape[1])[None]]
    return np.clip(blur(ragged.astype(np.float32), 1.0), 0, 1), long


def _stands_off(
    hair: np.ndarray,  # [h, w] bool, hair below the mouth
    hull: np.ndarray,  # [h, w] bool, the face
) -> bool:
    """Whether hair lies well beside a face on both of its sides."""
    columns = np.flatnonzero(hull.any(0))
    apart = round(BESIDE * len(columns))
    sides = hair[:, : max(0, columns[0] - apart)], hair[:, columns[-1] + 1 + apart :]
    return all(side.sum() > HANGS * hull.sum() for side in sides)
