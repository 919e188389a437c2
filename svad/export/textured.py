"""The avatar as one closed mesh with a picture on it, for engines that ignore vertex colours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from svad.body.skin import pose_points
from svad.core.progress import Report, part
from svad.export.mesh.bake import baked
from svad.export.mesh.outer import outer_surface
from svad.export.mesh.refine import refined
from svad.export.mesh.simplify import simplified
from svad.export.mesh.transfer import carried, head_and_hands, opening, posed_means
from svad.export.mesh.unwrap import Unwrapped, unwrapped
from svad.motion.standing import a_pose
from svad.types import Avatar, Pose, SkinnedMesh, Subject

CELL = 0.004  # metres, of the grid the surface is found on
SKIN = 0.0045  # metres by which it lies outside: thin cloth stays, and no outline is lost
FACE, HAND = 12.0, 4.0  # how much more than elsewhere a loss of shape counts there
LIDS = 0.003  # metres, the longest edge at lids and lips, which have to open and close
KEPT = 0.18  # of the triangles, for those
PRESENT = 0.08  # opacity of a Gaussian that belongs to the surface
OPEN = 0.6  # of the way from the T-pose to the A-pose
# where each part of the work begins, of 100: the seconds of one core
SIMPLIFYING, CARRYING, UNWRAPPING, PAINTING, STEPS = 15, 47, 48, 65, 100


@dataclass(frozen=True)
class Textured:
    """A closed mesh at rest, how it lies in its picture, and the picture."""

    mesh: SkinnedMesh  # 2-manifold; without the cuts of the charts
    flat: Unwrapped
    picture: np.ndarray  # [S, S, 3] uint8


def textured(
    avatar: Avatar,
    subject: Subject | None,  # with the photo; None: the avatar's own front view in its place
    triangles: int,
    report: Report,
) -> Textured:
    """The outer surface of the avatar's mesh with at most `triangles`, unwrapped and painted."""
    report(0, STEPS, "closing the surface")
    pose = open_pose(avatar)
    points, faces = closed_surface(avatar, pose)
    simplifying = part(report, SIMPLIFYING, CARRYING, STEPS)
    head, hand = head_and_hands(avatar, pose, points)
    weights = 1 + (FACE - 1) * head + (HAND - 1) * hand
    target = round((1 - KEPT) * triangles)
    points, faces = simplified(points, faces, target, weights, simplifying)
    points, faces = refined(points, faces, opening(avatar, pose, points), LIDS, triangles)
    report(CARRYING, STEPS, "carrying weights and face shapes over")
    mesh = carried(avatar, pose, points, faces)
    report(UNWRAPPING, STEPS, "laying the surface out")
    flat = unwrapped(mesh)
    painting = part(report, PAINTING, STEPS, STEPS)
    return Textured(mesh, flat, baked(avatar, mesh, flat, subject, painting))


def open_pose(avatar: Avatar) -> Pose:
    """The pose in which the surface is closed, with the arms between the T and the A-pose.

    In the photo hands, sleeves and body touch and would grow together; in the T-pose, farther from
    the photo, the Gaussians of armpits are torn apart.
    """
    joints = avatar.joints.cpu().numpy()
    pose = a_pose(joints, avatar.parents, len(avatar.expression_names))[0].to("cpu")
    return replace(pose, rotations=OPEN * pose.rotations)


def closed_surface(avatar: Avatar, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """The outer surface of mesh and Gaussians in a pose: [W, 3] metres, [G, 3]."""
    mesh = avatar.mesh
    shell = pose_points(
        torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.joint_ids).long(),
        torch.from_numpy(mesh.joint_weights), avatar.joints.cpu(), avatar.parents, pose.to("cpu"),
    ).numpy()  # fmt: skip
    solid = (avatar.gaussians.opacities > PRESENT).cpu().numpy()
    return outer_surface(shell, mesh.faces, posed_means(avatar, pose)[solid], CELL, SKIN)


def split(made: Textured) -> SkinnedMesh:
    """The mesh with the cuts of the charts: one vertex for each corner in the picture."""
    mesh, vertex = made.mesh, made.flat.vertex
    place = np.full(len(mesh.vertices), -1)
    place[mesh.expression_ids] = np.arange(len(mesh.expression_ids))
    moved = np.flatnonzero(place[vertex] >= 0)
    return SkinnedMesh(
        vertices=mesh.vertices[vertex],
        faces=made.flat.faces,
        colors=mesh.colors[vertex],
        joint_ids=mesh.joint_ids[vertex],
        joint_weights=mesh.joint_weights[vertex],
        expression_ids=moved.astype(np.int32),
        expression_dirs=mesh.expression_dirs[place[vertex[moved]]],
    )
