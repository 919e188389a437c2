"""Tracking by optimisation: camera and eyes of heads by gradient descent on pixel distances.

Identity, expression and jaw stay as they were regressed, so the head is shaped and posed once; a
step turns only the vertices that the eyes move. A head cut to its landmarks
(`Flame.for_landmarks`) does, where no detected mesh has to be matched. Cameras are row-vector
matrices [R | t], p R + t, x to the left, y up, focal length 12 half pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from svad.body.flame import (
    LANDMARKS,
    SCALE,
    Flame,
    Rest,
    chain,
    identity_like,
    rotations,
)
from svad.compute.adam import Adam
from svad.config.identity import HeadFitConfig
from svad.face.landmarks import IBUG, INNER
from svad.geometry.rotation import (
    matrix_to_rows6,
    rodrigues,
    rodrigues_published,
    rows6_to_matrix,
)

FOCAL = 12.0  # half pictures
SIZE = 512  # px of the square picture
START_FOCAL = 5000 / 512  # half pictures, of the regressor's camera; its distance too
START_NEARER = 12 / 13
POINTS = slice(0, IBUG)  # of FLAME's landmarks
EYES = slice(IBUG, LANDMARKS)  # their middles
TRUST = 8.96  # px, largest mean distance of two sources of landmarks that agree


@dataclass(frozen=True)
class Targets:
    """Where things are seen in the pictures of B heads, in px.

    With a detected mesh only trusted heads are held by landmarks, as published; without one the
    other source's points hold every head, and only the net's landmarks have to be trusted.
    """

    landmarks: Tensor  # [B, 70, 2] of the landmark net
    points: Tensor  # [B, 68, 2] of another source
    trusted: Tensor  # [B] bool, see `agree`
    mesh: Tensor | None = None  # [B, V, 2] of a head detector
    contour: bool = True  # whether points 0 to 16 of `points` count


@dataclass(frozen=True)
class Fit:
    """Cameras and eyes of B heads."""

    camera: Tensor  # [B, 3, 4]
    eyes: Tensor  # [B, 6] axis-angle of the two eyes, radians


def project(
    points: Tensor,  # [..., N, 3]
    camera: Tensor,  # [..., 3, 4]
    focal: float = FOCAL,
    size: int = SIZE,
) -> Tensor:  # [..., N, 2] px, the first pixel's centre at 0.5
    """Where points are seen."""
    x, y, z = (points @ camera[..., :3] + camera[..., None, :, 3]).unbind(-1)
    half = size / 2
    return torch.stack([half - half * focal * x / z, half - half * focal * y / z], -1)


def start_rotation(turn: Tensor) -> Tensor:  # [B, 3] axis-angle -> [B, 3, 3]
    """The camera's rotation from the regressed rotation of the head."""
    mirrored = rodrigues(turn * turn.new_tensor([-1.0, 1.0, -1.0]))
    return (mirrored @ torch.diag(turn.new_tensor([-1.0, 1.0, -1.0]))).transpose(-1, -2)


def regressed_camera(
    turn: Tensor,  # [B, 3] regressed rotation of the head, axis-angle
    vertices: Tensor,  # [B, N, 3] of the regressed head
    seen: Tensor,  # [B, M, 2] px, the detector's vertices; only their mean counts
) -> Tensor:  # [B, 3, 4]
    """The camera that goes with the regressor, which has a focal length of its own."""
    rotation = start_rotation(turn)
    ahead = turn.new_tensor([0.0, 0.0, START_FOCAL]).expand(len(turn), 3)
    camera = torch.cat([rotation, ahead[..., None]], -1)
    offset = project(vertices, camera, START_FOCAL).mean(1) - seen.mean(1)
    shift = torch.cat([offset * 2 / SIZE, ahead[:, 2:]], 1)
    return torch.cat([rotation, shift[..., None]], -1)


def start_camera(camera: Tensor) -> Tensor:  # [B, 3, 4] -> [B, 3, 4]
    """The regressed camera, nearer by as much as the published optimisation starts nearer."""
    return torch.cat([camera[..., :3], camera[..., 3:] * START_NEARER], -1)


def resect(
    rotation: Tensor,  # [B, 3, 3]
    points: Tensor,  # [B, N, 3]
    seen: Tensor,  # [B, N, 2] px
) -> Tensor:  # [B, 3]
    """The translation under which points are seen where they are, by linear least squares."""
    turned = points.double() @ rotation.double()
    half = SIZE / 2
    slope = (seen.double() - half) / (half * FOCAL)  # = -x/z, -y/z
    zero, one = torch.zeros_like(slope[..., 0]), torch.ones_like(slope[..., 0])
    rows = torch.cat(
        [torch.stack([one, zero, slope[..., 0]], -1), torch.stack([zero, one, slope[..., 1]], -1)],
        1,
    )
    right = -turned[..., :2] - slope * turned[..., 2:]
    right = torch.cat([right[..., 0], right[..., 1]], 1)
    return torch.linalg.lstsq(rows, right[..., None]).solution[..., 0].to(points)


