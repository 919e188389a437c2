"""A published avatar in a pose: the base branch, and the one refined by the pose."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor

from svad.avatar.published.buffers import Buffers, refined
from svad.avatar.published.layer import (
    BodyLayer,
    Identity,
    big_pose,
    correctives,
    joint_chain,
    mixed,
    posed_body,
)
from svad.avatar.published.method import PUBLISHED, Method
from svad.avatar.published.network import AvatarNetwork, colours
from svad.body.lbs import apply
from svad.body.subdivide import Subdivision
from svad.geometry.rotation import rodrigues, rows6_to_matrix

BODY = slice(1, 22)  # the joints whose turns the nets are given
WARM_UP = 1e-3  # metres; sizes drawn in the first steps of a training are no larger


@dataclass(frozen=True)
class FramePose:
    """One frame as the published training optimises it."""

    rows: Tensor  # [55, 6] the first two rows of each joint's rotation
    expression: Tensor  # [E]
    translation: Tensor  # [3] metres


@dataclass(frozen=True)
class View:
    """The camera in whose coordinates a frame's pose is given: x_cam = turn x_world + shift."""

    turn: Tensor  # [3, 3]
    shift: Tensor  # [3] metres

    def world(
        self,
        points: Tensor,  # [N, 3] in the camera's coordinates
    ) -> Tensor:  # [N, 3]
        """Points in the world."""
        return (points - self.shift) @ self.turn


@dataclass(frozen=True)
class Rest:
    """A person where Gaussians are skinned from; made once per set of betas and offsets."""

    mesh: Tensor  # [N, 3] metres
    coarse: Tensor  # [V, 3] metres, the body's own vertices
    joints: Tensor  # [55, 3] metres, in the zero pose
    unposed: Tensor  # [55, 3, 4] from here to the zero pose


@dataclass(frozen=True)
class Branch:
    """N Gaussians: round, opaque."""

    means: Tensor  # [N, 3] metres
    scales: Tensor  # [N] metres
    colours: Tensor  # [N, 3] in 0..1


@dataclass(frozen=True)
class Posed:
    """Both branches, and what the regularisers ask for."""

    base: Branch
    refined: Branch
    offset: Tensor  # [N, 3] metres, of the base branch
    pose_offset: Tensor  # [N, 3] metres, regressed; zero on hands and where expressions move
    correction: Tensor  # [N, 3] metres, what the pose adds in the refined branch
    log_scale: Tensor  # [N]
    scale_offset: Tensor  # [N]
    colour_offset: Tensor  # [N, 3]
    nearest: Tensor  # [N] int64, whose skinning weights a Gaussian has


@dataclass(frozen=True)
class PublishedAvatar:
    """Network, body and tables of one avatar."""

    network: AvatarNetwork
    layer: BodyLayer
    buffers: Buffers
    plans: tuple[Subdivision, ...]
    method: Method = PUBLISHED

    def rest(self, person: Identity) -> Rest:
        """The surface and joints that Gaussians stand on; differentiable in the person."""
        layer = self.layer if self.method.curled_hands else self.layer.flat_hands()
        return rest_of(layer, person, self.plans, self.method)

    def posed(self, rest: Rest, frame: FramePose, view: View | None = None) -> Posed:
        """Both branches in the world (SVAD, eq. 9 and 10); without `view` that of the pose.

        The pose reaches the nets and the correctives detached: it learns from skinning alone. So
        do the normals, by which the refined colours know where the surface looks in the world.
        """
        net, tables = self.network, self.buffers
        features = net.features(tables)
        offset, log_scale, raw = net.base(features)
        turns = rows6_to_matrix(frame.rows)
        still = turns.detach()
        pose = frame.rows[BODY].detach().flatten()
        regressed, scale_offset = net.pose_geometry(features, pose)
        bound = tables.hands | tables.expressive
        regressed = torch.where(bound[:, None], 0, regressed)
        shapes = correctives(tables.pose_dirs, still)
        correction = torch.where(bound[:, None], shapes, regressed)
        base = rest.mesh + offset + tables.expression_dirs @ frame.expression
        nearest = skinned_like(base.detach(), rest.coarse.detach(), tables)
        joints, _ = joint_chain(turns, rest.joints, self.layer.parents)
        rows = mixed(tables.weights[nearest], compose(joints, rest.unposed))
        means = apply(rows, base) + frame.translation
        moved = apply(rows, base + correction) + frame.translation
        if view is not None:
            means, moved = view.world(means), view.world(moved)
        normals = self.normals(moved.detach())
        change = net.pose_colour(features, pose, normals)
        return Posed(
            base=Branch(means, log_scale.exp(), colours(raw)),
            refined=Branch(moved, (log_scale + scale_offset).exp(), colours(raw + change)),
            offset=offset,
            pose_offset=regressed,
            correction=correction,
            log_scale=log_scale,
            scale_offset=scale_offset,
            colour_offset=change,
            nearest=nearest,
        )

    def normals(
        self,
        means: Tensor,  # [N, 3] posed
    ) -> Tensor:  # [N, 3] unit
        """Where the surface looks; the inside of the mouth is seen from its other side."""
        found = vertex_normals(means, self.plans[-1].faces)
        return torch.where(self.buffers.cavity[:, None], -found, found)


def rest_of(
    layer: BodyLayer, person: Identity, plans: tuple[Subdivision, ...], method: Method
) -> Rest:
    """The person in the big pose with the way back to the zero pose, or in the zero pose."""
    zero = torch.zeros_like(layer.mean_pose)
    pose = big_pose(zero) if method.legs_apart else zero
    coarse, there = posed_body(layer, person, pose)
    _, joints = posed_body(layer, person, zero)
    back, _ = joint_chain(rodrigues(-pose), there, layer.parents)
    return Rest(refined(plans, coarse), coarse, joints, back)


def skinned_like(
    points: Tensor,  # [N, 3] metres, in the space of `coarse`
    coarse: Tensor,  # [V, 3]
    tables: Buffers,
) -> Tensor:  # [N] int64
    """Whose skinning weights each Gaussian takes: its own on head and hands, else the nearest."""
    own = torch.arange(len(points), device=points.device)
    _, found = cKDTree(coarse.numpy(force=True)).query(points.numpy(force=True), workers=2)
    near = torch.as_tensor(found, dtype=torch.int64, device=points.device)
    return torch.where(tables.hands | tables.face, own, near)


def compose(
    after: Tensor,  # [J, 3, 4]
    before: Tensor,  # [J, 3, 4]
) -> Tensor:  # [J, 3, 4]
    """One affine transform after another."""
    turn = after[..., :3] @ before[..., :3]
    shift = after[..., :3] @ before[..., 3:] + after[..., 3:]
    return torch.cat([turn, shift], -1)


def vertex_normals(
    points: Tensor,  # [N, 3]
    faces: Tensor,  # [F, 3] int64
) -> Tensor:  # [N, 3] unit
    """Normals weighted by area: cross products of the faces, summed, then scaled to one."""
    a, b, c = points[faces].unbind(1)
    cross = torch.linalg.cross(b - a, c - a)
    summed = torch.zeros_like(points)
    for corner in faces.unbind(1):
        summed = summed.index_add(0, corner, cross)
    return torch.nn.functional.normalize(summed, dim=-1, eps=1e-6)


def warm(
    scales: Tensor,  # [N] metres
) -> Tensor:  # [N]
    """Sizes as the first steps of a training draw them."""
    return scales.clamp_max(WARM_UP)
