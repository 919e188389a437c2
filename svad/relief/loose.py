"""Connectivity in other poses: no piece of the cloud may hang on nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage  # pyright: ignore[reportAttributeAccessIssue]
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.skin import pose_points, unpose_points
from svad.motion.standing import a_pose
from svad.motion.stills import POSES
from svad.relief.points import SIGMA, Points
from svad.relief.weights import top4
from svad.types import Pose

GAP = 0.006  # metres; what is farther apart is not connected,
STEPS = 1.5  # or farther than so many steps of the points' grid, where that is coarser
NEAR = 0.03  # metres in the photo's pose, up to which a loose point joins its neighbour
CRUMB = 0.004  # of all points, up to which what stays loose is dropped; more may be a whole limb
SPLINTER = 2e-4  # of all points, up to which a single piece is dropped even then


def held_together(
    points: Points,
    pose: Pose,  # T = 1, of the photo
    joints: torch.Tensor,  # [55, 3] rest
    parents: tuple[int, ...],
    kept: int = 0,  # of the last points, which are never dropped
) -> Points:
    """The points with every loose one bound to what it touches in the photo; crumbs are dropped.

    A fingertip whose hand was taken for the coat behind it would fly off with the arm: it stays on
    the coat. What touches nothing even in the photo is left out.
    """
    still = [a_pose(joints.numpy(), parents)]
    still += [one.pose((), joints.numpy(), parents) for one in POSES.values()]
    place = _Places(pose, joints, parents, still)
    posed = place(points)
    gap = max(GAP, STEPS * float(np.median(points.scales[:, 1])) / SIGMA)
    loose = _sizes(posed, gap) < 1
    if not loose.any():
        return points
    held, astray = np.flatnonzero(~loose), np.flatnonzero(loose)
    tree = cKDTree(points.xyz[held])
    distance, index = tree.query(points.xyz[astray], distance_upper_bound=NEAR, workers=-1)
    near = np.isfinite(distance)
    weights = points.weights.copy()
    weights[astray[near]] = points.weights[held[index[near]]]
    points = replace(points, weights=weights)
    for whole, part in zip(posed, place(points.select(astray)), strict=True):
        whole[astray] = part
    sizes = _sizes(posed, gap)
    loose = sizes < 1
    if loose.mean() > CRUMB:  # a whole limb: better loose than gone
        loose &= ~points.seen | (sizes < SPLINTER)
    if kept:
        loose[-kept:] = False
    return points.select(~loose)


@dataclass(frozen=True)
class _Places:
    """Where points lie in other poses."""

    pose: Pose  # of the photo
    joints: torch.Tensor  # [55, 3]
    parents: tuple[int, ...]
    others: list[Pose]

    def __call__(self, points: Points) -> list[np.ndarray]:  # [P, 3] for each of the other poses
        ids, weights = (torch.from_numpy(x) for x in top4(points.weights))
        bones = ids, weights, self.joints, self.parents
        rest = unpose_points(torch.from_numpy(points.xyz), *bones, self.pose[0]).float()
        with ThreadPoolExecutor() as pool:
            posed = pool.map(lambda other: pose_points(rest, *bones, other[0]), self.others)
            return [xyz.numpy() for xyz in posed]


def _sizes(posed: list[np.ndarray], gap: float) -> np.ndarray:  # [P]
    """How much of all points each is connected with, in the pose where that is least.

    1 = it belongs to the largest piece of every pose.
    """
    with ThreadPoolExecutor() as pool:
        return np.minimum.reduce(list(pool.map(lambda xyz: piece_sizes(xyz, gap), posed)))


def piece_sizes(
    xyz: np.ndarray,  # [P, 3] metres
    gap: float = GAP,
) -> np.ndarray:  # [P]
    """The share of all points that the connected piece of each has; 1 for the largest piece.

    What touches on a grid of cells of size `gap` is connected. Raises ValueError for points that
    are not finite.
    """
    if not np.isfinite(xyz).all():
        raise ValueError("points must be finite to lie on a grid")
    cell = np.floor((xyz - xyz.min(0)) / gap).astype(np.int32)
    grid = np.zeros(tuple(cell.max(0) + 1), bool)
    where = tuple(cell.T)
    grid[where] = True
    pieces = np.zeros(grid.shape, np.int32)
    ndimage.label(grid, np.ones((3, 3, 3), bool), output=pieces)
    piece = pieces[where]
    share = np.bincount(piece) / len(xyz)
    share[share.argmax()] = 1
    return share[piece]
