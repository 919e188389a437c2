"""The table of key points: its parts fill the 133, sides mirror, names agree with the joints."""

from __future__ import annotations

import torch

from svad.body import coco
from svad.body.coco import HandPoint, Keypoint
from svad.body.free import load_free_body
from svad.body.keypoints import TIPS, VERTEX_POINTS, whole_body
from svad.body.skeleton import Joint


def test_the_parts_fill_all_points_once() -> None:
    parts = (coco.BODY_AND_FEET, coco.FACE, coco.LEFT_HAND, coco.RIGHT_HAND)
    rows = [row for part in parts for row in range(coco.COUNT)[part]]
    assert rows == list(range(coco.COUNT)) and len(Keypoint) == coco.BODY_AND_FEET.stop
    halves = (coco.HEAD, coco.LIMBS, coco.LEFT_FOOT, coco.RIGHT_FOOT)
    assert [p for part in halves for p in tuple(Keypoint)[part]] == list(Keypoint)
    assert tuple(Keypoint)[coco.LEFT_FOOT] == coco.FEET["left"]
    fingers = [point for finger in coco.FINGERS for point in finger]
    assert [HandPoint.WRIST, *fingers] == list(HandPoint)


def test_sides_mirror() -> None:
    assert [coco.MIRROR[coco.MIRROR[point]] for point in Keypoint] == list(Keypoint)
    for table in (coco.ARMS, coco.LEGS, coco.FEET):
        assert tuple(coco.MIRROR[point] for point in table["left"]) == table["right"]


def test_points_lie_at_what_they_are_named_after() -> None:
    body = load_free_body()
    rest = body.rest(torch.zeros(50))
    points = whole_body(body).points(rest.vertices, rest.joints)
    limbs = tuple(Keypoint)[coco.LIMBS]
    assert torch.equal(points[list(limbs)], rest.joints[[Joint[p.name] for p in limbs]])
    found = rest.vertices[body.keypoints]
    torch.testing.assert_close(points[list(VERTEX_POINTS)], found[: len(VERTEX_POINTS)])
    for side, hand in coco.HANDS.items():
        ends = points[hand][[finger[-1] for finger in coco.FINGERS]]
        torch.testing.assert_close(ends, found[TIPS[side]])
        roots = points[hand][[finger[0] for finger in coco.FINGERS[1:]]]
        joints = [Joint[f"{side}_{name}1".upper()] for name in coco.FINGER_NAMES[1:]]
        assert torch.equal(roots, rest.joints[joints])
    for point in Keypoint:  # the left is at +x
        assert point is Keypoint.NOSE or (points[point, 0] > 0) == point.name.startswith("LEFT")
