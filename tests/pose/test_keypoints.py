"""Orders of key points and their packing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from svad.body.coco import FACE, LEFT_HAND, RIGHT_HAND
from svad.pose.keypoints import WholeBody, pack, to_figure, with_neck
from svad.pose.keypoints import unpack as unpack_arrays


def test_order_and_packing_match_the_published_ones(golden: Path) -> None:
    data = np.load(golden / "convert.npz")
    xy, score = with_neck(data["keypoints133"], data["scores133"])
    np.testing.assert_allclose(xy, data["keypoints134"], atol=1e-12)  # pure reordering
    np.testing.assert_allclose(score, data["scores134"], atol=1e-12)
    pairs = zip(data["keypoints133"], data["scores133"], strict=True)
    packed = pack([to_figure(WholeBody(*pair), (1, 1)) for pair in pairs])
    for name in ("body", "subset", "hands", "faces"):
        np.testing.assert_allclose(getattr(packed, name), data[name], atol=1e-12, err_msg=name)


def test_unpacking_is_the_way_back(golden: Path) -> None:
    data = np.load(golden / "convert.npz")
    pairs = zip(data["keypoints133"], data["scores133"], strict=True)
    packed = pack([to_figure(WholeBody(*pair), (1, 1)) for pair in pairs])
    again = pack(unpack_arrays(packed, 1.0))
    for name in ("body", "subset", "hands", "faces"):
        np.testing.assert_array_equal(getattr(again, name), getattr(packed, name))


def test_left_stays_left_and_pixels_become_shares() -> None:
    xy = np.stack([np.arange(133.0), np.arange(133.0) + 1000], 1)
    figure = to_figure(WholeBody(xy, np.ones(133)), (2000, 500))
    assert figure.aspect == 0.25
    np.testing.assert_allclose(figure.body[5] * (500, 2000), xy[5])  # left shoulder
    np.testing.assert_allclose(figure.body[1] * (500, 2000), xy[5:7].mean(0))
    np.testing.assert_allclose(figure.hands[0] * (500, 2000), xy[LEFT_HAND])
    np.testing.assert_allclose(figure.hands[1] * (500, 2000), xy[RIGHT_HAND])
    np.testing.assert_allclose(figure.face * (500, 2000), xy[FACE])


def test_a_score_of_exactly_the_limit_hides_the_body_but_not_the_hands() -> None:
    figure = to_figure(WholeBody(np.zeros((133, 2)), np.full(133, 0.3)), (10, 10))
    assert not figure.body_seen.any()
    assert figure.hands_seen.all() and figure.face_seen.all()
