"""Carries Gaussians and points between the rest pose and any other pose, exactly both ways.

Linear blend skinning (SMPL, eq. 2) thins bent joints and collapses twisted ones; dual quaternion
blending (Kavan et al. 2008) keeps the volume but bulges on the outside of a bend. Both give every
point one affine transform that depends on its weights alone, so a weighted mean of the two is as
easy to invert, and what was un-posed from a photo comes back to the same pixel.
"""

from __future__ import annotations

from dataclasses import fields, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from svad.body.correctives import corrected
from svad.body.lbs import joint_transforms
from svad.geometry.rotation import axis_angle_to_quaternion, invert3, quaternion_multiply
from svad.splat.gaussians import Gaussians
from svad.types import Avatar, Pose

CHUNK = 16384  # Gaussians posed at a time, so that what is computed stays in the cache
RIGID = 0.5  # share of dual quaternions in the blend; 0 = linear blend skinning as in SMPL


def pose_gaussians(avatar: Avatar, pose: Pose, *, rigid: float = RIGID) -> Gaussians:
    """The avatar's Gaussians (N) in a pose; sizes, opacities and colours stay as they are.

    Poses of T frames give every tensor T in front, a single frame (`pose[i]`) gives plain ones.
    Differentiable in the pose and in the avatar's tensors.
    """
    rest, frames = avatar.gaussians, pose.translation.shape[:-1]
    if avatar.correctives is not None:
        rest = corrected(rest, avatar.correctives, pose)
    means = add_expression(
        rest.means, avatar.expression_ids, avatar.expression_dirs, pose.expression
    )
    table = _joint_table(avatar.joints, avatar.parents, pose)
    shift = pose.translation.to(means)
    placed, turned = [], []
    step = max(1, CHUNK // max(1, frames.numel())) if means.device.type == "cpu" else len(rest)
    for first in range(0, max(1, len(rest)), step):
        part = slice(first, first + step)
        rows, turns = _blended_rows(
            avatar.joint_ids[part], avatar.joint_weights[part], table, rigid
        )
        placed.append(_apply_rows(rows, means[..., part, :], shift))
        turned.append(_multiply_rows(turns, rest.quats[part]))
    still = rest if not frames else _repeated(rest, frames)
    return replace(still, means=torch.cat(placed, -2), quats=torch.cat(turned, -2))


def select_gaussians(
    avatar: Avatar,  # N
    index: Tensor,  # [M] int64, each at most once
) -> Avatar:
    """The avatar with some of its Gaussians, in the order of `index`."""
    place = torch.full((len(avatar.gaussians),), -1, dtype=torch.int64, device=index.device)
    place[index] = torch.arange(len(index), device=index.device)
    moved_by_face = place[avatar.expression_ids]
    kept, network = moved_by_face >= 0, avatar.correctives
    if network is not None:
        network = replace(network, basis=network.basis[:, index])
    return replace(
        avatar,
        gaussians=avatar.gaussians.select(index),
        correctives=network,
        joint_ids=avatar.joint_ids[index],
        joint_weights=avatar.joint_weights[index],
        expression_ids=moved_by_face[kept],
        expression_dirs=avatar.expression_dirs[kept],
    )


def _repeated(rest: Gaussians, frames: torch.Size) -> Gaussians:
    """Views of the same Gaussians for every frame; what a frame has of its own stays."""
    parts = {f.name: getattr(rest, f.name) for f in fields(rest)}
    count = len(rest)
    for name, part in parts.items():
        if part.shape[0] == count and part.ndim == (1 if name == "opacities" else 2):
            parts[name] = part.expand(*frames, *part.shape)
    return Gaussians(**parts)


def pose_points(
    points: Tensor,  # [..., N, 3] rest points, metres
    ids: Tensor,  # [N, K] int64, joints of each point
    weights: Tensor,  # [N, K], rows sum to 1
    joints: Tensor,  # [55, 3] rest joints, metres
    parents: tuple[int, ...],  # 55, root -1
    pose: Pose,
    *,
    rigid: float = RIGID,
) -> Tensor:  # [..., N, 3]
    """Points in a pose, as `pose_gaussians` moves its means (without the expression)."""
    rows, _ = _blended_rows(ids, weights, _joint_table(joints, parents, pose), rigid)
    return _apply_rows(rows, points, pose.translation.to(points))


def unpose_points(
    points: Tensor,  # [..., N, 3] points in the pose, metres
    ids: Tensor,  # [N, K] int64, joints of each point
    weights: Tensor,  # [N, K], rows sum to 1
    joints: Tensor,  # [55, 3] rest joints, metres
    parents: tuple[int, ...],  # 55, root -1
    pose: Pose,
    *,
    rigid: float = RIGID,
) -> Tensor:  # [..., N, 3] rest points
    """The inverse of `pose_points` for the same ids, weights and `rigid`."""
    transforms, _ = blended(ids, weights, joints, parents, pose, rigid=rigid)
    moved = points - pose.translation.to(points)[..., None, :] - transforms[..., 3]
    return (invert3(transforms[..., :3]) @ moved[..., None]).squeeze(-1)


def unpose_quats(
    quats: Tensor,  # [..., N, 4] unit quaternions in the pose, real part first
    ids: Tensor,  # [N, K] int64
    weights: Tensor,  # [N, K], rows sum to 1
    joints: Tensor,  # [55, 3] rest joints, metres
    parents: tuple[int, ...],  # 55, root -1
    pose: Pose,
) -> Tensor:  # [..., N, 4]
    """Orientations in the rest pose: the inverse of what `pose_gaussians` does to them."""
    _, turns = blended(ids, weights, joints, parents, pose)
    return quaternion_multiply(turns * turns.new_tensor([1, -1, -1, -1]), quats)


def add_expression(
    points: Tensor,  # [N, 3] rest points, metres, or as many as there are coefficients
    ids: Tensor,  # [K] int64, the points an expression moves
    dirs: Tensor,  # [K, E, 3] metres per unit coefficient
    expression: Tensor,  # [..., E] coefficients
) -> Tensor:  # [..., N, 3], or [N, 3] if nothing moves
    """Rest points with a facial expression; without gradients a CPU reads only what is in use."""
    count = min(dirs.shape[1], expression.shape[-1])
    coefficients = expression[..., :count].to(points)
    used: Tensor | slice = slice(count)
    # a coefficient of zero has a gradient too; a GPU multiplies by zeros faster than it tells them
    if not coefficients.requires_grad and points.device.type == "cpu":
        used = torch.nonzero(coefficients.reshape(-1, count).any(0))[:, 0]
        if not len(used):
            return points
    if not len(ids) or not count:
        return points
    offsets = torch.einsum("kec,...e->...kc", dirs[:, used].to(points), coefficients[..., used])
    points = points.expand(*coefficients.shape[:-1], *points.shape[-2:])
    return points.index_add(-2, ids, offsets)


def blended(
    ids: Tensor,  # [N, K] int64
    weights: Tensor,  # [N, K], rows sum to 1
    joints: Tensor,  # [55, 3] rest joints, metres
    parents: tuple[int, ...],  # 55, root -1
    pose: Pose,
    *,
    rigid: float = RIGID,
) -> tuple[Tensor, Tensor]:
    # [..., N, 3, 4] rest to pose without translation; [..., N, 4] its rotation
    """Every point's blended transform, and the unit quaternion of its rotation part.

    The rotation is the blended quaternion whatever `rigid` is: for two joints of equal weight that
    is the polar rotation of the linear blend too, and it never degenerates.
    """
    rows, turns = _blended_rows(ids, weights, _joint_table(joints, parents, pose), rigid)
    transforms = rows.movedim(0, -1).contiguous().unflatten(-1, (3, 4))
    return transforms, turns.movedim(0, -1).contiguous()


def _joint_table(
    joints: Tensor,  # [55, 3]
    parents: tuple[int, ...],
    pose: Pose,
) -> Tensor:  # [55, 20, ...]: dual quaternion 4 + 4, affine transform 12
    rotations = pose.rotations.to(joints)
    matrices = joint_transforms(rotations, joints, parents)  # [..., 55, 3, 4]
    real, dual = dual_quaternions(rotations, matrices[..., 3], parents)  # [..., 55, 4] each
    table = torch.cat([real, dual, matrices.flatten(-2)], -1)
    return table.movedim((-2, -1), (0, 1))


def _blended_rows(
    ids: Tensor,  # [N, K] int64
    weights: Tensor,  # [N, K]
    table: Tensor,  # [55, 20, ...] from `_joint_table`
    rigid: float,
) -> tuple[Tensor, Tensor]:  # [12, ..., N], [4, ..., N]
    """`blended` with one row per number, faster on a CPU than one per point."""
    numbers = table.to(weights.dtype).flatten(1)  # every frame's in one look-up of the joints
    mixed = F.embedding_bag(ids, numbers, per_sample_weights=weights, mode="sum")
    mixed = mixed.T.contiguous().unflatten(0, table.shape[1:])  # [20, ..., N]
    scale = mixed[:4].square().sum(0).clamp_min(1e-16).rsqrt()
    turns, linear = mixed[:4] * scale, mixed[8:]
    if rigid == 0:
        return linear, turns
    return torch.lerp(linear, rigid_rows(turns, mixed[4:8] * scale), rigid), turns


def _apply_rows(
    rows: Tensor,  # [12, ..., N]
    points: Tensor,  # [..., N, 3]
    shift: Tensor,  # [..., 3]
) -> Tensor:  # [..., N, 3]
    """Each point through its own affine transform, then the translation of the pose."""
    x, y, z = points.unbind(-1)
    moved = [
        torch.addcmul(torch.addcmul(torch.addcmul(d + t, a, x), b, y), c, z)
        for (a, b, c, d), t in zip(
            rows.unflatten(0, (3, 4)), shift[..., None].unbind(-2), strict=True
        )
    ]
    return torch.stack(moved, -1)


def _multiply_rows(
    a: Tensor,  # [4, ..., N]
    quats: Tensor,  # [..., N, 4]
) -> Tensor:  # [..., N, 4]
    """`quaternion_multiply` of rows with quaternions."""
    aw, ax, ay, az = a
    w, x, y, z = quats.unbind(-1)
    product = (
        aw * w - ax * x - ay * y - az * z,
        aw * x + ax * w + ay * z - az * y,
        aw * y - ax * z + ay * w + az * x,
        aw * z + ax * y - ay * x + az * w,
    )
    return torch.stack(product, -1)


def dual_quaternions(
    rotations: Tensor,  # [..., J, 3] axis-angle relative to the parent
    shifts: Tensor,  # [..., J, 3] translation of each joint's rest-to-pose transform
    parents: tuple[int, ...],  # J, root -1, parents before children
) -> tuple[Tensor, Tensor]:  # real and dual parts [..., J, 4]
    """Joint transforms as unit dual quaternions, each in the hemisphere of its parent.

    Signs follow the tree instead of the first joint of every point, so the blend takes the short
    way round each joint and stays continuous over the surface.
    """
    local = axis_angle_to_quaternion(rotations)
    local = torch.where(local[..., :1] < 0, -local, local)
    world: list[Tensor] = []
    for own, parent in zip(local.unbind(-2), parents, strict=True):
        world.append(own if parent < 0 else quaternion_multiply(world[parent], own))
    real = torch.stack(world, -2)
    shift = torch.cat([torch.zeros_like(shifts[..., :1]), shifts], -1)
    return real, 0.5 * quaternion_multiply(shift, real)


def rigid_rows(
    real: Tensor,  # [4, ..., N] unit
    dual: Tensor,  # [4, ..., N]
) -> Tensor:  # [12, ..., N], the rows of [3, 4] one after another
    """Dual quaternions as rotation and translation (Kavan et al. 2008, algorithm 1)."""
    w, x, y, z = real
    dw, dx, dy, dz = dual
    xx, yy, zz, xy, xz, yz = x * x, y * y, z * z, x * y, x * z, y * z
    wx, wy, wz = w * x, w * y, w * z
    entries = (
        *(0.5 - yy - zz, xy - wz, xz + wy, w * dx - dw * x + y * dz - z * dy),
        *(xy + wz, 0.5 - xx - zz, yz - wx, w * dy - dw * y + z * dx - x * dz),
        *(xz - wy, yz + wx, 0.5 - xx - yy, w * dz - dw * z + x * dy - y * dx),
    )
    return 2 * torch.stack(entries)
