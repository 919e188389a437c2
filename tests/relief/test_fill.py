"""What the body model adds: hidden sides and what the frame cuts off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body.model import BodyModel
from svad.body.skeleton import Joint
from svad.relief.body_surface import GROUPS, BodySurface, body_surface_samples
from svad.relief.build import Relief
from svad.relief.fill import (
    Hands,
    cloth_thickness,
    core_points,
    frame_cuts,
    hand_is_seen,
    missing_points,
    whole_hand,
)
from svad.relief.points import BACK, FILL, Points
from svad.relief.weights import folded
from svad.types import Subject
from tests.relief.people import posed_vertices

SPACING = 0.012


@pytest.fixture(scope="module")
def surface(subject: Subject, body: BodyModel) -> BodySurface:
    return body_surface_samples(
        posed_vertices(subject, body), body.faces.numpy(), folded(body.weights.numpy()), SPACING
    )


def photographed(relief: Relief) -> Points:
    """The points of the layers alone."""
    return relief.points.select(relief.points.side != FILL)


def filled(relief: Relief, subject: Subject) -> tuple[Points, np.ndarray, np.ndarray]:
    """The filled points, their pixels [P, 3], and which of them are in the frame."""
    points = relief.points
    fill = points.select((points.side == FILL) & (points.layer == 255))
    pixels = relief.camera.project(fill.xyz)
    h, w = subject.matte.shape
    x, y = pixels[:, 0], pixels[:, 1]
    return fill, pixels, (x >= 0) & (y >= 0) & (x < w) & (y < h)


def test_samples_lie_on_the_body_and_close_it(
    subject: Subject, body: BodyModel, surface: BodySurface
) -> None:
    corners = posed_vertices(subject, body)[body.faces.numpy()]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1).sum() / 2
    assert (surface.spacing**2).sum() == pytest.approx(area, rel=1e-3)
    assert surface.spacing.max() <= 1.01 * SPACING
    low, high = corners.min((0, 1)), corners.max((0, 1))
    assert (surface.xyz >= low - 1e-5).all() and (surface.xyz <= high + 1e-5).all()
    np.testing.assert_allclose(surface.weights.sum(1), 1, atol=1e-3)
    assert set(np.unique(surface.group)) == set(range(len(GROUPS)))


def test_normals_point_outward(surface: BodySurface) -> None:
    np.testing.assert_allclose(np.linalg.norm(surface.normals, axis=1), 1, atol=1e-3)
    torso = surface.group == 0
    middle = surface.xyz[torso].mean(0)
    out = ((surface.xyz - middle) * (1, 0, 1) * surface.normals).sum(1)[torso]
    assert (out > 0).mean() > 0.9


@pytest.mark.parametrize("case", ["whole", "half"])
def test_fill_in_the_frame_is_behind_the_photo_and_inside_its_matte(
    request: pytest.FixtureRequest, case: str
) -> None:
    prefix = "half_" if case == "half" else ""
    subject = request.getfixturevalue(f"{prefix}subject")
    relief = request.getfixturevalue(f"{prefix}relief")
    fill, pixels, framed = filled(relief, subject)
    assert framed.sum() > 100 and not fill.seen.any()
    x, y = np.floor(pixels[framed, :2]).astype(int).T
    assert (subject.matte[y, x] > 127).all()
    shown = relief.shown[y, x]
    known = np.isfinite(shown)
    assert (pixels[framed, 2][known] > shown[known]).all()


def test_a_whole_person_is_not_continued_outside_the_frame(
    relief: Relief, subject: Subject
) -> None:
    _, _, framed = filled(relief, subject)
    assert framed.all()


def test_a_half_body_gets_legs_and_feet_in_the_colour_of_its_clothes(
    half_relief: Relief, half_subject: Subject, body: BodyModel
) -> None:
    fill, pixels, framed = filled(half_relief, half_subject)
    legs = fill.weights[:, [1, 2, 4, 5, 7, 8]].sum(1) > 0.5
    assert legs.sum() > 2000 and not framed[legs].all()
    assert (pixels[~framed, 1] >= half_subject.matte.shape[0]).any()
    lowest = posed_vertices(half_subject, body)[:, 1].min()
    assert fill.xyz[:, 1].min() == pytest.approx(lowest, abs=0.03)
    shins = fill.weights[:, [4, 5]].sum(1) > 0.6
    r, _, b = np.median(fill.rgb[shins], 0)
    assert b > 1.3 * r  # the trousers are blue


def test_a_leg_that_the_frame_cuts_goes_on_as_it_ends_there(
    relief: Relief, subject: Subject, surface: BodySurface
) -> None:
    points = photographed(relief)
    thighs = points.weights[:, [1, 2]].sum(1) > 0.5
    knees = round(float(np.quantile(points.pixel[thighs, 1], 0.97)))
    points = points.select((points.pixel[:, 1] < knees) & (points.weights[:, [4, 5]].sum(1) < 0.5))
    rgb = points.rgb.copy()
    rgb[points.weights[:, [1, 2]].sum(1) > 0.5] = (0.7, 0.1, 0.1)
    matte, shown = subject.matte[:knees], relief.shown[:knees]
    fill = missing_points(
        surface, replace(points, rgb=rgb), subject.body.camera, matte > 127, shown, 0.034,
        frame_cuts(matte), Hands(),
    )  # fmt: skip
    shins = fill.rgb[fill.weights[:, [4, 5]].sum(1) > 0.9]
    assert len(shins) > 100
    shade = shins / np.array((0.7, 0.1, 0.1))
    assert np.ptp(shade, axis=1).max() < 1e-3 and abs(np.median(shade) - 1) < 0.15


def test_fill_stays_off_what_is_already_there(
    surface: BodySurface, subject: Subject, relief: Relief
) -> None:
    points = photographed(relief)
    reach = 10.0  # metres: nothing is missing then
    none = missing_points(
        surface, points, subject.body.camera, subject.matte > 127, relief.shown, reach,
        (False,) * 4, Hands(),
    )  # fmt: skip
    arms = none.weights[:, [18, 19, 20, 21]].sum(1) > 0.4  # these have a smaller reach of their own
    assert arms.all()


def test_cloth_thickness_is_that_of_the_photo_within_limits(
    surface: BodySurface, relief: Relief
) -> None:
    thickness = cloth_thickness(surface, photographed(relief))
    assert thickness.shape == (len(GROUPS),)
    assert (thickness >= 0.002).all() and (thickness <= 0.03).all()
    assert thickness[0] < 0.02  # the shirt is painted on
    assert thickness[list(GROUPS).index("hands")] <= 0.004


def test_a_hand_is_seen_where_the_photo_shows_a_good_part_of_it(
    surface: BodySurface, relief: Relief
) -> None:
    points = photographed(relief)
    hand = np.flatnonzero(points.seen & (points.weights[:, 20] > 0.5))
    assert len(hand) > 10
    samples = (surface.weights[:, 20] > 0.5).sum()
    for share, seen in ((0.1, False), (0.3, True)):  # of both of its sides
        some = points.select(np.resize(hand, int(share * samples)))
        assert hand_is_seen(surface, some, 20) is seen
        assert not hand_is_seen(surface, some, 21)


def test_frame_cuts_name_the_sides_the_person_crosses(
    subject: Subject, half_subject: Subject
) -> None:
    assert frame_cuts(subject.matte) == (False, False, False, False)
    assert frame_cuts(half_subject.matte)[3] and not frame_cuts(half_subject.matte)[1]
    for side, edge in enumerate((np.s_[:, 0], np.s_[0], np.s_[:, -1], np.s_[-1])):
        matte = np.zeros((40, 40), np.uint8)
        matte[edge] = 255
        assert frame_cuts(matte)[side]


@pytest.fixture(scope="module")
def core(relief: Relief, subject: Subject, surface: BodySurface) -> Points:
    matte = subject.matte > 127
    return core_points(surface, relief.points, subject.body.camera, matte, relief.shown)


def test_the_inner_body_lies_behind_the_photo_and_inside_its_matte(
    core: Points, relief: Relief, subject: Subject
) -> None:
    assert len(core) > 500 and not core.seen.any()
    pixels = subject.body.camera.project(core.xyz)
    column, row = (np.floor(pixels[:, k]).astype(int) for k in (0, 1))
    assert (subject.matte[row, column] > 127).all()
    depth = relief.shown[row, column]
    assert (pixels[:, 2] > depth)[np.isfinite(depth)].all()


def test_the_inner_body_joins_elbows_and_knees(core: Points, relief: Relief) -> None:
    joints = relief.joints
    for joint in (Joint.LEFT_ELBOW, Joint.RIGHT_KNEE, Joint.LEFT_SHOULDER):
        near = np.linalg.norm(core.xyz - joints[joint], axis=1) < 0.09
        assert near.sum() > 10
    hands = core.weights[:, [Joint.LEFT_WRIST, Joint.RIGHT_WRIST, Joint.HEAD]].sum(1)
    assert (hands < 0.5).all()


def test_a_hand_that_no_layer_has_goes_back_in_one_piece_with_its_wrist() -> None:
    hand = np.array([0, 0.2, 0.9, 1, 1, 1], np.float32)
    behind = np.array([0, 0, 0.02, 0.04, 0.05, 0.0])
    missing = np.array([False, False, True, True, True, False])
    moved, keep = whole_hand(behind, missing, hand)
    assert (keep == [False, True, True, True, True, True]).all()
    assert (moved >= behind).all() and moved[0] == 0 < moved[1] < moved[2]
    assert moved[3] == moved[5] > 0.05  # the farthest, and a margin
    for kept in (moved > 1, missing):  # a layer has it; nothing hides it
        still = behind if kept.sum() == 0 else 0 * behind
        moved, keep = whole_hand(still, kept, hand)
        assert (moved == still).all() and (keep == kept).all()


def test_what_lies_under_cloth_has_its_pattern(
    surface: BodySurface, relief: Relief, subject: Subject
) -> None:
    points = photographed(relief)
    dark = points.pixel[:, 1] // 6 % 2 < 1
    rgb = np.where(dark[:, None], 0.1, 0.9) * np.ones(3)
    rgb[:, 2] = points.side == BACK  # front and back differ
    core = core_points(
        surface, replace(points, rgb=rgb.astype(np.float32)), subject.body.camera,
        subject.matte > 127, relief.shown,
    )  # fmt: skip
    torso = core.select(core.weights[:, [3, 6, 9]].sum(1) > 0.9)
    assert len(torso) > 300
    meant = np.where(torso.pixel[:, 1] // 6 % 2 < 1, 0.1, 0.9)
    assert (np.abs(torso.rgb[:, 0] - meant) < 0.05).mean() > 0.9
    ahead = torso.xyz @ subject.body.camera.rotation[2]
    back = ahead > np.quantile(ahead, 0.8)
    assert (
        torso.rgb[back, 2].mean() > 0.9
        and torso.rgb[ahead < np.quantile(ahead, 0.2), 2].mean() < 0.1
    )


def test_a_hidden_hand_is_shaded_as_a_round_thing(
    surface: BodySurface, relief: Relief, subject: Subject
) -> None:
    points = photographed(relief)
    points = points.select(points.weights[:, [20, 21]].sum(1) < 0.1)
    colour = np.array((0.7, 0.5, 0.4), np.float32)
    camera = subject.body.camera
    fill = missing_points(
        surface, points, camera, subject.matte > 127, relief.shown, 0.034, (False,) * 4,
        Hands(colour, (20, 21)),
    )  # fmt: skip
    hands = fill.rgb[fill.weights[:, [20, 21]].sum(1) > 0.9]
    assert len(hands) > 100
    shade = hands / colour
    assert np.ptp(shade, axis=1).max() < 1e-3  # of one hue
    assert shade.min() > 0.75 and shade.max() < 1.2 and shade.std() > 0.02
