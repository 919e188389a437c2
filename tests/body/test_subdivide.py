"""Midpoint subdivision: the published order, and what must hold on any mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from svad.body.free import load_free_body
from svad.body.subdivide import subdivide
from tests.body.tiny import read_tiny
from tests.fill import seed_of, tensor


def test_two_levels_match_published_arrays(golden_root: Path) -> None:
    folder = golden_root / "avatar"
    with np.load(folder / "tiny_body.npz") as body, np.load(folder / "subdivide.npz") as want:
        vertices = torch.from_numpy(body["v_template"])
        first = subdivide(torch.from_numpy(body["faces"]), len(vertices))
        second = subdivide(first.faces, len(vertices) + len(first.edges))
        assert np.array_equal(first.faces, want["faces_level1"])
        assert np.array_equal(second.faces, want["faces_level2"])
        finer = second.apply(first.apply(vertices))
        torch.testing.assert_close(finer, torch.from_numpy(want["verts_level2"]), atol=1e-6, rtol=0)
        features = want["feat_level2"]
        coarse = tensor("subdiv.feat", (len(vertices), features.shape[1]), seed_of(folder))
        finer = second.apply(first.apply(coarse))
        torch.testing.assert_close(finer, torch.from_numpy(features), atol=1e-6, rtol=0)


def test_buffers_match_published_arrays(golden_root: Path) -> None:
    folder = golden_root / "avatar"
    tiny = read_tiny(folder)
    first = subdivide(tiny.faces, len(tiny.template))
    second = subdivide(first.faces, len(tiny.template) + len(first.edges))
    with np.load(folder / "human_buffers.npz") as want:
        weights = second.apply(first.apply(tiny.weights))
        torch.testing.assert_close(
            weights[::8], torch.from_numpy(want["skinning_weight_every8"]), atol=1e-5, rtol=0
        )
        dirs = second.apply(first.apply(tiny.expression_dirs))
        torch.testing.assert_close(
            dirs[::8], torch.from_numpy(want["expr_dirs_every8"]), atol=1e-5, rtol=0
        )
        named = {"is_lhand": tiny.left_hand, "is_rhand": tiny.right_hand, "is_face": tiny.head}
        for name, ids in (named | {"is_face_expr": tiny.face, "is_cavity": tiny.cavity}).items():
            mask = torch.zeros(len(tiny.template), dtype=torch.bool)
            mask[ids] = True
            finer = second.apply_mask(first.apply_mask(mask))
            assert np.array_equal(finer, want[name]), name


@pytest.mark.parametrize("levels", [1, 2])
def test_counts_and_old_vertices(levels: int) -> None:
    body = load_free_body()
    vertices, faces = body.template, body.faces
    edges = len(subdivide(faces, len(vertices)).edges)
    assert edges == len(faces) * 3 // 2  # closed mesh
    for _ in range(levels):
        level = subdivide(faces, len(vertices))
        vertices, faces = level.apply(vertices), level.faces
    count, triangles = len(body.template), len(body.faces)
    wanted = {1: count + edges, 2: count + 3 * edges + 3 * triangles}
    assert len(vertices) == wanted[levels]
    assert torch.equal(vertices[:count], body.template)
    assert faces.max() == len(vertices) - 1


def test_a_mask_grows_by_one_ring_of_new_vertices() -> None:
    body = load_free_body()
    mask = torch.zeros(len(body.template), dtype=torch.bool)
    mask[body.head] = True
    level = subdivide(body.faces, len(body.template))
    finer = level.apply_mask(mask)
    assert torch.equal(finer[: len(mask)], mask)
    assert torch.equal(finer[len(mask) :], mask[level.edges].any(1))
