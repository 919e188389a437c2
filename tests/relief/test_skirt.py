"""Skirts are found; trousers are not skirts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body.model import BodyModel
from svad.body.skeleton import HIPS, KNEES
from svad.relief.build import build_relief
from svad.relief.labels import label_pixels
from svad.relief.scene import posed_joints
from svad.relief.skirt import Skirt, find_skirt
from svad.types import Photo, Subject
from tests.relief.people import drawn_parts, subject_of, with_skirt
from tests.subject.people import pose_of

LEFT, RIGHT = ([HIPS[k], KNEES[k]] for k in (0, 1))
PLAIN = {"face": False, "head": False}


def found(subject: Subject, body: BodyModel) -> Skirt | None:
    drawn, height = drawn_parts(subject, body)
    labels = label_pixels(subject.photo.rgb, subject.matte > 127, drawn, height)
    pixels = subject.body.camera.project(posed_joints(subject, body))[:, :2]
    rgb = subject.photo.rgb.astype(np.float32) / 255
    return find_skirt(labels, drawn, pixels, height, rgb)


@pytest.mark.parametrize("flare", [0.12, 0.16, 0.24])
def test_a_skirt_to_the_knees_is_found_with_its_hem(body: BodyModel, flare: float) -> None:
    subject, true = with_skirt(subject_of(**PLAIN), flare)
    skirt = found(subject, body)
    assert skirt is not None
    hem = np.flatnonzero(true.any(1))[-1]
    assert abs(skirt.hem - hem) < 0.02 * len(true)
    lower = true & (np.arange(len(true)) > subject.keypoints[11, 1] + 12)[:, None]
    assert skirt.mask[lower].mean() > 0.9  # cloth at the hips may be the torso's
    assert (skirt.mask & ~true).sum() < 0.15 * true.sum()  # of the hips beside it


def test_a_skirt_to_the_ankles_is_found(body: BodyModel) -> None:
    subject, true = with_skirt(subject_of(**PLAIN), 0.2, down_to=(15, 16))
    skirt = found(subject, body)
    assert skirt is not None
    assert abs(skirt.hem - np.flatnonzero(true.any(1))[-1]) < 0.03 * len(true)
    # from the hips to the hem it is one piece, whatever is a leg's or the torso's there
    assert skirt.mask[true & (np.arange(len(true)) > skirt.top)[:, None]].mean() > 0.9


@pytest.mark.parametrize("shade", [0.2, 0.4])
def test_folds_cut_no_notches_into_a_hem(body: BodyModel, shade: float) -> None:
    """The shade in a fold is nearer to a leg's brown than to the cloth in the light."""
    subject, true = with_skirt(subject_of(**PLAIN), 0.16)
    folds = true & (np.arange(true.shape[1]) % 24 < 8)
    rgb = subject.photo.rgb.copy()
    rgb[subject.matte > 127] = (150, 105, 75)
    rgb[true] = (225, 170, 45)
    rgb[folds] = (rgb[folds] * shade).astype(np.uint8)
    skirt = found(replace(subject, photo=Photo(rgb, None)), body)
    assert skirt is not None
    hem = np.flatnonzero(true.any(1))[-1]
    inner = np.flatnonzero(true[hem - 4])[6:-6]
    assert skirt.mask[hem - 4, inner].mean() > 0.98


@pytest.mark.parametrize(
    "turns", [{}, {1: (0, 0, 12), 2: (0, 0, -12)}, {4: (60, 0, 0)}, {1: (0, 0, -4), 2: (0, 0, 4)}]
)
def test_trousers_are_no_skirt(body: BodyModel, turns: dict) -> None:
    assert found(subject_of(pose_of(turns), **PLAIN), body) is None


def test_a_person_cut_at_the_hips_has_no_skirt(half_subject: Subject, body: BodyModel) -> None:
    assert found(half_subject, body) is None


def test_a_skirt_becomes_one_sheet_with_legs_inside(body: BodyModel) -> None:
    subject, true = with_skirt(subject_of(**PLAIN))
    relief = build_relief(subject, body, lambda note: None, seed=0)
    numbers = [sheet.layer for sheet in relief.sheets]
    skirt = relief.sheets[numbers.index(max(numbers))]
    assert skirt.own.sum() > 0.7 * true.sum()
    points = relief.points
    cloth = points.select(points.seen & (points.layer == skirt.layer))
    assert np.median(cloth.rgb, 0)[1] > 0.45  # green
    rows = np.flatnonzero(true.any(1))
    high = (points.pixel[:, 1] < rows[-1] - 2) & (points.pixel[:, 1] > rows[-1] - 8)
    legs = points.select(np.isin(points.layer, (3, 4)) & high)
    assert len(legs) > 30 and not legs.seen.any()  # they go on under the hem
    # across the front the cloth passes from one leg to the other without a jump
    row = cloth.select(np.abs(cloth.pixel[:, 1] - rows[-1] + 6) < 0.6)
    row = row.select(np.argsort(row.pixel[:, 0]))
    assert row.weights[0, LEFT].sum() > 0.9 or row.weights[0, RIGHT].sum() > 0.9
    assert len(row) > 20 and np.abs(np.diff(row.weights, axis=0)).max() < 0.15
