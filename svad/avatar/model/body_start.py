"""The other first guess: a Gaussian on every vertex of the fitted body, divided again and again.

This is the form of the published avatars (SVAD, section 3.4): no hair, no clothes, which the
offsets must bring. Colours are those of the preview's cloud nearby.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor

from svad.body.model import BodyModel
from svad.body.subdivide import subdivide
from svad.motion.stance import bound_as
from svad.splat.gaussians import isotropic
from svad.types import Avatar, Subject

LEVELS = 2  # subdivisions at most
SPREAD = 0.5  # standard deviation of a Gaussian, in lengths of the edges around it
LEAST_MOVE = 1e-5  # metres that an expression moves a vertex by, or it does not


def body_start(
    avatar: Avatar,  # the preview's, for colours, mesh, pose and camera
    subject: Subject,
    body: BodyModel,
    count: int,  # Gaussians at most, but never fewer than the body has vertices
) -> Avatar:
    """The fitted body as a cloud, as finely divided as `count` allows, 0 to 2 times."""
    points = torch.from_numpy(np.ascontiguousarray(subject.body.vertices)).float()
    faces, weights = body.faces, body.weights
    moves = body.expression_dirs.permute(0, 2, 1)  # [V, E, 3]
    for _ in range(LEVELS):
        level = subdivide(faces, len(points))
        if len(points) + len(level.edges) > count:
            break
        points, weights, moves = (level.apply(values) for values in (points, weights, moves))
        faces = level.faces
    joint_weights, joint_ids = weights.topk(4, dim=1)
    moved = torch.nonzero(moves.abs().amax((1, 2)) > LEAST_MOVE)[:, 0]
    fit = subject.body
    preview = bound_as(avatar, fit.pose)  # of a clip, the avatar is bound to the turn's stance
    near = cKDTree(preview.gaussians.means.numpy(force=True)).query(points.numpy())[1]
    cloud = isotropic(
        points, SPREAD * _edge_lengths(points, faces), avatar.gaussians.colors.cpu()[near]
    )
    fitted = replace(
        preview,
        gaussians=cloud,
        joint_ids=joint_ids.contiguous(),
        joint_weights=joint_weights / joint_weights.sum(1, keepdim=True),
        expression_ids=moved,
        expression_dirs=moves[moved].half(),
        correctives=None,
    )
    bound = bound_as(fitted, avatar.pose)
    return replace(bound, mesh=avatar.mesh, joints=avatar.joints, pose=avatar.pose)


def _edge_lengths(
    points: Tensor,  # [N, 3]
    faces: Tensor,  # [F, 3]
) -> Tensor:  # [N] metres, the mean over the edges at each point
    total, number = torch.zeros(len(points)), torch.zeros(len(points))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        first, second = faces[:, a], faces[:, b]
        length = (points[first] - points[second]).norm(dim=1)
        for end in (first, second):
            total.index_add_(0, end, length)
            number.index_add_(0, end, torch.ones_like(length))
    return total / number.clamp_min(1)
