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
from svad.relief.collar import cloth_behind, going_behind
from svad.relief.hair import HeadMap, Seen, Strands, hair_detail
from svad.relief.hair_behind import hair_behind
from svad.relief.hair_tones import connected, hair_tones
from svad.relief.head import face_hull, face_on, skin_colours
from svad.relief.head_frame import HeadFrame, head_frame
from svad.relief.points import Sheet, grid_positions
from svad.relief.weights import folded, head_share
from svad.types import Subject

SKIN_LIKE, HAIR_LIKE, PURE_HAIR = 20.0, 45.0, 22.0  # distances in Lab, lightness counted less
FOOT = 0.3  # share of the head from which on a collar may lie around the neck
LOCK = 0.006  # metres, half the width of hair that hangs below the nose


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
    cloth = connected(cloth, cloth & (height < frame.mouth))  # a red ear is none
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


def squareness(sheet: Sheet, camera: Camera) -> np.ndarray:  # [h, w] 0..1
    """0 where the surface turns away from the photo's camera, 1 where it faces it."""
    step = sheet.near / camera.focal[1] / sheet.density
    smooth = cv2.GaussianBlur(sheet.near, (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 8
    cos = 1 / np.sqrt(1 + (slope / step) ** 2)
    return smoothstep((cos - 0.22) / 0.25).astype(np.float32)
