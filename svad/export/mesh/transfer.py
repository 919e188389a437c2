"""Carries skinning weights and face shapes from Gaussians to a mesh around them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy import sparse
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.skeleton import HANDS, HEAD_JOINTS, JOINTS
from svad.body.skin import pose_gaussians, unpose_points
from svad.media.images import to_uint8
from svad.types import Avatar, Pose, SkinnedMesh

NEAREST = 4  # Gaussians that a vertex takes after
SOLID = 0.3  # opacity of a Gaussian that counts
SMOOTHED = 3  # times; where parts that lay in each other were joined the weights would jump
PARTING = ("eyeBlinkLeft", "eyeBlinkRight", "mouthRollLower", "mouthRollUpper")
PARTED = 1e-3  # metres, by which one of them moves what belongs to lids and lips
LEAST = 2e-5  # metres; smaller movements of a face shape are left out


def carried(
    avatar: Avatar,
    pose: Pose,
    points: np.ndarray,  # [W, 3] metres, around the avatar in that pose
    faces: np.ndarray,  # [G, 3]
) -> SkinnedMesh:
    """The mesh at rest, with the colours, weights and face shapes of the nearest Gaussians."""
    g = avatar.gaussians
    solid = np.flatnonzero(g.opacities.cpu().numpy() > SOLID)
    means = posed_means(avatar, pose)[solid]
    distance, nearest = cKDTree(means).query(points, k=NEAREST, workers=-1)
    share = 1 / (distance + 1e-4)
    share /= share.sum(1, keepdims=True)
    nearest = solid[nearest]  # [W, NEAREST]
    ids, weights = (x.cpu().numpy() for x in (avatar.joint_ids, avatar.joint_weights))
    dense = np.zeros((len(points), len(JOINTS)))
    rows = np.arange(len(points))
    for k in range(NEAREST):
        for j in range(ids.shape[1]):
            at = nearest[:, k]
            dense[rows, ids[at, j]] += share[:, k] * weights[at, j]
    ids, weights = strongest(_smooth(dense, faces))
    found, moved = _moved(avatar, nearest, share)
    colors = (g.colors.cpu().numpy()[nearest] * share[..., None]).sum(1)
    rest = unpose_points(
        torch.from_numpy(points.astype(np.float32)), torch.from_numpy(ids),
        torch.from_numpy(weights.astype(np.float32)), avatar.joints.cpu(), avatar.parents,
        pose.to("cpu"),
    )  # fmt: skip
    return SkinnedMesh(
        vertices=rest.numpy(),
        faces=faces.astype(np.int32),
        colors=to_uint8(colors.clip(0, 1).astype(np.float32)),
        joint_ids=ids.astype(np.int32),
        joint_weights=weights.astype(np.float32),
        expression_ids=found.astype(np.int32),
        expression_dirs=moved,
    )


def _moved(
    avatar: Avatar, nearest: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # [K], [K, E, 3] float16
    """The vertices that a face shape moves, and where to."""
    place = np.full(len(avatar.gaussians), -1)
    place[avatar.expression_ids.cpu().numpy()] = np.arange(len(avatar.expression_ids))
    rows = place[nearest]  # [W, NEAREST]
    found = np.flatnonzero((rows >= 0).any(1))
    dirs = avatar.expression_dirs.float().cpu().numpy()
    moved = np.zeros((len(found), *dirs.shape[1:]), np.float32)
    for k in range(nearest.shape[1]):
        have = rows[found, k] >= 0
        moved[have] += share[found[have], k, None, None] * dirs[rows[found[have], k]]
    kept = np.abs(moved).max((1, 2), initial=0) > LEAST
    return found[kept], moved[kept].astype(np.float16)


def posed_means(avatar: Avatar, pose: Pose) -> np.ndarray:  # [N, 3] metres
    """Where the Gaussians are in a pose, with the face at rest."""
    still = replace(pose, expression=torch.zeros_like(pose.expression))
    return pose_gaussians(avatar, still).means.cpu().numpy()


def head_and_hands(
    avatar: Avatar,
    pose: Pose,
    points: np.ndarray,  # [W, 3] metres, around the avatar in that pose
) -> tuple[np.ndarray, np.ndarray]:  # [W] and [W], 0..1
    """How much each point follows the head, and a hand."""
    _, nearest = cKDTree(posed_means(avatar, pose)).query(points, workers=-1)
    ids, weights = (x.cpu().numpy()[nearest] for x in (avatar.joint_ids, avatar.joint_weights))
    hands = [joint for hand in HANDS.values() for joint in hand]
    of = lambda joints: (weights * np.isin(ids, joints)).sum(1)  # noqa: E731
    return of(list(HEAD_JOINTS)), of(hands)


def opening(
    avatar: Avatar,
    pose: Pose,
    points: np.ndarray,  # [W, 3] metres, around the avatar in that pose
) -> np.ndarray:  # [W] bool
    """Which points lie at the lids or the lips, whose two sides part."""
    dirs = avatar.expression_dirs.float().cpu().numpy()  # [K, E, 3]
    shapes = [k for k, name in enumerate(avatar.expression_names) if name in PARTING]
    moved = np.linalg.norm(dirs[:, shapes], axis=2).max(1, initial=0) > PARTED
    at = np.zeros(len(avatar.gaussians), bool)
    at[avatar.expression_ids.cpu().numpy()[moved]] = True
    _, nearest = cKDTree(posed_means(avatar, pose)).query(points, workers=-1)
    return at[nearest]


def dense_weights(mesh: SkinnedMesh) -> np.ndarray:  # [V, 55]
    """The weight of every joint at every vertex."""
    out = np.zeros((len(mesh.vertices), len(JOINTS)))
    rows = np.arange(len(out))[:, None]
    np.add.at(out, (rows, mesh.joint_ids), mesh.joint_weights)
    return out


def strongest(
    weights: np.ndarray,  # [V, 55]
) -> tuple[np.ndarray, np.ndarray]:  # [V, 4] joints, [V, 4] weights that sum to 1
    """The four joints that count most at each vertex."""
    ids = np.argsort(-weights, 1, kind="stable")[:, :4]
    kept = np.take_along_axis(weights, ids, 1)
    return ids, kept / kept.sum(1, keepdims=True)


def _smooth(weights: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Weights averaged over neighbours."""
    count = len(weights)
    both = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    ones = np.ones(len(both))
    near = sparse.csr_matrix((ones, (both[:, 0], both[:, 1])), (count, count))
    near = sparse.diags(1 / np.maximum(np.asarray(near.sum(1)).reshape(-1), 1)) @ near
    for _ in range(SMOOTHED):
        weights = (weights + near @ weights) / 2
    return weights
