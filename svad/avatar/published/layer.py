"""The body under a published avatar: SMPL-X with curled hands and offsets of face and joints."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from svad.body.lbs import apply, rigid_chain
from svad.body.model import BodyModel
from svad.body.skeleton import HIPS, Joint
from svad.compute.moved import moved
from svad.geometry.rotation import rodrigues

HIP_TURN = 1.0  # radians, outward: the "big pose", in which the legs are apart
JAW_TURN = 1 / 3  # radians: an open mouth keeps the lips apart in the position code


@dataclass(frozen=True, kw_only=True)
class BodyLayer:
    """What the published network asks of a body; V vertices, B shapes, E expressions."""

    template: Tensor  # [V, 3] metres, T-pose
    faces: Tensor  # [F, 3] int64
    shape_dirs: Tensor  # [V, 3, B] metres per unit beta
    expression_dirs: Tensor  # [V, 3, E] metres per unit coefficient
    pose_dirs: Tensor  # [486, V * 3] pose correctives
    regressor: Tensor  # [55, V]
    weights: Tensor  # [V, 55] rows sum to 1
    parents: tuple[int, ...]  # 55, root -1
    mean_pose: Tensor  # [55, 3] radians, added to every pose: the curl of the resting hands

    @staticmethod
    def of(
        body: BodyModel,
        mean_hands: Tensor,  # [30, 3] radians, left then right; zeros = flat hands
    ) -> BodyLayer:
        """The layer of a body model, which itself rests with flat hands."""
        mean_pose = torch.zeros(55, 3)
        mean_pose[Joint.LEFT_INDEX1 :] = mean_hands
        pose_dirs = body.pose_dirs
        if pose_dirs is None:
            pose_dirs = body.template.new_zeros(486, body.template.numel())
        return BodyLayer(
            template=body.template,
            faces=body.faces,
            shape_dirs=body.shape_dirs,
            expression_dirs=body.expression_dirs,
            pose_dirs=pose_dirs,
            regressor=body.regressor,
            weights=body.weights,
            parents=body.parents,
            mean_pose=mean_pose,
        )

    def to(self, device: torch.device | str) -> BodyLayer:
        """The same layer on another device."""
        return moved(self, device)

    def flat_hands(self) -> BodyLayer:
        """The same body, its hands flat at rest."""
        return replace(self, mean_pose=torch.zeros_like(self.mean_pose))


@dataclass(frozen=True)
class Identity:
    """What is one person's own: betas, and offsets of the face and of the joints."""

    betas: Tensor  # [B]
    joint_offset: Tensor  # [55, 3] metres; the root's is not used
    face_offset: Tensor  # [V, 3] metres, constant in training

    @staticmethod
    def neutral(layer: BodyLayer) -> Identity:
        """The mean person."""
        template = layer.template
        return Identity(
            template.new_zeros(layer.shape_dirs.shape[-1]),
            template.new_zeros(55, 3),
            torch.zeros_like(template),
        )

    def to(self, device: torch.device | str) -> Identity:
        """The same person on another device."""
        return moved(self, device)


def posed_body(
    layer: BodyLayer,
    person: Identity,
    rotations: Tensor,  # [55, 3] radians; the curl of the hands is added here
) -> tuple[Tensor, Tensor]:  # vertices [V, 3], joints [55, 3], metres
    """The SMPL-X forward pass without translation (SMPL, eq. 2-4, with the offsets of ExAvatar).

    The face offset moves the template, the joint offset the regressed joints but the root.
    """
    shaped = layer.template + person.face_offset + layer.shape_dirs @ person.betas
    joints = layer.regressor @ shaped + rooted(person.joint_offset)
    turns = rodrigues(rotations + layer.mean_pose)
    vertices = shaped + correctives(layer.pose_dirs, turns)
    transforms, places = joint_chain(turns, joints, layer.parents)
    return apply(mixed(layer.weights, transforms), vertices), places


def rooted(
    joint_offset: Tensor,  # [55, 3]
) -> Tensor:  # [55, 3]
    """Joint offsets without the root's, which would be a second translation."""
    return torch.cat([torch.zeros_like(joint_offset[:1]), joint_offset[1:]])


def correctives(
    pose_dirs: Tensor,  # [486, N * 3]
    turns: Tensor,  # [55, 3, 3]
) -> Tensor:  # [N, 3] metres
    """Pose blend shapes: R - I of all joints but the root, row by row (SMPL, eq. 9)."""
    eye = torch.eye(3, dtype=turns.dtype, device=turns.device)
    return ((turns[1:] - eye).reshape(1, -1) @ pose_dirs).view(-1, 3)


def joint_chain(
    turns: Tensor,  # [55, 3, 3]
    joints: Tensor,  # [55, 3] rest joints
    parents: tuple[int, ...],  # 55
) -> tuple[Tensor, Tensor]:  # transforms [55, 3, 4] of rest points, posed joints [55, 3]
    """Forward kinematics from rotation matrices; translation of the body is not in it."""
    world, places = rigid_chain(turns, joints, parents)
    shift = places - (world @ joints[..., None]).squeeze(-1)
    return torch.cat([world, shift[..., None]], -1), places


def mixed(
    weights: Tensor,  # [N, 55]
    transforms: Tensor,  # [55, 3, 4]
) -> Tensor:  # [N, 3, 4]
    """Transforms blended by dense weights."""
    return (weights @ transforms.flatten(1)).view(-1, 3, 4)


def big_pose(
    like: Tensor,  # [...], gives device and kind of number
    *,
    jaw: float = 0.0,  # radians
) -> Tensor:  # [55, 3] radians
    """The pose of the published canonical space: legs apart."""
    pose = like.new_zeros(55, 3)
    for hip, sign in zip(HIPS, (1, -1), strict=True):
        pose[hip, 2] = sign * HIP_TURN
    pose[Joint.JAW, 0] = jaw
    return pose
