"""Made-up people for the tests: the default body, posed, coloured and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from svad.body import coco
from svad.body.free import load_free_body
from svad.face.landmarks import MESH_OF_IBUG
from svad.geometry.camera import Camera, photo_camera
from svad.geometry.zbuffer import draw
from svad.subject.evidence import JOINT_OF, POINT_OF
from svad.subject.fit import rest_pose

SKIN, SHIRT, TROUSERS, SHOES = (205, 150, 120), (180, 40, 50), (40, 50, 110), (60, 40, 30)
HAIR, LIPS, EYES = (60, 40, 25), (170, 80, 80), (30, 25, 25)


@dataclass(frozen=True)
class Person:
    """A drawn person with everything the detector would have to find."""

    rgb: np.ndarray  # [H, W, 3] uint8
    matte: np.ndarray  # [H, W] uint8
    keypoints: np.ndarray  # [133, 3]
    face: np.ndarray  # [478, 3] x px, y px, z px
    joints: np.ndarray  # [55, 3] posed, world
    camera: Camera


def pose_of(changes: dict[int, tuple[float, float, float]] | None = None) -> np.ndarray:  # [55, 3]
    """The relaxed pose with some joints (degrees about x, y, z) changed."""
    pose = np.zeros((55, 3), np.float32)
    pose[:22] = rest_pose()
    for joint, degrees in (changes or {}).items():
        pose[joint] = np.radians(degrees)
    return pose


def person(
    pose: np.ndarray | None = None,  # [55, 3]
    betas: tuple[float, ...] = (),
    width: int = 360,
    height: int = 520,
    place: tuple[float, float, float] = (0.0, 0.05, -3.9),
    background: tuple[int, int, int] = (200, 205, 210),
) -> Person:
    """Draws the default body in plain clothes on a plain wall.

    Who is asked for again is not drawn again: nobody can write into the arrays.
    """
    pose = pose_of() if pose is None else pose
    turns = pose.astype(np.float32).tobytes()
    return _person(turns, tuple(betas), width, height, tuple(place), tuple(background))


@lru_cache(maxsize=32)
def _person(
    pose: bytes,  # [55, 3] float32
    betas: tuple[float, ...],
    width: int,
    height: int,
    place: tuple[float, float, float],
    background: tuple[int, int, int],
) -> Person:
    body = load_free_body()
    shape = torch.zeros(10)
    shape[: len(betas)] = torch.tensor(betas)
    rest = body.rest(shape)
    turns = torch.frombuffer(bytearray(pose), dtype=torch.float32).view(55, 3)
    offset = torch.tensor(place)
    vertices = body.pose_vertices(rest, turns, offset)
    joints = body.posed_joints(rest.joints, turns, offset).numpy()
    camera = photo_camera(width, height)
    faces = body.faces.numpy()
    big = camera.resized(2)
    maps = draw(big.project(vertices.numpy()), faces, big.height, big.width)
    color = _clothes(body, rest.vertices.numpy())[faces[maps.near_face]].mean(2)
    corners = vertices.numpy()[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    light = 0.45 + 0.55 * np.clip(normal @ np.array([0.3, 0.5, 0.8]), 0, 1)
    image = np.full((big.height, big.width, 3), background, np.float32)
    hit = maps.covered
    image[hit] = (color * light[maps.near_face][..., None])[hit]
    image, matte = _halved(image), 255 * _halved(hit.astype(np.float32))
    keypoints = np.zeros((coco.COUNT, 3), np.float32)
    flat = camera.project(joints)
    marks = camera.project(vertices[body.keypoints].numpy())
    for point, joint in JOINT_OF.items():
        keypoints[point] = (*flat[joint, :2], 1)
    for point, mark in POINT_OF.items():
        keypoints[point] = (*marks[mark, :2], 1)
    face = camera.project(body.mesh_points(vertices).numpy())
    depth = (face[:, 2] - face[:, 2].mean()) * camera.focal[0] / face[:, 2].mean()
    face = np.concatenate([face[:, :2], depth[:, None]], 1).astype(np.float32)
    keypoints[coco.FACE, :2] = face[list(MESH_OF_IBUG), :2]
    keypoints[coco.FACE, 2] = 1
    rgb = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    made = Person(rgb, (matte + 0.5).astype(np.uint8), keypoints, face, joints, camera)
    for array in (made.rgb, made.matte, made.keypoints, made.face, made.joints):
        array.flags.writeable = False
    return made


def _halved(picture: np.ndarray) -> np.ndarray:  # [2 H, 2 W, ...] -> [H, W, ...]
    """The mean of each two by two pixels; numpy takes many times as long for two axes at once."""
    rows = picture[::2] + picture[1::2]
    return (rows[:, ::2] + rows[:, 1::2]) / 4


def _clothes(body, rest: np.ndarray) -> np.ndarray:  # [V, 3] float32
    """Colours by body part, in the rest pose."""
    weights = body.weights.numpy()
    color = np.zeros((len(rest), 3), np.float32) + SKIN
    part = weights.argmax(1)
    color[np.isin(part, (3, 6, 9, 13, 14, 16, 17))] = SHIRT
    color[np.isin(part, (0, 1, 2, 4, 5))] = TROUSERS
    color[np.isin(part, (7, 8, 10, 11))] = SHOES
    head = rest[body.head.numpy()]
    top, front = head[:, 1].max(), head[:, 2].max()
    hair = (rest[:, 1] > top - 0.05) | ((rest[:, 2] < front - 0.11) & (rest[:, 1] > top - 0.17))
    color[hair & (part == 15)] = HAIR
    color[np.isin(part, (23, 24))] = EYES
    lips = body.mesh_points(torch.from_numpy(rest)).numpy()[[0, 17, 61, 291, 13, 14]]
    near = np.linalg.norm(rest[:, None] - lips[None], axis=2).min(1) < 0.012
    color[near] = LIPS
    return color
