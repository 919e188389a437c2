"""An example person who can move: every piece bound to the body, with colours of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from svad.body.free import load_free_body
from svad.body.skeleton import JOINTS
from svad.body.skin import unpose_points
from svad.geometry.camera import Camera
from svad.motion.standing import A_POSE
from svad.types import Pose
from tools.examples.figure import Figure
from tools.examples.lights import studio_lights
from tools.examples.make import photo_view
from tools.examples.people import Person, bare_figure, build
from tools.examples.picture import Piece
from tools.truth.binding import strand_weights, strongest, surface_weights
from tools.truth.colours import baked
from tools.truth.meshes import Strands, finer, strands_of
from tools.truth.posed import posed_points

LIGHT_QUALITY = 0.5  # share of the studio's lights; colours are smoothed afterwards


@dataclass(frozen=True)
class MovingPerson:
    """P points at rest: those of surfaces first, then the middle lines of hair.

    Drawn are the S points of surfaces, and two vertices for each point of hair: a ribbon that faces
    the camera, whichever side it looks from.
    """

    points: Tensor  # [P, 3] float32 rest, metres
    joint_ids: Tensor  # [P, 4] int64
    joint_weights: Tensor  # [P, 4] float32
    joints: Tensor  # [55, 3] rest, metres
    parents: tuple[int, ...]
    pose: Pose  # T = 1, of the photo
    faces: np.ndarray  # [F, 3] int32 of drawn vertices
    colours: np.ndarray  # [D, 3] float32 sRGB 0..1 of drawn vertices
    along: np.ndarray  # [P - S, 2] int64, neighbours along the strand, counted among hair points
    half: np.ndarray  # [P - S] float32 metres, half a strand's width

    def vertices(
        self,
        pose: Pose,  # a single frame
        eye: np.ndarray,  # [3] the camera, metres
    ) -> np.ndarray:  # [D, 3] float32 metres
        """What is drawn of the person in a pose."""
        moved = posed_points(
            self.points, self.joint_ids, self.joint_weights, self.joints, self.parents, pose
        )
        solid = len(moved) - len(self.half)
        hair = moved[solid:]
        way = hair[self.along[:, 1]] - hair[self.along[:, 0]]
        across = np.cross(way, eye.astype(np.float32) - hair)
        size = np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
        across *= self.half[:, None] / size
        ribbons = np.stack([hair - across, hair + across], 1).reshape(-1, 3)
        return np.concatenate([moved[:solid], ribbons]).astype(np.float32)


def make_person(
    person: Person,
    photo_height: int,  # px
    *,
    detail: int = 1,  # subdivisions of skin and cloth before their edges are looked at
) -> tuple[MovingPerson, Camera]:
    """Builds and binds a person, and the camera of their photo. Takes about a minute."""
    figure = bare_figure(person)
    camera = photo_view(person, float(figure.vertices[:, 1].max()), photo_height)
    eye = -camera.rotation.T @ camera.translation
    pieces = [_single(piece) for piece in build(person, figure, eye, detail)]
    return bind(person, figure, pieces, eye), camera


def bind(
    person: Person,
    figure: Figure,
    pieces: list[Piece],
    eye: np.ndarray,  # [3] the photo's camera, metres
) -> MovingPerson:
    """Gives every piece colours and weights, and takes it to the rest pose."""
    surfaces = [piece for piece in pieces if piece.tangents is None]
    ribbons = [piece for piece in pieces if piece.tangents is not None]
    weights, fine = [], []
    for piece in surfaces:
        table = surface_weights(piece, figure)
        both = finer(replace(piece, extra=_beside(piece.extra, table)))
        assert both.extra is not None  # it was given just above
        own = both.extra.shape[1] - table.shape[1]
        weights.append(both.extra[:, own:])
        fine.append(replace(both, extra=both.extra[:, :own]))
    colours = baked([*fine, *ribbons], eye, studio_lights(quality=LIGHT_QUALITY))
    strands = [strands_of(piece) for piece in ribbons]
    for hair in strands:
        weights.append(np.repeat(strand_weights(hair, figure), hair.paths.shape[1], 0))
    ids, shares = map(torch.from_numpy, strongest(np.concatenate(weights)))
    placed = [*(p.vertices for p in fine), *(h.paths.reshape(-1, 3) for h in strands)]
    parents = tuple(load_free_body().parents)
    pose = photo_pose(person, figure)
    joints = torch.from_numpy(figure.rest_joints).float()
    world = torch.from_numpy(np.concatenate(placed)).float()
    starts = np.cumsum([0, *(len(piece.vertices) for piece in (*fine, *ribbons))])
    return MovingPerson(
        points=unpose_points(world, ids, shares, joints, parents, pose[0]),
        joint_ids=ids,
        joint_weights=shares,
        joints=joints,
        parents=parents,
        pose=pose,
        faces=np.concatenate(
            [p.faces + s for p, s in zip((*fine, *ribbons), starts, strict=False)]
        ).astype(np.int32),
        colours=np.concatenate(colours),
        along=_neighbours(strands),
        half=np.concatenate([h.half.ravel() for h in strands]).astype(np.float32),
    )


def photo_pose(person: Person, figure: Figure) -> Pose:
    """The pose that the figure was made in; T = 1."""
    body = load_free_body()
    rotations = A_POSE.copy()
    for name, degrees in person.turns.items():
        rotations[JOINTS.index(name)] += np.radians(degrees)
    turns = torch.from_numpy(rotations).float()[None]
    joints = torch.from_numpy(figure.rest_joints).float()
    root = body.posed_joints(joints, turns[0], torch.zeros(3))[0]
    lift = torch.from_numpy(figure.joints[0]).float() - root
    return Pose(turns, lift[None], torch.zeros(1, len(body.expression_names)))


def _single(piece: Piece) -> Piece:
    """The piece in single precision: half the memory, and finer than a thread."""
    return replace(
        piece,
        vertices=piece.vertices.astype(np.float32),
        faces=np.asarray(piece.faces, np.int64),
        rest=None if piece.rest is None else piece.rest.astype(np.float32),
    )


def _beside(extra: np.ndarray | None, table: np.ndarray) -> np.ndarray:
    return table if extra is None else np.concatenate([extra.astype(np.float32), table], 1)


def _neighbours(strands: list[Strands]) -> np.ndarray:  # [Q, 2]
    """The points before and after each; ends stand for themselves."""
    rows, start = [], 0
    for hair in strands:
        count, steps = hair.half.shape
        index = start + np.arange(count * steps).reshape(count, steps)
        before, after = index.copy(), index.copy()
        before[:, 1:], after[:, :-1] = index[:, :-1], index[:, 1:]
        rows.append(np.stack([before.ravel(), after.ravel()], 1))
        start += count * steps
    return np.concatenate(rows)
