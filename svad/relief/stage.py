"""A first avatar and clip without weights: relief from the photo, bound by inverse skinning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from svad.body.model import BodyModel
from svad.body.skeleton import Joint
from svad.body.skin import unpose_points, unpose_quats
from svad.config.relief import ReliefConfig
from svad.core.progress import StepCounter
from svad.media.images import to_uint8
from svad.relief.build import Relief, build_relief
from svad.relief.expression import ExpressionField, blinking, landmark_directions, rest_turn
from svad.relief.loose import held_together
from svad.relief.mesh import joined_meshes, sheet_mesh
from svad.relief.views import clip_views
from svad.relief.weights import top4
from svad.splat.gaussians import Gaussians
from svad.types import Avatar, Clip, Report, SkinnedMesh, Subject


class ReliefStage:
    """From the photo on the fitted body to a clip whose every frame has pose, camera and matte."""

    def __init__(self, config: ReliefConfig, body: BodyModel) -> None:
        self.config = config
        self.body = body

    def run(self, subject: Subject, report: Report) -> Clip:
        """Builds the closed layers, binds them to the skeleton and draws them from all sides."""
        steps = StepCounter(report, total=4 + self.config.views)
        steps.tell("cutting the person into layers")
        steps.done = 1
        relief = build_relief(subject, self.body, steps.tell, seed=self.config.seed)
        steps.next("binding the layers to the skeleton")
        relief = connected(subject, relief, self.body)
        avatar = bind(subject, relief, self.body)
        steps.done = 4
        steps.tell("drawing the person from all sides")
        return clip_views(
            subject, avatar, self.config.views,
            lambda i, picture: steps.tell(f"view {i} of {self.config.views}", picture, ahead=i),
        )  # fmt: skip


def connected(subject: Subject, relief: Relief, body: BodyModel) -> Relief:
    """The relief without pieces that fly off in other poses."""
    joints = torch.from_numpy(np.ascontiguousarray(subject.body.joints)).float()
    kept = 0 if relief.mouth is None else len(relief.mouth)
    points = held_together(relief.points, subject.body.pose, joints, tuple(body.parents), kept)
    return replace(relief, points=points)


def bind(subject: Subject, relief: Relief, body: BodyModel) -> Avatar:
    """Takes the layers to the rest pose with exactly the weights that will pose them again."""
    pose = subject.body.pose[0]
    joints = torch.from_numpy(np.ascontiguousarray(subject.body.joints)).float()
    points = relief.points
    ids, weights = top4(points.weights)
    ids, weights = torch.from_numpy(ids), torch.from_numpy(weights)
    rest = unpose_points(torch.from_numpy(points.xyz), ids, weights, joints, body.parents, pose)
    quats = unpose_quats(torch.from_numpy(points.quats), ids, weights, joints, body.parents, pose)
    expression_ids, dirs = expressions(subject, relief, body)
    gaussians = Gaussians(
        rest.float(),
        torch.from_numpy(points.scales),
        quats.float(),
        torch.from_numpy(points.opacity),
        torch.from_numpy(np.clip(points.rgb, 0, 1).astype(np.float32)),
    )
    return Avatar(
        gaussians=gaussians,
        joint_ids=ids,
        joint_weights=weights,
        joints=joints,
        parents=tuple(body.parents),
        expression_names=tuple(body.expression_names),
        expression_ids=torch.from_numpy(expression_ids),
        expression_dirs=torch.from_numpy(dirs),
        mesh=skinned_mesh(subject, relief, body, joints),
        pose=subject.body.pose,
        camera=subject.body.camera,
    )


def expressions(
    subject: Subject, relief: Relief, body: BodyModel
) -> tuple[np.ndarray, np.ndarray]:  # [K], [K, E, 3]
    """Which Gaussians the face moves, and where to."""
    if subject.face is None:
        return np.zeros(0, np.int64), np.zeros((0, len(body.expression_names), 3), np.float16)
    directions = face_directions(subject, subject.face, body)
    field = ExpressionField(subject.face, directions, tuple(body.expression_names))
    points = relief.points
    mine = np.flatnonzero(
        points.seen & (points.layer == relief.torso) & (points.weights[:, Joint.HEAD] > 0.4)
    )
    index, dirs = field(points.pixel[mine])
    if relief.mouth is None:
        return mine[index], dirs
    inner = np.arange(len(points) - len(relief.mouth), len(points))
    return np.concatenate([mine[index], inner]), np.concatenate(
        [dirs, relief.mouth.directions(directions)]
    )


def face_directions(
    subject: Subject,
    face: np.ndarray,  # [478, 3] working px
    body: BodyModel,
) -> np.ndarray:  # [468, E, 3]
    """Expression directions of the face mesh's points, with blinks that fit this face."""
    camera, pose = subject.body.camera, subject.body.pose[0]
    depth = -float(pose.translation[2] + subject.body.joints[Joint.HEAD, 2])
    return blinking(
        landmark_directions(body), tuple(body.expression_names), face,
        rest_turn(pose.rotations.numpy(), tuple(body.parents)), depth / camera.focal[1],
    )  # fmt: skip


def skinned_mesh(
    subject: Subject,
    relief: Relief,
    body: BodyModel,
    joints: torch.Tensor,  # [55, 3] rest
) -> SkinnedMesh:
    """The layers (and the filled body) as one mesh in the rest pose."""
    parts, layers = [], []
    for sheet in relief.sheets:
        stride = 2 if sheet.density > 1 else 3
        part = sheet_mesh(sheet, relief.camera, stride)
        if len(part[1]):
            parts.append(part)
            layers.append(np.full(len(part[0]), sheet.layer))
    xyz, faces, rgb, weights22 = joined_meshes(parts)
    ids, weights = top4(relief.limb_weights(xyz, weights22, np.concatenate(layers)))
    rest = unpose_points(
        torch.from_numpy(xyz), torch.from_numpy(ids), torch.from_numpy(weights), joints,
        body.parents, subject.body.pose[0],
    )  # fmt: skip
    index = np.zeros(0, np.int64)
    dirs = np.zeros((0, len(body.expression_names), 3), np.float16)
    if subject.face is not None:
        pixels = relief.camera.project(xyz)
        front = np.flatnonzero((weights22[:, Joint.HEAD] > 0.4) & relief.in_front(pixels))
        if len(front):
            names = tuple(body.expression_names)
            directions = face_directions(subject, subject.face, body)
            field = ExpressionField(subject.face, directions, names)
            found, dirs = field(pixels[front, :2])
            index = front[found]
    return SkinnedMesh(
        vertices=rest.numpy().astype(np.float32),
        faces=faces,
        colors=to_uint8(np.clip(rgb, 0, 1)),
        joint_ids=ids.astype(np.int32),
        joint_weights=weights,
        expression_ids=index.astype(np.int32),
        expression_dirs=dirs,
    )
