"""Makes our avatar of a published one: its base branch, once, in the zero pose.

Both are Gaussians bound to a skeleton in SMPL-X order. Ours rest in the zero pose with flat hands,
and follow four joints; published ones rest in the big pose with curled hands, and follow any
number. What the pose changes (the refined branch) is left behind, as in the published videos.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from svad.avatar.published.buffers import refined
from svad.avatar.published.fit import OtherBody
from svad.avatar.published.forward import compose, rest_of, skinned_like
from svad.avatar.published.layer import BodyLayer, Identity, joint_chain, mixed, posed_body
from svad.avatar.published.method import PUBLISHED
from svad.avatar.published.network import AvatarNetwork, colours
from svad.avatar.published.snapshot import Snapshot
from svad.body.lbs import apply
from svad.body.skin import pose_gaussians
from svad.body.subdivide import Subdivision
from svad.core.progress import Report
from svad.geometry.rotation import rodrigues
from svad.media.images import to_uint8
from svad.motion.standing import a_pose
from svad.splat.gaussians import Gaussians, isotropic
from svad.splat.scene import frame_camera
from svad.types import Avatar, Pose, SkinnedMesh

CHUNK = 32768  # Gaussians whose networks are evaluated together
JOINTS = 4  # that a Gaussian of ours follows
STILL = 1e-5  # metres per unit; what an expression moves by less is left out
MESH_LEVELS = 1  # subdivisions of the coloured mesh
HEIGHT = 960  # px of the picture from the front
STEPS = 4  # of the progress, beside one per chunk


@torch.no_grad()
def adopted(
    snapshot: Snapshot,
    layer: BodyLayer,
    plans: tuple[Subdivision, ...],  # from `plans_for` of the two
    face_offset: Tensor,  # [V, 3] metres
    report: Report,
) -> Avatar:
    """The avatar, N Gaussians and E = 50 expressions; its pelvis is where the mean person's is 0.

    `layer` is the body that the snapshot was trained on, with its curled hands. Raises `OtherBody`
    if the person needs shapes that it does not have.
    """
    tables, count = snapshot.buffers, len(snapshot.buffers.weights)
    total = STEPS + -(-count // CHUNK)
    report(1, total, "reading the triplanes")
    features = snapshot.network.features(tables)
    offset, log_scale, raw = _evaluated(snapshot.network, features, report, total)
    report(total - 2, total, "placing the Gaussians")
    person = Identity(_shape(snapshot, layer), snapshot.joint_offset, face_offset)
    rest = rest_of(layer, person, plans, PUBLISHED)
    base = rest.mesh + offset
    weights = tables.weights[skinned_like(base, rest.coarse, tables)]
    flat, joints = flattened(layer, person)
    rows = mixed(weights, compose(flat, rest.unposed))
    origin = layer.regressor[0] @ layer.template
    means = apply(rows, base) - origin
    strongest, ids = weights.topk(JOINTS, dim=1)
    moving = tables.expression_dirs.norm(dim=1).amax(1) > STILL
    index = torch.nonzero(moving)[:, 0]
    dirs = (rows[index, :, :3] @ tables.expression_dirs[index]).movedim(2, 1).half()
    gaussians = isotropic(means, log_scale.exp(), colours(raw))
    shares = strongest / strongest.sum(1, keepdim=True)
    avatar = _complete(layer, plans, gaussians, ids, shares, joints - origin, index, dirs)
    report(total, total, "finished")
    return avatar


def _shape(snapshot: Snapshot, layer: BodyLayer) -> Tensor:  # [B]
    """The betas; a body with fewer shapes will do for a person who needs no more."""
    known = layer.shape_dirs.shape[-1]
    if snapshot.betas[known:].any():
        raise OtherBody(
            f"{snapshot.name} describes its person by {len(snapshot.betas)} shapes, the body has "
            f"{known}. Use one of the SMPL-X v1.1 npz files."
        )
    return snapshot.betas[:known]


def flattened(layer: BodyLayer, person: Identity) -> tuple[Tensor, Tensor]:
    # transforms [55, 3, 4] from curled to flat hands, in the zero pose; joints [55, 3] there
    """The way from hands that rest curled to hands that rest flat.

    The published program curls the fingers inside its body model; in our poses zero is flat.
    """
    flat = layer.flat_hands()
    _, joints = posed_body(flat, person, torch.zeros_like(layer.mean_pose))
    curl, _ = joint_chain(rodrigues(layer.mean_pose), joints, layer.parents)
    back = curl[..., :3].mT
    return torch.cat([back, -back @ curl[..., 3:]], -1), joints


def _evaluated(
    network: AvatarNetwork, features: Tensor, report: Report, total: int
) -> tuple[Tensor, Tensor, Tensor]:  # [N, 3], [N], [N, 3]
    parts = []
    for number, chunk in enumerate(features.split(CHUNK)):
        report(2 + number, total, "evaluating the networks")
        parts.append(network.base(chunk))
    offset, log_scale, raw = (torch.cat(values) for values in zip(*parts, strict=True))
    return offset, log_scale, raw


def _complete(
    layer: BodyLayer,
    plans: tuple[Subdivision, ...],
    gaussians: Gaussians,  # N
    ids: Tensor,  # [N, 4]
    shares: Tensor,  # [N, 4]
    joints: Tensor,  # [55, 3]
    moving: Tensor,  # [K]
    dirs: Tensor,  # [K, E, 3]
) -> Avatar:
    """With the mesh, and a view from the front in a pose to stand in."""
    expressions = dirs.shape[1]
    names = tuple(f"expression{i}" for i in range(expressions))
    pose = a_pose(joints.numpy(), layer.parents, expressions)
    coarser = plans[:MESH_LEVELS]
    vertices = len(refined(coarser, layer.template))
    kept = moving < vertices
    mesh = SkinnedMesh(
        vertices=gaussians.means[:vertices].numpy(),
        faces=coarser[-1].faces.numpy().astype(np.int32),
        colors=to_uint8(gaussians.colors[:vertices].numpy()),
        joint_ids=ids[:vertices].numpy().astype(np.int32),
        joint_weights=shares[:vertices].numpy(),
        expression_ids=moving[kept].numpy().astype(np.int32),
        expression_dirs=dirs[kept].numpy(),
    )
    avatar = Avatar(
        gaussians=gaussians,
        joint_ids=ids,
        joint_weights=shares,
        joints=joints,
        parents=layer.parents,
        expression_names=names,
        expression_ids=moving,
        expression_dirs=dirs,
        mesh=mesh,
        pose=pose,
        camera=frame_camera(gaussians.means.numpy(), HEIGHT),
    )
    return _seen(avatar, pose)


def _seen(avatar: Avatar, pose: Pose) -> Avatar:
    """The avatar with a camera that sees it in its pose."""
    points = pose_gaussians(avatar, pose[0]).means.numpy()
    return replace(avatar, camera=frame_camera(points, HEIGHT))
