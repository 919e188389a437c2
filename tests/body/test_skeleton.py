"""The table of joints: a tree, symmetric, with groups that do not overlap; the names as indices."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from svad.body import skeleton as sk
from svad.body.free import load_free_body
from svad.body.skeleton import FOLDED, JOINTS, MIRROR, PARENTS, Joint

ROOT = Path(__file__).parents[2]
AXES = 4  # numbers below this may be axes or parts of a quaternion


def bare_numbers(tree: ast.AST) -> Iterator[ast.AST]:
    """Rows picked by a list of bare numbers, and loops over pairs of such."""

    def numbers(node: ast.AST) -> bool:
        if not isinstance(node, ast.List | ast.Tuple) or len(node.elts) < 2:
            return False
        values = [e.value if isinstance(e, ast.Constant) else None for e in node.elts]
        return all(type(v) is int for v in values) and max(values) >= AXES

    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            yield from (part for part in index if numbers(part))
        elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            yield from (part for part in node.iter.elts if numbers(part))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "dict.fromkeys":
            yield from (part for part in node.args[:1] if numbers(part))


def test_no_joint_or_landmark_is_picked_by_a_bare_number() -> None:
    assert len(list(bare_numbers(ast.parse("a[[5, 6], 1], a[:, (3, 7)], a[[1, 2]], a[4, 5]")))) == 2
    assert (
        len(list(bare_numbers(ast.parse("for a, b in ((1, 4), (2, 5)): dict.fromkeys((7, 8))"))))
        == 3
    )
    for folder in ("svad", "tools"):
        for module in (ROOT / folder).rglob("*.py"):
            found = list(bare_numbers(ast.parse(module.read_text(encoding="utf-8"))))
            assert not found, f"{module}: {[ast.unparse(node) for node in found]}"


def test_joints_index_arrays_and_tensors() -> None:
    assert list(Joint) == list(range(55)) and JOINTS[Joint.LEFT_WRIST] == "left_wrist"
    array, tensor = np.arange(55), torch.arange(55)
    for rows in (array, tensor):
        assert rows[Joint.HEAD] == 15
        assert rows[list(sk.KNEES)].tolist() == [4, 5]
        assert rows[None][:, sk.EYES].tolist() == [[23, 24]]


def test_the_tree_has_parents_before_children() -> None:
    assert PARENTS[Joint.PELVIS] == -1
    assert all(0 <= parent < joint for joint, parent in enumerate(PARENTS) if joint)
    assert tuple(load_free_body().parents) == PARENTS


def test_limbs_and_fingers_are_chains_of_the_tree() -> None:
    chains = [*sk.LEGS.values(), *sk.ARMS.values(), sk.SPINE]
    chains += [sk.finger_joints(side, name) for side in sk.SIDES for name in sk.FINGER_NAMES]
    for chain in chains:
        assert [PARENTS[joint] for joint in chain[1:]] == list(chain[:-1])
    for side in sk.SIDES:
        assert {PARENTS[j] for j in sk.HANDS[side][1:]} <= set(sk.HANDS[side])


def test_mirroring_is_an_involution_that_keeps_the_tree() -> None:
    assert [MIRROR[MIRROR[joint]] for joint in Joint] == list(Joint)
    for joint, other in zip(Joint, MIRROR, strict=True):
        parent = PARENTS[joint]
        assert PARENTS[other] == (MIRROR[parent] if parent >= 0 else -1)
    body = load_free_body()
    flipped = body.joint_template[list(MIRROR)] * torch.tensor([-1.0, 1.0, 1.0])
    assert (flipped - body.joint_template).abs().max() < 1e-3  # metres
    assert (body.joint_template[[*sk.SHOULDERS, *sk.HIPS], 0] > 0).tolist() == [True, False] * 2
    for pair in (sk.COLLARS, sk.SHOULDERS, sk.ELBOWS, sk.WRISTS, sk.HIPS, sk.KNEES, sk.ANKLES):
        assert MIRROR[pair[0]] == pair[1]


def test_groups_divide_the_joints() -> None:
    groups = [(Joint.PELVIS,), sk.SPINE, (Joint.NECK,), sk.HEAD_JOINTS]
    for side in sk.SIDES:
        assert sk.HANDS[side][0] == sk.ARMS[side][-1]
        groups += [sk.LEGS[side], sk.ARMS[side], sk.FINGERS[side], sk.THUMBS[side]]
    assert sorted(joint for group in groups for joint in group) == list(Joint)


def test_small_joints_fold_into_the_large_one_above_them() -> None:
    assert list(FOLDED[: sk.LARGE]) == list(Joint)[: sk.LARGE]
    for joint in list(Joint)[sk.LARGE :]:
        above = joint
        while above >= sk.LARGE:
            above = PARENTS[above]
        assert FOLDED[joint] == above