def agree(
    landmarks: Tensor,  # [B, 70, 2]
    points: Tensor,  # [B, 68 or 70, 2]
) -> Tensor:  # [B] bool
    """Whether two sources say the same about brows, nose, eyes and mouth."""
    distance = (landmarks[:, INNER] - points[:, INNER]).norm(dim=-1)
    return distance.mean(1) < TRUST


def fit(
    flame: Flame,  # whole, or cut to its landmarks where there is no mesh to match
    rest: Rest,  # B heads with their expressions
    jaw: Tensor,  # [B, 3] axis-angle
    start: Tensor,  # [B, 3, 4]
    targets: Targets,
    config: HeadFitConfig = HeadFitConfig(),  # noqa: B008 - frozen
    tick: Callable[[int, Fit], None] | None = None,  # after each step: how many, what so far
) -> Fit:
    """Adam on the camera's six numbers, its translation and the eyes, all heads together."""
    head = EyeHead(flame, rest, jaw)
    six = matrix_to_rows6(start[..., :3]).clone().requires_grad_()
    shift = start[..., 3].clone().requires_grad_()
    eyes = torch.zeros_like(start[:, 0, :1]).repeat(1, 6).requires_grad_()
    rates = (config.rotation_rate, config.translation_rate, config.eyes_rate)
    values = (six, shift, eyes)
    adam = Adam(values, rates)
    with torch.enable_grad():
        for step in range(config.steps):
            camera = torch.cat([rows6_to_matrix(six), shift[..., None]], -1)
            loss = _loss(flame, head.vertices(eyes), camera, targets, config)
            adam.step(torch.autograd.grad(loss, values))
            if tick:
                tick(step + 1, _result(*values))
    return _result(*values)


def _result(six: Tensor, shift: Tensor, eyes: Tensor) -> Fit:
    with torch.no_grad():
        camera = torch.cat([rows6_to_matrix(six), shift[..., None]], -1)
    return Fit(camera.detach(), eyes.detach().clone())


def _loss(
    flame: Flame, vertices: Tensor, camera: Tensor, targets: Targets, config: HeadFitConfig
) -> Tensor:
    """Weighted mean squared pixel distances; a term that no head takes part in is left out."""
    loss = vertices.new_zeros(())
    if targets.mesh is not None:
        loss = loss + config.mesh * _distance(project(vertices, camera), targets.mesh)
    who = targets.trusted
    every = who if targets.mesh is not None else torch.ones_like(who)
    if bool(every.any()):
        seen = project(flame.landmarks(vertices), camera)
        used = POINTS if targets.contour else INNER
        loss = loss + config.points * _distance(
            seen[every][:, used], targets.points[every][:, used]
        )
    if bool(who.any()):
        net = targets.landmarks[who]
        loss = loss + config.inner * _distance(seen[who][:, INNER], net[:, INNER])
        loss = loss + config.eyes * _distance(seen[who][:, EYES], net[:, EYES])
    return loss


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).square().mean() / SIZE


class EyeHead:
    """A shaped head with its jaw set, that asks only for the eyes; head and neck do not turn."""

    def __init__(self, flame: Flame, rest: Rest, jaw: Tensor) -> None:  # jaw: [B, 3]
        pose = torch.cat([torch.zeros_like(jaw), jaw], 1)  # the head's turn is the camera's
        self.still = flame.pose(rest, pose, torch.zeros_like(pose))
        eye_features = flame.pose_directions[18:]  # of the last two of four rotations
        moving = (flame.weights[:, 3:] != 0).any(1) | (eye_features != 0).any(2).any(0)
        self.rows = moving.nonzero()[:, 0]
        self.directions = eye_features[:, self.rows].flatten(1)  # [18, n * 3]
        turns = rotations(pose, torch.zeros_like(pose))
        feature = (turns[:, 1:3] - identity_like(turns)).flatten(1)
        posed = torch.einsum("bp,pvc->bvc", feature, flame.pose_directions[:18, self.rows])
        self.posed = rest.vertices[:, self.rows] + posed
        chained, placed = chain(turns, rest.joints.expand(len(turns), -1, -1))
        shift = placed - (chained @ rest.joints[..., None]).squeeze(-1)
        weights = flame.weights[self.rows]
        self.fixed = torch.einsum("vj,bjrc->bvrc", weights[:, :3], chained[:, :3])
        self.shift = torch.einsum("vj,bjc->bvc", weights[:, :3], shift[:, :3])
        self.weights, self.joints = weights[:, 3:], rest.joints[:, 3:, None]

    def vertices(self, eyes: Tensor) -> Tensor:  # [B, 6] -> [B, V, 3]
        turns = rodrigues_published(eyes.unflatten(1, (2, 3)))
        moved = (turns - identity_like(turns)).flatten(1) @ self.directions
        points = self.posed + moved.unflatten(1, (-1, 3))
        turned = (points[:, None] - self.joints) @ turns.transpose(-1, -2) + self.joints
        rigid = (self.fixed @ points[..., None]).squeeze(-1) + self.shift
        skinned = rigid + torch.einsum("ve,bevc->bvc", self.weights, turned)
        return self.still.index_copy(1, self.rows, SCALE * skinned)
