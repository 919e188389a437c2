"""The body model: a mesh with shape, expression and skeleton, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from svad.body.lbs import apply, blend, joint_transforms, rigid_chain
from svad.body.stretch import stretch_transforms
from svad.compute.moved import moved
from svad.geometry.rotation import rodrigues


@dataclass(frozen=True)
class RestBody:
    """One person in the zero pose (T), metres, before expression."""

    vertices: Tensor  # [V, 3]
    joints: Tensor  # [55, 3]

    def to(self, device: torch.device | str) -> RestBody:
        """The same body on another device."""
        return moved(self, device)


@dataclass(frozen=True, kw_only=True)
class BodyModel:
    """A body in SMPL-X form: 55 joints in SMPL-X order, linear shape and expression.

    Poses may have any leading dimensions, such as T frames of one person, and so has what they
    give; all is differentiable in shape, rotations, translation and expression. V, F, B and E come
    from the file. Make one with `make_body`, which fills what can be computed.
    """

    name: str
    template: Tensor  # [V, 3] metres, T-pose, y up, faces +z, left is +x
    faces: Tensor  # [F, 3] int64, counter-clockwise from outside
    shape_dirs: Tensor  # [V, 3, B] metres per unit beta
    expression_dirs: Tensor  # [V, 3, E] metres per unit coefficient
    expression_names: tuple[str, ...]  # E
    pose_dirs: Tensor | None  # [486, V * 3] pose correctives (R - I of joints 1-54), None = none
    weights: Tensor  # [V, 55] rows sum to 1
    joint_ids: Tensor  # [V, 4] int64, the four strongest joints
    joint_weights: Tensor  # [V, 4] rows sum to 1
    skin_ids: Tensor  # [V, K] int64, every joint that moves the vertex; `weights` without zeros
    skin_weights: Tensor  # [V, K]
    parents: tuple[int, ...]  # 55, root -1, parents before children
    regressor: Tensor  # [55, V] joints = regressor @ shaped vertices
    joint_template: Tensor  # [55, 3] joints of the template
    joint_shape_dirs: Tensor  # [55, 3, B]
    joint_expression_dirs: Tensor | None  # [55, 3, E]; None = expressions leave joints alone
    flip: Tensor  # [V] int64, the vertex on the other side
    left_hand: Tensor  # int64 vertex ids, as all lists below
    right_hand: Tensor
    left_foot: Tensor
    right_foot: Tensor
    left_eye: Tensor  # the eyeball
    right_eye: Tensor
    head: Tensor
    face: Tensor  # what an expression moves
    cavity: Tensor  # the inside of the mouth
    keypoints: Tensor  # [21] nose, eyes, ears, toes and heels, finger tips; SMPL-X reader order
    landmark_faces: Tensor  # [68] int64 triangle of each face landmark (jaw line 0-16 first)
    landmark_weights: Tensor  # [68, 3] barycentric
    mesh_faces: Tensor  # [478] int64 triangle of each point of the face mesh tracker
    mesh_weights: Tensor  # [478, 3] barycentric
    builds: Tensor = field(default_factory=lambda: torch.zeros(2, 0))  # [2, B] typical female, male

    def to(self, device: torch.device | str) -> BodyModel:
        """The same model on another device."""
        return moved(self, device)

    def rest(
        self,
        betas: Tensor,  # [b], b <= B
        bone_scales: Tensor | None = None,  # [11] length factors, order of stretch.BONE_GROUPS
    ) -> RestBody:
        """The zero-pose body of a shape; differentiable in both arguments."""
        vertices = self.template + self.shape_dirs[..., : len(betas)] @ betas
        joints = self._shaped_joints(betas)
        if bone_scales is None:
            return RestBody(vertices, joints)
        transforms, joints = stretch_transforms(joints, self.parents, bone_scales)
        mixed = blend(self.joint_ids, self.joint_weights, transforms)
        return RestBody(apply(mixed, vertices), joints)

    def rest_joints(
        self,
        betas: Tensor,  # [b], b <= B
        bone_scales: Tensor | None = None,  # [11]
    ) -> Tensor:  # [55, 3]
        """Only the joints of `rest`, without touching the mesh."""
        joints = self._shaped_joints(betas)
        if bone_scales is None:
            return joints
        return stretch_transforms(joints, self.parents, bone_scales)[1]

    def rest_some(
        self,
        betas: Tensor,  # [b], b <= B
        index: Tensor,  # [N] int64 vertices
        bone_scales: Tensor | None = None,  # [11]
    ) -> RestBody:
        """`rest` with only the chosen vertices (`vertices` is [N, 3]); pair with `pose_some`."""
        vertices = self.template[index] + self.shape_dirs[index, :, : len(betas)] @ betas
        joints = self._shaped_joints(betas)
        if bone_scales is None:
            return RestBody(vertices, joints)
        transforms, joints = stretch_transforms(joints, self.parents, bone_scales)
        mixed = blend(self.joint_ids[index], self.joint_weights[index], transforms)
        return RestBody(apply(mixed, vertices), joints)

    def _shaped_joints(self, betas: Tensor) -> Tensor:
        return self.joint_template + self.joint_shape_dirs[..., : len(betas)] @ betas

    def pose_vertices(
        self,
        rest: RestBody,
        rotations: Tensor,  # [..., 55, 3] axis-angle, radians
        translation: Tensor,  # [..., 3] metres, added after skinning
        expression: Tensor | None = None,  # [..., e], e <= E
    ) -> Tensor:  # [..., V, 3]
        """Pose the whole mesh (SMPL-X forward pass without mean hands)."""
        return self._pose(rest, slice(None), rotations, translation, expression)

    def pose_some(
        self,
        rest: RestBody,  # from `rest_some` with the same index
        index: Tensor,  # [N] int64 vertices
        rotations: Tensor,  # [..., 55, 3]
        translation: Tensor,  # [..., 3]
        expression: Tensor | None = None,  # [..., e], e <= E
    ) -> Tensor:  # [..., N, 3]
        """Pose only chosen vertices; `rest.vertices` may be all V or already the chosen N."""
        if len(rest.vertices) == len(self.template):
            rest = RestBody(rest.vertices[index], rest.joints)
        return self._pose(rest, index, rotations, translation, expression)

    def _pose(
        self,
        rest: RestBody,  # N vertices
        index: Tensor | slice,  # which N
        rotations: Tensor,  # [..., 55, 3]
        translation: Tensor,  # [..., 3]
        expression: Tensor | None,  # [..., e]
    ) -> Tensor:  # [..., N, 3]
        vertices, joints = rest.vertices, rest.joints
        if expression is not None:
            used = expression.shape[-1]
            vertices = vertices + _along(self.expression_dirs[index, :, :used], expression)
            if self.joint_expression_dirs is not None:
                joints = joints + _along(self.joint_expression_dirs[..., :used], expression)
        if self.pose_dirs is not None:
            eye = torch.eye(3, dtype=rotations.dtype, device=rotations.device)
            change = (rodrigues(rotations[..., 1:, :]) - eye).flatten(-3)  # [..., 486]
            vertices = vertices + (change @ self.pose_dirs).unflatten(-1, (-1, 3))[..., index, :]
        transforms = joint_transforms(rotations, joints, self.parents)
        mixed = blend(self.skin_ids[index], self.skin_weights[index], transforms)
        return apply(mixed, vertices) + translation[..., None, :]

    def posed_joints(
        self,
        joints: Tensor,  # [55, 3] rest joints
        rotations: Tensor,  # [..., 55, 3] axis-angle
        translation: Tensor,  # [..., 3] metres
    ) -> Tensor:  # [..., 55, 3]
        """Where the joints are in a pose."""
        _, places = rigid_chain(rodrigues(rotations), joints, self.parents)
        return places + translation[..., None, :]

    def landmarks(
        self,
        vertices: Tensor,  # [..., V, 3]
    ) -> Tensor:  # [..., 68, 3]
        """The 68 face landmarks on a posed or rest mesh."""
        return on_triangles(vertices, self.faces[self.landmark_faces], self.landmark_weights)

    def mesh_points(
        self,
        vertices: Tensor,  # [..., V, 3]
    ) -> Tensor:  # [..., 478, 3]
        """The 478 points of the face mesh tracker on a posed or rest mesh."""
        return on_triangles(vertices, self.faces[self.mesh_faces], self.mesh_weights)


def on_triangles(
    vertices: Tensor,  # [..., V, 3]
    corners: Tensor,  # [N, 3] int64
    weights: Tensor,  # [N, 3] barycentric
) -> Tensor:  # [..., N, 3]
    """Points given by barycentric coordinates."""
    return (vertices[..., corners, :] * weights[..., None]).sum(-2)


def _along(
    dirs: Tensor,  # [N, 3, e]
    amounts: Tensor,  # [..., e]
) -> Tensor:  # [..., N, 3]
    """What so much of each direction adds up to."""
    if amounts.ndim == 1:  # a product with one vector needs no table of results
        return dirs @ amounts
    return (amounts @ dirs.flatten(0, 1).T).unflatten(-1, (-1, 3))


def make_body(
    *,
    name: str,
    template: Tensor,  # [V, 3]
    faces: Tensor,  # [F, 3]
    shape_dirs: Tensor,  # [V, 3, B]
    expression_dirs: Tensor,  # [V, 3, E]
    expression_names: tuple[str, ...],
    weights: Tensor,  # [V, 55]
    parents: tuple[int, ...],
    regressor: Tensor,  # [55, V]
    flip: Tensor,  # [V]
    lists: dict[str, Tensor],  # [N] int64 each, vertices by field name
    landmarks: dict[str, Tensor],  # [K] landmark_, mesh_faces; [K, 3] landmark_, mesh_weights
    pose_dirs: Tensor | None = None,  # [486, V * 3]
    joints_follow_expression: bool = False,
    builds: Tensor | None = None,  # [2, B]
) -> BodyModel:
    """Complete a body: strongest joints, and joints as a linear function of shape."""
    skin_weights, skin_ids = weights.topk(max(4, int((weights > 0).sum(1).max())), dim=1)
    joint_ids, strongest = skin_ids[:, :4].contiguous(), skin_weights[:, :4]
    sparse = regressor.to_sparse()

    def of_joints(dirs: Tensor) -> Tensor:  # [V, 3, D] -> [55, 3, D]
        return torch.sparse.mm(sparse, dirs.flatten(1)).unflatten(1, (3, -1))

    return BodyModel(
        name=name,
        template=template,
        faces=faces,
        shape_dirs=shape_dirs,
        expression_dirs=expression_dirs,
        expression_names=expression_names,
        pose_dirs=pose_dirs,
        weights=weights,
        joint_ids=joint_ids,
        joint_weights=strongest / strongest.sum(1, keepdim=True),
        skin_ids=skin_ids,
        skin_weights=skin_weights,
        parents=parents,
        regressor=regressor,
        joint_template=torch.sparse.mm(sparse, template),
        joint_shape_dirs=of_joints(shape_dirs),
        joint_expression_dirs=of_joints(expression_dirs) if joints_follow_expression else None,
        flip=flip,
        builds=builds if builds is not None else torch.zeros(2, shape_dirs.shape[-1]),
        **lists,
        **landmarks,
    )
