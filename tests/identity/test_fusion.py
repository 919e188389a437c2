"""One frame: a sharper face without a seam, the rest untouched, and reasons not to fuse."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from svad.identity import align, fusion
from svad.identity.fusion import NotFused, fuse, place, published_fusion
from tests.identity.faces import Scene, psnr, scene

LIMIT = 0.03


def fused(s: Scene, **more) -> np.ndarray:
    placement = place(s.head_points, s.points, s.frame.shape, LIMIT)
    return fuse(s.frame, s.head, s.coverage, placement, **more)


@pytest.mark.parametrize("name", ["ada", "dayo", "greta", "kenji"])
def test_the_face_comes_closer_to_the_sharp_one(name: str) -> None:
    s = scene(name)
    face = fusion.outline_mask(s.points, s.frame.shape)
    before, after = psnr(s.frame, s.sharp, face), psnr(fused(s), s.sharp, face)
    assert after > before + 3  # dB
    published = published_fusion(s.frame, s.head, s.head_points, s.points)
    assert after > psnr(published, s.sharp, face)


@pytest.mark.parametrize("name", ["ada", "dayo", "greta", "kenji"])
def test_there_is_no_seam(name: str) -> None:
    """Along the face's outline nothing is steeper than in the frame or near it in the photo."""
    s = scene(name)
    mask = fusion.outline_mask(s.points, s.frame.shape)
    ring = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - cv2.erode(mask, np.ones((3, 3), np.uint8))

    def steepness(image: np.ndarray) -> np.ndarray:
        return np.abs(np.stack(np.gradient(image.astype(float), axis=(0, 1)))).max((0, 3))

    allowed = np.maximum(steepness(s.frame), cv2.dilate(steepness(s.sharp), np.ones((5, 5))))

    def seam(image: np.ndarray) -> float:  # grey levels per pixel
        return float(np.maximum(steepness(image) - allowed, 0)[ring > 0].mean())

    pasted = np.where(mask[..., None] > 0, s.sharp * 0.9, s.frame)  # 10 % darker, hard edge
    assert seam(fused(s)) < 0.1 * seam(pasted)


def test_away_from_the_face_nothing_changes() -> None:
    s = scene("ada")
    matte = np.full(s.frame.shape[:2], 255, np.uint8)
    matte[:, : int(s.points[:, 0].min()) + 5] = 0
    result = fused(s, matte=matte)
    mask = fusion.outline_mask(s.points, s.frame.shape)
    far = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) > fusion.MARGIN * s.size + 2
    np.testing.assert_array_equal(result[far], s.frame[far])
    np.testing.assert_array_equal(result[matte == 0], s.frame[matte == 0])
    assert np.abs(result.astype(int) - s.frame)[mask > 0].mean() > 1


def test_strength_fades_between_frame_and_face() -> None:
    s = scene("greta")
    np.testing.assert_array_equal(fused(s, strength=0.0), s.frame)
    half, whole = (fused(s, strength=x).astype(float) - s.frame for x in (0.5, 1.0))
    np.testing.assert_allclose(half, whole / 2, atol=1.01)


def test_the_same_frame_gives_the_same_bytes_and_inputs_stay() -> None:
    s = scene("ada")
    frame, head = s.frame.copy(), s.head.copy()
    np.testing.assert_array_equal(fused(s), fused(s))
    np.testing.assert_array_equal(frame, s.frame)
    np.testing.assert_array_equal(head, s.head)


def test_holes_of_the_head_do_not_show() -> None:
    """A few uncovered pixels inside a face are no reason for spots of the old face."""
    s = scene("ada")
    coverage = s.coverage.copy()
    x, y = s.head_points[30].astype(int)
    coverage[y - 3 : y + 3, x - 3 : x + 3] = 0.5
    difference = fused(s).astype(int) - fused(replace(s, coverage=coverage))
    assert np.abs(difference).max() <= 4  # the alignment may move by a hundredth of a pixel


def refused(s: Scene) -> str:
    with pytest.raises(NotFused) as error:
        fused(s)
    return str(error.value)


def test_frames_that_cannot_be_fused_say_why() -> None:
    s = scene("ada")
    width = s.frame.shape[1]
    middle = int(s.points[:, 0].mean())
    cut = replace(s, frame=np.ascontiguousarray(s.frame[:, :middle]))
    assert refused(cut) == fusion.AT_BORDER
    off = replace(s, points=s.points + (width, 0))
    assert refused(off) == fusion.AT_BORDER
    turned = replace(s, head_points=s.head_points * (0.6, 1))
    assert refused(turned) == fusion.DISAGREE
    tiny = replace(s, points=s.points * 0.02 + 20)
    assert refused(tiny) == fusion.TOO_SMALL
    bare = replace(s, coverage=np.zeros_like(s.coverage))
    assert refused(bare) == fusion.NOT_COVERED


def test_a_face_that_touches_the_border_is_still_fused() -> None:
    s = scene("kenji")
    low = int(s.points[:, 0].min()) + 2  # two pixels of the cheek are cut
    cut = replace(
        s, frame=np.ascontiguousarray(s.frame[:, low:]), points=s.points - (low, 0), truth=s.truth
    )
    face = fusion.outline_mask(cut.points, cut.frame.shape)
    sharp = s.sharp[:, low:]
    assert psnr(fused(cut), sharp, face) > psnr(cut.frame, sharp, face) + 3


def test_the_published_way_loses_frames_that_are_not_square() -> None:
    """It stretches the head, so that the disparity test sees another face."""
    s = scene("ada")
    frame = np.pad(s.frame, ((0, s.frame.shape[0]), (0, 0), (0, 0)), mode="edge")
    tall = replace(s, frame=frame)
    with pytest.raises(NotFused, match=fusion.DISAGREE):
        published_fusion(tall.frame, s.head, s.head_points, s.points)
    assert fused(tall).shape == frame.shape


def test_the_published_way_refuses_the_border() -> None:
    s = scene("ada")
    shift = np.array([s.points[:, 0].min() - 0.5, 0])
    frame = s.frame[:, int(shift[0]) :]
    pad = np.zeros((len(frame), s.frame.shape[1] - frame.shape[1], 3), np.uint8)
    moved = np.concatenate([frame, pad], 1)
    with pytest.raises(NotFused, match=fusion.AT_BORDER):
        published_fusion(moved, s.head, s.head_points, s.points - shift)


def test_a_mask_becomes_its_largest_piece_without_holes() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:12, 3:15] = True
    mask[5:7, 6:9] = False
    mask[15:18, 20:25] = True
    expected = np.zeros_like(mask)
    expected[2:12, 3:15] = True
    np.testing.assert_array_equal(fusion.solid(mask), expected)
    np.testing.assert_array_equal(fusion.solid(np.zeros((4, 4), bool)), np.zeros((4, 4), bool))


def test_exposure_compares_means_within_limits() -> None:
    ours = np.random.default_rng(0).uniform(50, 150, (8, 8, 3))
    weights = np.ones((8, 8))
    np.testing.assert_allclose(fusion.exposure(ours, ours * (0.9, 1, 1.2), weights), (0.9, 1, 1.2))
    np.testing.assert_allclose(fusion.exposure(ours, ours * 5, weights), fusion.GAIN[1])
    np.testing.assert_allclose(fusion.exposure(ours, ours, weights * 0), 1)


def test_sizes_are_those_of_the_outline() -> None:
    square = np.stack(np.meshgrid([0.0, 40.0], [10.0, 50.0]), -1).reshape(4, 2)
    assert align.face_size(square) == pytest.approx(40)
