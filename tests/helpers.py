"""Small stand-ins for tests: an avatar of capsules around the skeleton, and the subject it fits."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from svad.geometry.camera import photo_camera
from svad.splat.gaussians import isotropic
from svad.types import Avatar, BodyFit, Photo, Pose, SkinnedMesh, Subject

PARENTS = (
    *(-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15),
    *(20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38),
    *(21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53),
)
EXPRESSIONS = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "browInnerUp")
RING = 8  # vertices around a capsule

# Rest joints of the middle and the left side, metres: (joint, x, y, z).
BODY = (
    *((0, 0, 0, 0), (1, 0.108, -0.016, -0.009), (3, 0, 0.147, -0.026), (4, 0.122, -0.413, 0.019)),
    *((6, 0, 0.226, -0.03), (7, 0.137, -0.84, -0.009), (9, 0, 0.367, -0.037)),
    *((10, 0.129, -0.886, 0.129), (12, 0, 0.548, 0.001), (13, 0.023, 0.474, 0.016)),
    *((15, 0, 0.644, 0.035), (16, 0.177, 0.481, 0.011), (18, 0.426, 0.481, 0.011)),
    *((20, 0.665, 0.481, 0.011), (22, 0, 0.655, 0.048), (23, 0.029, 0.687, 0.112)),
)
FINGERS = ((25, 0.037), (28, 0.011), (31, -0.027), (34, -0.008), (37, 0.035))  # first joint, z
MIRROR = ((1, 2), (4, 5), (7, 8), (10, 11), (13, 14), (16, 17), (18, 19), (20, 21), (23, 24))

# Capsules: (joint that carries it, joint or point where it ends, radius, colour).
SKIN, SHIRT, JEANS, SHOE = (224, 172, 140), (60, 110, 170), (50, 54, 80), (40, 36, 34)
CAPSULES = (
    *((0, 3, 0.15, JEANS), (3, 6, 0.14, SHIRT), (6, 9, 0.14, SHIRT), (9, 12, 0.12, SHIRT)),
    *((12, 15, 0.06, SKIN), (15, (0, 0.78, 0.03), 0.095, SKIN)),
    *((13, 16, 0.07, SHIRT), (16, 18, 0.055, SHIRT), (18, 20, 0.045, SKIN)),
    *((14, 17, 0.07, SHIRT), (17, 19, 0.055, SHIRT), (19, 21, 0.045, SKIN)),
    *((1, 4, 0.085, JEANS), (4, 7, 0.06, JEANS), (7, 10, 0.05, SHOE)),
    *((2, 5, 0.085, JEANS), (5, 8, 0.06, JEANS), (8, 11, 0.05, SHOE)),
    *((20, 28, 0.035, SKIN), (28, 30, 0.03, SKIN), (21, 43, 0.035, SKIN), (43, 45, 0.03, SKIN)),
)


def tiny_joints() -> np.ndarray:
    """Rest joints [55, 3] of a grown-up, pelvis at the origin."""
    joints = np.zeros((55, 3), np.float32)
    for j, *xyz in BODY:
        joints[j] = xyz
    for first, z in FINGERS:
        for k in range(3):
            joints[first + k] = (0.755 + 0.025 * k, 0.478, z)
    for left, right in (*MIRROR, *((j, j + 15) for j in range(25, 40))):
        joints[right] = joints[left] * (-1, 1, 1)
    return joints


def _capsule(a: np.ndarray, b: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A closed capsule from a [3] to b [3]: vertices [6 RING + 2, 3], faces [F, 3]."""
    axis = (b - a) / np.linalg.norm(b - a)
    side = np.cross(axis, (0.3, 0.2, 1.0))
    side /= np.linalg.norm(side)
    up = np.cross(axis, side)
    angle = np.arange(RING) * 2 * np.pi / RING
    ring = np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * up
    length, r = np.linalg.norm(b - a), radius
    stops = ((-0.7 * r, 0.7), (0, 1), (length / 3, 1), (2 * length / 3, 1), (length, 1))
    stops = (*stops, (length + 0.7 * r, 0.7))
    rows = [a + axis * at + ring * r * wide for at, wide in stops]
    vertices = np.concatenate([*rows, (a - axis * r)[None], (b + axis * r)[None]])
    i, n = np.arange(RING), len(stops)
    j = (i + 1) % RING
    faces = [np.stack([np.full(RING, n * RING), j, i], 1)]
    for k in range(n - 1):
        p, q, s, t = k * RING + i, k * RING + j, (k + 1) * RING + i, (k + 1) * RING + j
        faces += [np.stack([p, q, t], 1), np.stack([p, t, s], 1)]
    last = (n - 1) * RING
    faces.append(np.stack([last + i, last + j, np.full(RING, n * RING + 1)], 1))
    return vertices, np.concatenate(faces)


