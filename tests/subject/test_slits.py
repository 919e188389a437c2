"""Light between an arm and the trunk is cut out of the matte, stripes of cloth are not."""

from __future__ import annotations

import numpy as np

from svad.body.coco import Keypoint
from svad.subject.slits import without_slits

H, W = 400, 200
CLOTH, WALL = (180, 30, 150), (240, 240, 240)
PERSON = (slice(20, 380), slice(60, 140))
SLIT = (slice(150, 200), slice(118, 121))  # beside the arm whose bones lie at column 130
SURE, DOUBTED = 1.0, 0.85  # what a detector says of cloth, and of a slit in it


def points() -> np.ndarray:  # [133, 3]
    out = np.zeros((133, 3), np.float32)
    arm = Keypoint.LEFT_SHOULDER, Keypoint.LEFT_ELBOW, Keypoint.LEFT_WRIST
    for point, row in zip(arm, (100, 170, 240), strict=True):
        out[point] = (130, row, 1)
    return out


def picture(
    slit: tuple[slice, slice] = SLIT,
    soft: float = DOUBTED,
    cloth: tuple[int, int, int] = CLOTH,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The photo, a matte that knows nothing of the slit, and the detector's mask."""
    rgb = np.full((H, W, 3), WALL, np.uint8)
    matte = np.zeros((H, W), np.uint8)
    rgb[PERSON], matte[PERSON] = cloth, 255
    mask = matte.astype(np.float32) / 255
    rgb[slit], mask[slit] = WALL, soft
    return rgb, matte, mask


def unchanged(rgb: np.ndarray, matte: np.ndarray, soft: np.ndarray) -> bool:
    return bool((without_slits(rgb, matte, soft, points()) == matte).all())


def test_light_beside_an_arm_is_no_person() -> None:
    rgb, matte, soft = picture()
    found = without_slits(rgb, matte, soft, points())
    assert (found[SLIT] < 20).all()
    found[SLIT] = 255
    np.testing.assert_array_equal(found, matte)


def test_the_rim_of_a_slit_is_as_mixed_as_in_the_picture() -> None:
    rgb, matte, soft = picture()
    rim = (SLIT[0], slice(117, 118))
    rgb[rim] = np.add(CLOTH, WALL) // 2
    found = without_slits(rgb, matte, soft, points())
    assert (np.abs(found[rim].astype(int) - 128) < 12).all()


def test_a_stripe_that_the_detector_is_sure_of_is_cloth() -> None:
    assert unchanged(*picture(soft=SURE))


def test_what_is_wide_or_short_is_no_slit() -> None:
    assert unchanged(*picture(slit=(SLIT[0], slice(112, 122))))
    assert unchanged(*picture(slit=(slice(150, 156), SLIT[1])))


def test_what_lies_far_from_arms_is_none_either() -> None:
    assert unchanged(*picture(slit=(SLIT[0], slice(80, 83))))


def test_where_cloth_is_like_the_wall_colours_tell_nothing() -> None:
    assert unchanged(*picture(cloth=(225, 228, 230)))


def test_a_person_who_fills_the_picture_has_no_wall_to_compare_with() -> None:
    rgb, matte, soft = picture()
    assert unchanged(rgb, np.full_like(matte, 255), soft)
    assert unchanged(rgb, np.zeros_like(matte), soft)
