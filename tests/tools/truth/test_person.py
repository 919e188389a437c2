"""A person who moves: drawn as in the photo, whole in other poses, matte exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from svad.body.skeleton import JOINTS
from svad.geometry.camera import Camera, photo_camera
from svad.types import Pose
from tests.tools.truth.surfaces import plain
from tools.examples.picture import Piece
from tools.examples.raster import nearest_triangles
from tools.truth.meshes import finer, spread, strands_of
from tools.truth.person import MovingPerson
from tools.truth.plain import frame
from tools.truth.scene import draw


def test_in_the_pose_of_the_photo_all_is_where_it_was_built(
    person: MovingPerson, pieces: list[Piece], camera: Camera
):
    eye = -camera.rotation.T @ camera.translation
    drawn = person.vertices(person.pose[0], eye)
    built = np.concatenate([finer(p).vertices for p in pieces[:2]])
    # metres: single precision to the rest pose and back
    np.testing.assert_allclose(drawn[: len(built)], built, atol=2e-5)
    hair = drawn[len(built) :].reshape(-1, 2, 3)
    strands = strands_of(pieces[2])
    np.testing.assert_allclose(hair.mean(1), strands.paths.reshape(-1, 3), atol=2e-5)
    size = np.linalg.norm(hair[:, 1] - hair[:, 0], axis=1)
    np.testing.assert_allclose(size, 2 * strands.half.ravel(), rtol=2e-2)


def test_a_frame_from_the_photos_camera_is_the_photo(person: MovingPerson, camera: Camera):
    photo, turning, novel = draw(person, camera, 5, 96, lambda *_: None)
    large, matte = frame(person, person.pose[0], camera, samples=4)
    # more samples only smooth the edges
    assert np.abs(large.astype(float) - photo.rgb[0]).mean() < 1
    assert np.abs(matte.astype(float) - photo.matte[0]).mean() < 1
    assert len(turning.rgb) == 5 and len(novel.rgb) == 9
    tall = [np.ptp(np.flatnonzero(m.any(1))) / 96 for m in turning.matte]
    assert 0.8 < min(tall) <= max(tall) < 0.92
    for clip in (turning, novel):
        rim = np.concatenate([clip.matte[:, [0, -1]].ravel(), clip.matte[:, :, [0, -1]].ravel()])
        assert not rim.any()  # nobody is cut off


def test_the_matte_is_the_covered_share_and_the_rest_is_white(person: MovingPerson, camera: Camera):
    rgb, matte = frame(person, person.pose[0], camera)
    fine = camera.resized(2)
    seen = fine.project(person.vertices(person.pose[0], -camera.rotation.T @ camera.translation))
    hit = nearest_triangles(seen, person.faces, fine.height, fine.width)[0] >= 0
    share = hit.reshape(camera.height, 2, camera.width, 2).mean((1, 3))
    np.testing.assert_array_equal(matte, (255 * share + 0.5).astype(np.uint8))
    assert (rgb[matte == 0] == 255).all()
    # a half covered pixel is at least half white
    assert (rgb >= 255 - matte[..., None].astype(int) - 1).all()


def test_colours_belong_to_the_surface(person: MovingPerson):
    """The body turned with the camera gives the same picture."""
    camera = photo_camera(160, 160)
    angle = torch.zeros(55, 3)
    angle[0, 1] = 1.0
    straight = Pose(torch.zeros(55, 3), torch.tensor([0.0, -0.9, -4.0]), torch.zeros(1))
    turned = replace(straight, rotations=angle)
    turn = np.array([[np.cos(1), 0, np.sin(1)], [0, 1, 0], [-np.sin(1), 0, np.cos(1)]])
    middle = person.joints[0].numpy() + straight.translation.numpy()
    around = replace(
        camera,
        rotation=camera.rotation @ turn.T,
        translation=camera.rotation @ (middle - turn.T @ middle),
    )
    first, _ = frame(person, straight, camera)
    second, _ = frame(person, turned, around)
    # rounding moves edges by a sample here and there
    assert np.abs(first.astype(float) - second).mean() < 0.3


def test_pieces_stay_on_the_body_when_it_moves(person: MovingPerson, pieces: list[Piece]):
    rotations = person.pose.rotations[0].clone()
    for side, sign in (("left", 1), ("right", -1)):
        rotations[JOINTS.index(f"{side}_shoulder"), 2] += sign * 1.2
        rotations[JOINTS.index(f"{side}_hip"), 0] -= 0.8
        rotations[JOINTS.index(f"{side}_knee"), 0] += 1.2
    rotations[JOINTS.index("head"), 1] += 0.6
    moved = replace(person.pose[0], rotations=rotations)
    eye = np.array([0.0, 1.0, 5.0])
    before, after = person.vertices(person.pose[0], eye), person.vertices(moved, eye)
    assert np.linalg.norm(after - before, axis=1).max() > 0.3
    edges = person.faces[:, [0, 1]]

    def lengths(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)

    grown = lengths(after) - lengths(before)
    assert grown.max() < 0.03  # metres: stretched at a joint, torn nowhere
    starts = np.cumsum([0, *(len(finer(p).vertices) for p in pieces[:2])])
    skin, shirt = slice(0, starts[1]), slice(starts[1], starts[2])
    apart = [_nearest(v[shirt], v[skin]).max() for v in (before, after)]
    assert apart[1] < apart[0] + 0.02
    strands = slice(starts[2], len(before))
    away = [_nearest(v[strands], v[skin]).max() for v in (before, after)]
    assert away[1] < away[0] + 0.005  # hair is rigid on the head


def _nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    from scipy.spatial import cKDTree

    return cKDTree(others).query(points)[0]


def test_splitting_and_spreading_keep_the_surface():
    corners = np.array([[0.0, 0, 0], [0.01, 0, 0], [0.01, 0.01, 0], [0, 0.01, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    piece = Piece(name="patch", vertices=corners, faces=faces, material=plain, extra=corners[:, :2])
    fine = finer(piece)
    assert len(fine.faces) == 32 and len(np.unique(fine.faces)) == len(fine.vertices) == 25
    np.testing.assert_allclose(fine.extra, fine.vertices[:, :2], atol=1e-12)
    a, b, c = (fine.vertices[fine.faces[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)[:, 2] / 2
    assert area.min() > 0 and area.sum() == pytest.approx(1e-4)
    flat = spread(np.ones((25, 2)), fine.faces, 5)
    np.testing.assert_allclose(flat, 1, atol=1e-6)
    spike = np.zeros((25, 1))
    spike[0] = 1
    assert 0 < spread(spike, fine.faces, 3).max() < 0.6
