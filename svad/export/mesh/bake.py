"""Paints the picture of an unwrapped mesh: the photo where it shows the surface, splats beyond."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy import ndimage
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.skin import pose_gaussians, pose_points
from svad.core.progress import Report, silent
from svad.export.mesh.unwrap import SIDE, Unwrapped
from svad.geometry.camera import Camera
from svad.geometry.sampling import smoothstep
from svad.geometry.surface import vertex_normals
from svad.geometry.zbuffer import DepthMaps, draw
from svad.media.images import to_float, to_uint8
from svad.splat.cutout import cutout
from svad.types import Avatar, SkinnedMesh, Subject

STEPS = 4
FINER = 2  # times the photo's size at which its view is drawn: the head's Gaussians are that dense
NEAREST = 6  # Gaussians that colour a point which the photo does not show
SPREAD = 0.003  # metres, how far a Gaussian colours
COARSE = 2  # px of the picture for one that the Gaussians colour: hidden sides have less detail
STEEP = (0.12, 0.35)  # cosine between surface and view: below the photo counts not, above in full
BEHIND = 0.012  # metres behind what the photo shows in front: not seen


@dataclass(frozen=True)
class _View:
    """The mesh in the photo."""

    picture: np.ndarray  # [H, W, 4] uint8, straight alpha
    camera: Camera
    points: np.ndarray  # [V, 3] posed, x px, y px, depth
    cosine: np.ndarray  # [V] between the surface and the way to the camera
    maps: DepthMaps


def baked(
    avatar: Avatar,
    mesh: SkinnedMesh,
    flat: Unwrapped,
    subject: Subject | None,
    report: Report = silent,
) -> np.ndarray:  # [SIDE, SIDE, 3] uint8
    """The picture; colours go on beyond the charts, so that no seam shows from afar."""
    report(0, STEPS, "painting")
    corners = np.concatenate([flat.uv * SIDE, np.ones((len(flat.uv), 1))], 1)
    texels = draw(corners, flat.faces, SIDE, SIDE)
    report(1, STEPS, "painting what the photo does not show")
    image = _from_splats(avatar, mesh, flat, corners)
    report(2, STEPS, "painting what the photo shows")
    view = _photo_view(avatar, mesh, subject)
    filled = np.nonzero(texels.covered)
    face, bary = texels.near_face[filled], texels.near_bary[filled]
    triangle = flat.vertex[flat.faces[face]]
    color, share = _from_photo(view, triangle, bary)
    report(3, STEPS, "closing the seams of the picture")
    own = image[filled]
    image[filled] = own + share[:, None] * (color - own)
    return to_uint8(_extended(image, texels.covered))


def _from_splats(
    avatar: Avatar, mesh: SkinnedMesh, flat: Unwrapped, corners: np.ndarray
) -> np.ndarray:  # [SIDE, SIDE, 3]
    """What the nearest Gaussians at rest say, at a coarser size."""
    small = SIDE // COARSE
    texels = draw(corners * (1 / COARSE, 1 / COARSE, 1), flat.faces, small, small)
    filled = texels.covered
    places = texels.values(flat.faces, mesh.vertices[flat.vertex])[filled]
    g = avatar.gaussians
    solid = (g.opacities > 0.3).cpu().numpy()
    means, colors = g.means.cpu().numpy()[solid], g.colors.cpu().numpy()[solid]
    distance, nearest = cKDTree(means).query(places, k=min(NEAREST, len(means)), workers=-1)
    distance, nearest = distance.reshape(len(places), -1), nearest.reshape(len(places), -1)
    weight = np.exp(-0.5 * ((distance - distance[:, :1]) / SPREAD) ** 2)
    weight /= weight.sum(1, keepdims=True)
    image = np.zeros((small, small, 3), np.float32)
    image[filled] = np.einsum("pk,pkc->pc", weight, colors[nearest]).clip(0, 1)
    return cv2.resize(_extended(image, filled), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def _photo_view(avatar: Avatar, mesh: SkinnedMesh, subject: Subject | None) -> _View:
    """The mesh as the photo sees it, and the photo; of an avatar without one its front view."""
    camera = avatar.camera.resized(FINER)
    picture = cutout(pose_gaussians(avatar, avatar.pose[0]), camera)
    if subject is not None:
        picture = _with_photo(picture, subject)
    posed = pose_points(
        torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.joint_ids).long(),
        torch.from_numpy(mesh.joint_weights), avatar.joints.cpu(), avatar.parents,
        avatar.pose[0].to("cpu"),
    ).numpy()  # fmt: skip
    eye = -camera.rotation.T @ camera.translation
    toward = eye - posed
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    cosine = (vertex_normals(posed.astype(np.float64), mesh.faces) * toward).sum(1)
    points = camera.project(posed)
    return _View(picture, camera, points, cosine, draw(points, mesh.faces, camera.height,
                                                       camera.width))  # fmt: skip


def _with_photo(picture: np.ndarray, subject: Subject) -> np.ndarray:  # [H, W, 4] uint8
    """The drawn front with the photo over it where the matte is sure; the head from its close-up.

    Near the matte's edge the photo holds the background's light, so there the drawn one stays.
    """
    height, width = picture.shape[:2]
    layers = [(subject.photo.rgb, subject.matte, (0, 0, *subject.matte.shape[::-1]))]
    if subject.head is not None:
        layers.append((subject.head.rgb, subject.head.matte, subject.head.box))
    out = picture.astype(np.float32)
    for rgb, matte, (x0, y0, x1, y1) in layers:
        left, top = x0 * FINER, y0 * FINER
        size = ((x1 - x0) * FINER, (y1 - y0) * FINER)
        photo = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
        sure = cv2.resize(to_float(matte), size, interpolation=cv2.INTER_LINEAR)
        share = smoothstep((cv2.erode(sure, np.ones((5, 5))) - 0.85) / 0.15)
        border = np.zeros_like(share)  # a close-up ends softly
        border[4:-4, 4:-4] = 1
        if size != (width, height):
            share = share * cv2.blur(border, (9, 9))
        a, b = max(0, left), max(0, top)
        c, d = min(width, left + size[0]), min(height, top + size[1])
        own = np.s_[b - top : d - top, a - left : c - left]
        part = out[b:d, a:c, :3]
        part += share[own][..., None] * (photo[own] - part)
    return np.round(out.clip(0, 255)).astype(np.uint8)


def _from_photo(
    view: _View,
    triangle: np.ndarray,  # [P, 3] vertices around each texel
    bary: np.ndarray,  # [P, 3]
) -> tuple[np.ndarray, np.ndarray]:  # [P, 3] colour, [P] how much it counts
    """What the photo shows at each texel."""
    at = (view.points[triangle] * bary[..., None]).sum(1)
    cosine = (view.cosine[triangle] * bary).sum(1)
    height, width = view.maps.near.shape
    x, y = at[:, 0].astype(np.float32) - 0.5, at[:, 1].astype(np.float32) - 0.5
    framed = (x > 0) & (y > 0) & (x < width - 1) & (y < height - 1)
    column, row = (
        x.round().clip(0, width - 1).astype(int),
        y.round().clip(0, height - 1).astype(int),
    )
    # In front of the farthest of the neighbours: an edge of the body in front hides nothing here.
    front = ndimage.minimum_filter(view.maps.near, 3)
    seen = framed & (at[:, 2] < front[row, column] + BEHIND)
    share = np.where(seen, smoothstep((cosine - STEEP[0]) / (STEEP[1] - STEEP[0])), 0)
    lit = view.picture[..., :3].astype(np.float32) / 255
    color = _sampled(lit, x, y)
    present = to_float(view.picture[..., 3])
    return color, share * (present[row, column] > 0.02)


def _sampled(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:  # [P, C]
    """The image between its pixel centres."""
    height, width = image.shape[:2]
    x, y = x.clip(0, width - 1.001), y.clip(0, height - 1.001)
    i, j = x.astype(int), y.astype(int)
    u, v = (x - i)[:, None], (y - j)[:, None]
    upper = image[j, i] * (1 - u) + image[j, i + 1] * u
    return upper * (1 - v) + (image[j + 1, i] * (1 - u) + image[j + 1, i + 1] * u) * v


def _extended(
    image: np.ndarray,  # [H, W, 3]
    filled: np.ndarray,  # [H, W] bool
) -> np.ndarray:  # [H, W, 3]
    """Every empty pixel gets the colour of the nearest filled one."""
    if not filled.any():
        return image
    nearest = np.zeros((2, *filled.shape), np.int32)
    ndimage.distance_transform_edt(~filled, return_distances=False, indices=nearest,
                                   return_indices=True)  # fmt: skip
    return image[nearest[0], nearest[1]]
