"""From overlapping parts to one closed, simple, unwrapped mesh."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.export.mesh.outer import outer_surface, surface_net
from svad.export.mesh.refine import refined
from svad.export.mesh.simplify import simplified
from svad.export.mesh.transfer import carried, strongest
from svad.export.mesh.unwrap import unwrapped
from svad.geometry.surface import face_normals
from tests.helpers import tiny_avatar

NONE = np.zeros((0, 3), np.float32)
CORNERS = np.array([[i >> 2, i >> 1 & 1, i & 1] for i in range(8)], np.float64)
BOX = np.array(
    [*((0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)),
     *((2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3))]
)  # fmt: skip


def box(low: tuple, high: tuple) -> np.ndarray:
    return np.asarray(low) + CORNERS * (np.asarray(high) - np.asarray(low))


def volume(points: np.ndarray, faces: np.ndarray) -> float:
    corners = points[faces].astype(np.float64)
    return float(np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum())


def edge_uses(faces: np.ndarray) -> set[int]:
    """How many triangles edges have, each in its own direction and both together."""
    both = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    once = np.unique(both, axis=0, return_counts=True)[1]
    assert set(once.tolist()) == {1}  # neighbours agree on which side is out
    return set(np.unique(np.sort(both, 1), axis=0, return_counts=True)[1].tolist())


@pytest.fixture(scope="module")
def joined() -> tuple[np.ndarray, np.ndarray]:
    """Two boxes that cut each other, and a third inside."""
    parts = [box((0, 0, 0), (0.4, 0.2, 0.2)), box((0.3, 0.1, 0.05), (0.6, 0.3, 0.15))]
    parts.append(box((0.05, 0.05, 0.05), (0.1, 0.1, 0.1)))
    points = np.concatenate(parts).astype(np.float32)
    faces = np.concatenate([BOX + 8 * k for k in range(3)])
    return outer_surface(points, faces, NONE, cell=0.01, skin=0.0)


def test_the_box_is_outward() -> None:
    assert volume(CORNERS, BOX) == pytest.approx(6)


def test_the_outer_surface_is_closed_and_holds_the_union(
    joined: tuple[np.ndarray, np.ndarray],
) -> None:
    points, faces = joined
    assert edge_uses(faces) == {2}
    union = 0.4 * 0.2 * 0.2 + 0.3 * 0.2 * 0.1 - 0.1 * 0.1 * 0.1
    assert volume(points, faces) / 6 == pytest.approx(union, rel=0.05)  # corners are rounded
    within = ((points > 0.03) & (points < (0.37, 0.17, 0.17))).all(1)
    assert not within.any()  # neither the inner box nor the cut faces are left
    # one piece without handles: V - E + F = 2, and E = 3 F / 2
    assert len(points) - len(faces) / 2 == 2


def test_points_belong_to_the_surface() -> None:
    thin = np.stack(np.meshgrid(np.arange(30) * 0.004, np.arange(30) * 0.004), -1).reshape(-1, 2)
    sheet = np.concatenate([thin, np.zeros((900, 1))], 1)
    points, faces = outer_surface(
        box((0, 0, 0), (0.05, 0.05, 0.05)), BOX, sheet, cell=0.005, skin=0.004
    )
    assert edge_uses(faces) == {2}
    assert points[:, 0].max() > 0.116 and (points[points[:, 0] > 0.07, 2] < 0.006).all()


def test_a_net_of_a_ball_is_round() -> None:
    at = np.stack(np.meshgrid(*[np.arange(24.0)] * 3, indexing="ij"), -1)
    field = np.linalg.norm(at - 11.3, axis=-1) - 7
    points, faces = surface_net(field / 10)
    away = np.linalg.norm(points - 11.3, axis=1)
    assert np.abs(away - 7).max() < 0.25  # amid straight lines between nodes
    assert ((points[faces].mean(1) - 11.3) * face_normals(points, faces)).sum(1).min() > 0
    assert edge_uses(faces) == {2}


def test_simplifying_keeps_it_closed_and_the_shape(joined: tuple[np.ndarray, np.ndarray]) -> None:
    points, faces = joined
    small, few = simplified(points, faces, 300, np.ones(len(points)))
    assert 250 <= len(few) <= 300 < len(faces) and edge_uses(few) == {2}
    assert volume(small, few) == pytest.approx(volume(points, faces), rel=0.01)
    weights = np.where(points[:, 0] < 0.2, 1.0, 100.0)
    small, few = simplified(points, faces, 300, weights)
    left = (small[few].mean(1)[:, 0] < 0.2).mean()
    even = simplified(points, faces, 300, np.ones(len(points)))
    assert left < (even[0][even[1]].mean(1)[:, 0] < 0.2).mean()  # fewer where it counts less
    assert len(simplified(points, faces, len(faces), weights)[1]) == len(faces)


def test_refining_keeps_it_closed_and_divides_only_where_it_shall(
    joined: tuple[np.ndarray, np.ndarray],
) -> None:
    points, faces = joined
    middle = float(np.median(points[:, 0]))
    found, divided = refined(points, faces, points[:, 0] > middle, 0.006, 10**6)
    assert edge_uses(divided) == {2} and len(np.unique(divided)) == len(found)
    assert volume(found, divided) == pytest.approx(volume(points, faces), rel=1e-5)
    ends = found[divided[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)]
    long = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    assert long[(ends[..., 0] > middle + 0.02).all(1)].max() <= 0.006
    assert np.isin(long[(ends[..., 0] < middle - 0.02).all(1)].max(), _lengths(points, faces))
    assert len(refined(points, faces, points[:, 0] > middle, 0.006, len(faces) + 1)[1]) == len(
        faces
    )


def _lengths(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    ends = points[faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)]
    return np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)


def test_weights_and_shapes_come_from_the_gaussians() -> None:
    avatar = tiny_avatar(3000)
    rest = avatar.pose[0]
    rest = type(rest)(0 * rest.rotations, 0 * rest.translation, rest.expression)
    points = avatar.gaussians.means.numpy()[::7]
    faces = np.stack([np.arange(len(points))] * 3, 1)
    mesh = carried(avatar, rest, points, faces)
    assert np.allclose(mesh.vertices, points, atol=1e-5)  # nothing was turned
    assert np.allclose(mesh.joint_weights.sum(1), 1, atol=1e-5)
    strong = avatar.joint_ids.gather(1, avatar.joint_weights.argmax(1, keepdim=True))[::7, 0]
    mine = mesh.joint_ids[np.arange(len(points)), mesh.joint_weights.argmax(1)]
    assert (mine == strong.numpy()).mean() > 0.7  # the capsules of two joints cut each other
    moved = torch.isin(torch.arange(3000), avatar.expression_ids)[::7].numpy()
    dirs = np.zeros((len(points), 4, 3))
    dirs[mesh.expression_ids] = mesh.expression_dirs
    assert np.abs(dirs[moved]).max() > 0.01 and np.abs(dirs[points[:, 1] < 0.4]).max() == 0


def test_strongest() -> None:
    weights = np.zeros((1, 55))
    weights[0, [3, 9, 12, 20, 40]] = (0.1, 0.4, 0.2, 0.25, 0.05)
    ids, kept = strongest(weights)
    assert ids[0].tolist() == [9, 20, 12, 3] and kept.sum() == pytest.approx(1)


def test_charts_cover_every_triangle_without_overlap() -> None:
    mesh = tiny_avatar(50).mesh
    flat = unwrapped(mesh)
    assert np.array_equal(flat.vertex[flat.faces], mesh.faces)
    assert flat.uv.min() >= 0 and flat.uv.max() <= 1
    corners = flat.uv[flat.faces].astype(np.float64)
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2
    assert 0.2 < area < 1  # more than the picture has would be one chart over another
