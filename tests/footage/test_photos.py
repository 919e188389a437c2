"""Several photos as frames of one size, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from svad.config.footage import FootageConfig
from svad.core.errors import SourceError
from svad.core.progress import silent
from svad.footage import sentences as say
from svad.footage.photos import from_photos
from svad.footage.stage import FootageStage
from svad.types import Footage, Photo, Source
from tests.footage.acted import BOB, Card, PaintedEyes, paint
from tests.track.posed import angle

CONFIG = FootageConfig(height=120)


def sent(*photos: Photo) -> Footage:
    return from_photos(photos, CONFIG, PaintedEyes(), silent)


def photo(*cards: Card, width: int = 160, height: int = 200) -> Photo:
    return Photo(paint(cards, width, height), None)


def test_the_front_is_found_and_all_have_one_size() -> None:
    yaw = [np.pi, 0.0, np.pi / 2, -np.pi / 2]
    photos = [
        photo(Card(yaw[0], 80)),
        photo(Card(yaw[1], 250, 90, 300), width=500, height=420),
        photo(Card(yaw[2], 30, 5, 70), width=90, height=90),
        photo(Card(yaw[3], 60, 0, 200), width=120, height=210),
    ]
    footage = sent(*photos)
    assert footage.front == 1 and footage.photo is photos[1]
    assert angle(footage.yaw, np.array(yaw)).max() < np.radians(15)
    assert footage.rgb.shape[:2] == (4, 120) and footage.matte.shape == footage.rgb.shape[:3]
    assert np.isnan(footage.time).all() and footage.warnings == ()
    tall = (footage.matte > 127).any(2).sum(1)
    assert np.abs(tall / 120 - 0.84).max() < 0.03  # everybody fills as much of the frame
    middle = footage.keypoints[:, 11:13, :2].mean(1)
    assert np.abs(middle[:, 0] - footage.rgb.shape[2] / 2).max() < 2
    left, top, right, bottom = Card(yaw[1], 250, 90, 300).box  # where the second photo has them
    x0, y0, x1, y1 = footage.cuts[1]
    assert (x0 + x1) / 2 == pytest.approx((left + right) / 2, abs=6)
    assert (y0 + y1) / 2 == pytest.approx((top + bottom) / 2, abs=6)
    assert (bottom - top) / (y1 - y0) == pytest.approx(0.84, abs=0.04)


def test_without_a_face_the_nearest_to_the_front_stands_for_it() -> None:
    footage = sent(photo(Card(2.8, 80)), photo(Card(1.6, 80)))
    assert footage.front == 1


def test_a_transparent_photo_is_seen_on_grey_and_cut_out_as_it_says() -> None:
    """A second person is in the colours below, invisible."""
    clear = paint([Card(0, 50), Card(0, 130, 10, 180, BOB, 1)], 200)
    alpha = np.zeros(clear.shape[:2], np.uint8)
    x0, y0, x1, y1 = Card(0, 50).box
    alpha[y0 : y1 - 40, x0:x1] = 255
    footage = sent(Photo(clear, alpha), photo(Card(np.pi, 80)))
    assert say.OTHERS_PHOTO not in footage.warnings
    assert np.abs(footage.rgb[0][footage.matte[0] == 0].astype(int)[:200] - 200).max() <= 2
    rows = np.flatnonzero((footage.matte[0] > 127).any(1))
    whole = np.flatnonzero((footage.matte[1] > 127).any(1))
    assert np.ptp(rows) < 0.8 * np.ptp(whole)  # the feet are transparent


def test_other_people_and_other_clothes_are_told() -> None:
    same = sent(photo(Card(0, 80)), photo(Card(np.pi, 80)))
    assert same.warnings == ()
    unlike = sent(photo(Card(0, 80)), photo(Card(np.pi, 80, who=BOB, clothes=1)))
    assert unlike.warnings == (say.unlike([2], 1),)
    others = [photo(Card(yaw, 80, clothes=1)) for yaw in (np.pi, -2.9)]
    three = sent(*others, photo(Card(0, 80)))
    assert three.front == 2 and say.unlike([1, 2], 3) in three.warnings
    beside = sent(photo(Card(0, 50), Card(0, 130, 60, 80, BOB)), photo(Card(np.pi, 80)))
    assert beside.warnings == (say.OTHERS_PHOTO,)


def test_clothes_in_other_light_are_the_same_clothes() -> None:
    dim = Photo((paint([Card(0, 80)]) * 0.98).astype(np.uint8), None)
    light = paint([Card(np.pi, 80)])
    light[52:] = (light[52:] * 0.85).astype(np.uint8)  # the band under which people are known stays
    assert sent(dim, Photo(light, None)).warnings == ()


def test_who_shows_no_back_is_told_so() -> None:
    assert sent(photo(Card(0, 80)), photo(Card(1.5, 80))).warnings == (say.NO_BACK_PHOTO,)


def test_a_photo_of_nobody_is_named() -> None:
    with pytest.raises(SourceError, match="No person was found in photo 2"):
        sent(photo(Card(0, 80)), photo(), photo(Card(3, 80)))


def test_the_stage_takes_photos_and_makes_its_eyes_once() -> None:
    made: list[PaintedEyes] = []

    def eyes() -> PaintedEyes:
        made.append(PaintedEyes())
        return made[-1]

    stage = FootageStage(CONFIG, eyes)
    assert not made  # models cost seconds
    source = Source(photos=(photo(Card(0, 80)), photo(Card(np.pi, 80))))
    told: list[tuple[int, int]] = []
    for _ in range(2):
        footage = stage.run(source, lambda done, of, *_: told.append((done, of)))
        assert footage.front == 0 and len(footage.rgb) == 2
    assert len(made) == 1
    assert told[0] == (0, 1000) and told[-1] == (1000, 1000)
    half = told[: len(told) // 2]
    assert half == sorted(half)