def tiny_mesh() -> SkinnedMesh:
    """A closed, coloured mesh of capsules (about 1000 vertices), facing +z, with a red nose."""
    joints = tiny_joints()
    parts, faces, colors, ids, weights = [], [], [], [], []
    count = 0
    for joint, end, radius, color in CAPSULES:
        a = joints[joint]
        b = joints[end] if isinstance(end, int) else np.asarray(end, np.float32)
        v, f = _capsule(a, b, radius)
        along = np.clip((v - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        share = 0.5 * np.clip(1 - along / 0.25, 0, 1)  # of the joint before, near the bend
        before = max(PARENTS[joint], 0)
        parts.append(v)
        faces.append(f + count)
        shade = np.where(v[:, 2:] > a[2], 1.0, 0.6)  # the back is darker, so that sides can be told
        colors.append(np.asarray(color) * shade)
        ids.append(np.tile([joint, before, 0, 0], (len(v), 1)))
        weights.append(np.stack([1 - share, share, 0 * share, 0 * share], 1))
        count += len(v)
    vertices = np.concatenate(parts).astype(np.float32)
    ids, weights = np.concatenate(ids), np.concatenate(weights).astype(np.float32)
    weights[ids[:, 0] == ids[:, 1]] = (1, 0, 0, 0)
    colors = np.concatenate(colors)
    nose = (np.abs(vertices[:, 0]) < 0.03) & (vertices[:, 1] > 0.68) & (vertices[:, 2] > 0.1)
    colors[nose] = (220, 40, 40)
    head = np.flatnonzero(ids[:, 0] == 15).astype(np.int32)
    return SkinnedMesh(
        vertices=vertices,
        faces=np.concatenate(faces).astype(np.int32),
        colors=colors.astype(np.uint8),
        joint_ids=ids.astype(np.int32),
        joint_weights=weights,
        expression_ids=head,
        expression_dirs=_expressions(vertices[head]),
    )


def _expressions(points: np.ndarray) -> np.ndarray:
    """Soft bumps on the head [K, E, 3]; metres per unit."""
    centers = np.array([[0, 0.62, 0.1], [0.05, 0.66, 0.1], [-0.05, 0.66, 0.1], [0, 0.75, 0.1]])
    moves = np.array([[0, -0.03, 0], [0.01, 0.01, 0], [-0.01, 0.01, 0], [0, 0.01, 0]])
    distance = np.linalg.norm(points[:, None] - centers, axis=-1)  # [K, E]
    return (np.exp(-((distance / 0.06) ** 2))[..., None] * moves).astype(np.float16)


def _surface(mesh: SkinnedMesh, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random points on the mesh: barycentric mix [N, 3], vertices of the face [N, 3], area."""
    random = np.random.default_rng(seed)
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    face = random.choice(len(areas), count, p=areas / areas.sum())
    u, v = random.random((2, count))
    flip = u + v > 1
    u[flip], v[flip] = 1 - u[flip], 1 - v[flip]
    return np.stack([1 - u - v, u, v], 1), mesh.faces[face], areas.sum()


def one_pose(
    rotations: np.ndarray,  # [55, 3] axis-angle
    translation: Sequence[float] = (0.0, 0.0, 0.0),  # [3]
    expression: Sequence[float] = (0.0, 0.0, 0.0, 0.0),  # [E]
) -> Pose:  # T = 1
    """A pose of plain numbers."""
    values = rotations, translation, expression
    return Pose(*(torch.tensor(np.asarray(v, np.float32))[None] for v in values))


def tiny_pose(translation: tuple[float, float, float] = (0.0, 0.0, -4.0)) -> Pose:
    """Arms 60 degrees down, facing the camera, `translation` away from it."""
    rotations = np.zeros((55, 3), np.float32)
    rotations[16, 2], rotations[17, 2] = -np.pi / 3, np.pi / 3
    return one_pose(rotations, translation)


def tiny_avatar(count: int = 4000, seed: int = 0, width: int = 192, height: int = 256) -> Avatar:
    """An avatar of `count` round Gaussians on capsules; its photo is width x height pixels."""
    mesh = tiny_mesh()
    mix, corners, area = _surface(mesh, count, seed)
    points = (mesh.vertices[corners] * mix[..., None]).sum(1)
    colors = (mesh.colors[corners] * mix[..., None]).sum(1) / 255
    nearest = corners[np.arange(count), mix.argmax(1)]
    ids, weights = mesh.joint_ids[nearest], mesh.joint_weights[nearest]
    head = np.flatnonzero(ids[:, 0] == 15)
    size = 0.55 * np.sqrt(area / count)
    return Avatar(
        gaussians=isotropic(
            torch.tensor(points, dtype=torch.float32),
            torch.full((count,), float(size)),
            torch.tensor(colors, dtype=torch.float32),
            opacity=0.98,
        ),
        joint_ids=torch.tensor(ids, dtype=torch.int64),
        joint_weights=torch.tensor(weights),
        joints=torch.tensor(tiny_joints()),
        parents=PARENTS,
        expression_names=EXPRESSIONS,
        expression_ids=torch.tensor(head),
        expression_dirs=torch.tensor(_expressions(points[head])),
        mesh=mesh,
        pose=tiny_pose(),
        camera=photo_camera(width, height),
    )


def tiny_subject(width: int = 192, height: int = 256) -> Subject:
    """The subject that belongs to `tiny_avatar`: a flat photo and its matte, width x height."""
    mesh, pose, camera = tiny_mesh(), tiny_pose(), photo_camera(width, height)
    points = mesh.vertices.copy()
    for joint in (16, 17):  # the pose only lowers the arms
        carried = (mesh.joint_ids[:, 0] >= 16) & (
            np.sign(points[:, 0]) == (1 if joint == 16 else -1)
        )
        turn, _ = cv2.Rodrigues(pose.rotations[0, joint].double().numpy())
        center = tiny_joints()[joint]
        points[carried] = (points[carried] - center) @ turn.T + center
    pixels = camera.project(points + pose.translation[0].numpy())
    rgb = np.full((height, width, 3), 170, np.uint8)
    matte = np.zeros((height, width), np.uint8)
    corners = pixels[mesh.faces]  # [F, 3, 3]
    for k in np.argsort(-corners[..., 2].mean(1)):  # far to near
        triangle = np.round(corners[k, :, :2] - 0.5).astype(np.int32)
        cv2.fillConvexPoly(rgb, triangle, mesh.colors[mesh.faces[k, 0]].tolist())
        cv2.fillConvexPoly(matte, triangle, 255)
    body = BodyFit(
        betas=np.zeros(10, np.float32),
        bone_scales=np.ones(11, np.float32),
        vertices=mesh.vertices,
        joints=tiny_joints(),
        pose=pose,
        camera=camera,
    )
    keypoints = np.zeros((133, 3), np.float32)
    return Subject(Photo(rgb, None), matte, keypoints, None, None, body, ())


def aged(folder: Path, seconds: float) -> None:
    """As if nobody had touched the folder for so long."""
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (time.time() - seconds,) * 2)
