"""The head all around: hair behind, faces from the face mesh, lids and mouth that move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from svad.body.skeleton import Joint
from svad.face.landmarks import CHEEKS, LOWER_LIP_EDGE, UPPER_LIP_EDGE
from svad.geometry.camera import photo_camera
from svad.relief.densify import densifying_points
from svad.relief.expression import LIDS, ExpressionField, blinking, eye_holes
from svad.relief.hair import flat_fill, patchwork
from svad.relief.hair_behind import hair_behind
from svad.relief.hair_tones import HairTones, hair_tones
from svad.relief.head import face_depth, face_hull, face_triangles, skin_colour
from svad.relief.head_completion import coloured_points, coloured_sheet
from svad.relief.head_frame import head_frame
from svad.relief.head_texture import make_head_texture, opened
from svad.relief.mouth import DEPTH, mouth_points
from svad.relief.points import BACK, Sheet, sheet_points

SKIN = np.array([0.85, 0.65, 0.55], np.float32)
HAIR = np.array([0.15, 0.10, 0.08], np.float32)
SHIRT = np.array([0.90, 0.92, 0.95], np.float32)
HEIGHT, WIDTH, FAR = 240, 180, 1.6  # px, px, metres from the camera


@pytest.fixture(scope="module")
def camera():
    return photo_camera(WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def face(body) -> np.ndarray:  # [478, 3] px
    """The body's own face as a face mesh, 0.13 m wide, seen from the front."""
    corners = body.template.numpy()[body.faces[body.mesh_faces].numpy()]
    xyz = (corners * body.mesh_weights.numpy()[..., None]).sum(1)
    px = 2 * HEIGHT / FAR
    xyz = (xyz - xyz[:468].mean(0)) * px
    return np.stack([xyz[:, 0] + WIDTH / 2, 95 - xyz[:, 1], -xyz[:, 2]], 1).astype(np.float32)


@pytest.fixture(scope="module")
def body():
    from svad.body.free import load_free_body

    return load_free_body()


def head_sheet(face: np.ndarray, *, long: bool) -> Sheet:
    """A round head with a face, hair around it (down to the shoulders if long), neck and shirt."""
    y, x = np.indices((HEIGHT, WIDTH), dtype=np.float32) + 0.5
    cx, cy = face[:468, 0].mean(), face[:468, 1].mean() - 6
    wide, tall = 0.72 * np.ptp(face[:468, 0]), 0.78 * np.ptp(face[:468, 1])
    r2 = ((x - cx) / wide) ** 2 + ((y - cy) / tall) ** 2
    chin = face[152, 1]
    neck = (np.abs(x - cx) < 0.45 * wide) & (y > cy) & (y < chin + 26)
    shirt = (y >= chin + 22) & (np.abs(x - cx) < 1.8 * wide)
    curtain = (np.abs(x - cx) < wide) & (np.abs(x - cx) > 0.55 * wide) & (y > cy) & (y < chin + 18)
    head = r2 < 1
    mask = head | neck | shirt | (curtain & long)
    rgb = np.broadcast_to(SKIN, (HEIGHT, WIDTH, 3)).copy()
    rgb[head & ~face_hull(face, (HEIGHT, WIDTH))] = HAIR
    rgb[neck & (y > chin)] = SKIN
    rgb[curtain & long] = HAIR
    rgb[shirt] = SHIRT
    rgb += 0.01 * np.random.default_rng(0).standard_normal(rgb.shape).astype(np.float32)
    bulge = np.sqrt(np.clip(1 - r2, 0.02, 1)) * 0.09
    weights = np.zeros((HEIGHT, WIDTH, 22), np.float32)
    weights[..., Joint.HEAD] = ~shirt
    weights[..., 9] = shirt
    return Sheet(
        0, (0.0, 0.0), 1, mask, mask.astype(np.float32), (FAR - bulge).astype(np.float32),
        (FAR + 0.08 + bulge).astype(np.float32), rgb.clip(0, 1), rgb.clip(0, 1), weights, weights,
        mask,
    )  # fmt: skip


@pytest.fixture(scope="module")
def subject(face, camera, body):
    """As much of a subject as the head needs."""
    from types import SimpleNamespace

    fit = SimpleNamespace(camera=camera, vertices=body.template.numpy())
    return SimpleNamespace(face=face, body=fit)


def texture_of(subject, body, sheet: Sheet):
    vertices = body.template.numpy() - body.joint_template.numpy()[Joint.HEAD] + (0, 0, -FAR)
    joints = body.joint_template.numpy() - body.joint_template.numpy()[Joint.HEAD] + (0, 0.05, -FAR)
    return make_head_texture([sheet], subject, body, vertices.astype(np.float32), joints, 0)


def skin_like(rgb: np.ndarray) -> np.ndarray:
    return np.linalg.norm(rgb - SKIN, axis=-1) < np.linalg.norm(rgb - HAIR, axis=-1)


@pytest.mark.parametrize("long", [False, True])
def test_no_face_behind_the_face(subject, body, camera, face, long):
    sheet = head_sheet(face, long=long)
    texture = texture_of(subject, body, sheet)
    hull = face_hull(face, sheet.mask.shape)
    rows = np.indices(hull.shape)[0]
    upper = hull & (rows < face[1, 1])  # down to the nose: below it a short-haired nape begins
    back = coloured_sheet(sheet, texture, camera).far_rgb
    assert skin_like(sheet.far_rgb[upper]).mean() > 0.9  # as it came
    assert skin_like(back[upper]).mean() < 0.02
    points = sheet_points(sheet, camera)
    done = coloured_points(points, texture, 0)
    x, y = np.floor(done.pixel).astype(int).T
    behind = (done.side == BACK) & upper[y, x]
    assert skin_like(done.rgb[behind]).mean() < 0.02
    assert np.abs(done.rgb[points.layer != 0] - points.rgb[points.layer != 0]).sum() == 0


def test_long_hair_covers_the_nape_and_short_hair_does_not(subject, body, camera, face):
    y, x = np.indices((HEIGHT, WIDTH))
    chin = face[152, 1]
    nape = (y > chin + 4) & (y < chin + 12) & (np.abs(x - WIDTH / 2) < 8)
    skin = []
    for long in (False, True):
        sheet = head_sheet(face, long=long)
        back = coloured_sheet(sheet, texture_of(subject, body, sheet), camera).far_rgb
        skin.append(skin_like(back[nape]).mean())
    assert skin[0] > 0.9 and skin[1] < 0.1


def test_short_hair_hangs_nowhere(subject, body, camera, face):
    sheet = head_sheet(face, long=False)
    frame = texture_of(subject, body, sheet).frame
    tones = HairTones(np.array([[72, 15, 18]], np.float32), np.array([[10, 4, 4]], np.float32))
    behind, long = hair_behind(sheet, tones, camera, frame, face)
    assert not long and behind.max() == 0


def test_hair_of_one_colour_has_tones_though_nothing_of_it_is_darker(subject, body, face):
    sheet = head_sheet(face, long=False)
    frame = texture_of(subject, body, sheet).frame
    height = frame.brow * (face[10, 1] + 40 - np.indices(sheet.mask.shape)[0]) / 40
    rgb = np.broadcast_to(HAIR, sheet.near_rgb.shape).astype(np.float32)
    skin = np.array([[72, 15, 18]], np.float32)
    tones = hair_tones(rgb, sheet.mask, height, frame, skin)
    assert len(tones.hair) > 2 and np.ptp(tones.hair, 0).max() < 1e-3


@pytest.mark.parametrize("sides", [(-1,), (-1, 1)])
def test_hair_that_stands_off_the_jaw_on_both_sides_goes_on_behind_it(
    subject, body, camera, face, sides
):
    sheet = head_sheet(face, long=False)
    x, y = np.indices((WIDTH, HEIGHT)).transpose(0, 2, 1)
    wide, middle = np.ptp(face[:468, 0]), face[:468, 0].mean()
    tuft = np.zeros(sheet.mask.shape, bool)
    for side in sides:
        beside = side * (x - middle) / wide
        tuft |= (beside > 0.5) & (beside < 0.95) & (y > face[1, 1] - 25) & (y < face[152, 1])
    rgb = np.where(tuft[..., None], HAIR, sheet.near_rgb)
    mask = sheet.mask | tuft
    sheet = replace(sheet, mask=mask, own=mask, alpha=mask.astype(np.float32), near_rgb=rgb)
    frame = texture_of(subject, body, sheet).frame
    tones = HairTones(np.array([[72, 15, 18]], np.float32), np.array([[10, 4, 4]], np.float32))
    behind, long = hair_behind(sheet, tones, camera, frame, face)
    jaw = behind[int(face[152, 1]) - 6, int(middle)]
    assert not long and (jaw > 0.9) == (len(sides) == 2)


def test_the_photo_keeps_its_colours_where_it_sees_well(subject, body, camera, face):
    sheet = head_sheet(face, long=False)
    points = sheet_points(sheet, camera)
    done = coloured_points(points, texture_of(subject, body, sheet), 0)
    middle = points.seen & (np.hypot(*(points.pixel - face[:468, :2].mean(0)).T) < 12)
    assert middle.sum() > 200
    assert np.abs(done.rgb[middle] - points.rgb[middle]).max() < 0.02


def test_the_frame_follows_the_face(camera, face):
    frame = head_frame(face, camera, FAR, 0.2, np.array([[0, -0.4, -FAR], [0, -0.2, -FAR]]))
    assert np.allclose(frame.axes @ frame.axes.T, np.eye(3), atol=1e-5)
    assert frame.axes[0, 0] > 0.98 and frame.axes[2, 2] > 0.95
    assert frame.brow > 0 > frame.nose > frame.mouth > frame.chin
    middle = np.array([WIDTH / 2, 0, 0], np.float32)
    tilt = np.deg2rad(25)
    turn = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    tilted = (face - middle) @ turn.T + middle
    other = head_frame(tilted, camera, FAR, 0.2, np.zeros((0, 3)))
    angle = np.arccos(np.clip(other.axes[1] @ frame.axes[1], -1, 1))
    assert np.rad2deg(angle) == pytest.approx(25, abs=1.0)


def test_face_depth_follows_the_face_mesh(face):
    mask = np.ones((HEIGHT, WIDTH), bool)
    px = 2 * HEIGHT / FAR
    near = face_depth(face, np.full(mask.shape, FAR, np.float32), mask, px)
    at = lambda i: near[int(face[i, 1]), int(face[i, 0])]  # noqa: E731
    mesh = (face[4, 2] - face[[50, 280], 2].mean()) / px
    assert mesh < -0.01  # the nose is nearer than the cheeks
    assert at(4) - (at(50) + at(280)) / 2 == pytest.approx(mesh, abs=0.006)
    outside = ~face_hull(face, mask.shape)
    outside[:, :2] = False
    assert np.abs(near - FAR)[outside].max() < 0.004


def test_expressions_reach_no_farther_than_the_face(face):
    field = ExpressionField(face, np.ones((468, 2, 3), np.float32))
    far = face[:468, :2].mean(0) + np.array([[80.0, 0], [0, 110], [-85, 20]])
    assert len(field(far)[0]) == 0
    index, dirs = field(face[[4, 152, 61], :2])
    assert list(np.sort(index)) == [0, 1, 2] and np.abs(dirs).max() == pytest.approx(1, abs=0.01)


def test_a_blink_closes_the_lids_in_front_of_a_still_eyeball(face):
    names = ("eyeBlinkRight", "eyeBlinkLeft")
    m_per_px = FAR / (2 * HEIGHT)
    turn = np.diag([1.0, -1.0, -1.0])
    dirs = blinking(np.zeros((468, 2, 3), np.float32), names, face, turn, m_per_px)
    for e, (upper, lower, _) in enumerate(LIDS.values()):
        moved = dirs[list(upper), e]
        gap = (face[list(lower), 1] - face[list(upper), 1]) * m_per_px
        assert np.allclose(-moved[:, 1], 1.04 * gap, atol=1e-5)
        assert (moved[:, 2] > 0.001).all()
        assert np.abs(dirs[list(lower), e]).max() == 0
        middle = (face[list(upper)[3], :2] + face[list(lower)[3], :2]) / 2
        assert eye_holes(face, middle[None])[0] == e + 1
        _, values = ExpressionField(face, dirs, names)(middle[None])
        assert np.abs(values[..., :2]).sum() == 0 and values[0, e, 2] < 0


def test_the_mouth_hides_behind_closed_lips_and_follows_the_jaw(camera, face):
    closed = face.copy()
    closed[list(LOWER_LIP_EDGE), :2] = closed[list(UPPER_LIP_EDGE), :2]
    near = np.full(468, FAR, np.float32)
    points, rig = mouth_points(closed, near, np.tile(SKIN, (468, 1)), camera, 22, Joint.HEAD)
    assert len(rig) == len(points)
    assert (camera.project(points.xyz)[:, 2] > FAR + 0.4 * DEPTH).all()
    assert (points.weights[:, Joint.HEAD] == 1).all() and not points.seen.any()
    assert np.allclose(rig.weights.sum(1).max(), 1, atol=1e-5)
    jaw = np.zeros((468, 1, 3), np.float32)
    jaw[list(LOWER_LIP_EDGE), 0, 1] = -0.03
    jaw[[78, 308]] = 0
    moved = rig.directions(jaw)[:, 0, 1]
    assert moved.min() == pytest.approx(-0.03, abs=1e-3)
    top = points.xyz[:, 1] > np.quantile(points.xyz[:, 1], 0.9)
    assert np.abs(moved[top]).max() < 1e-4


def test_steep_sides_get_points_between(camera, face):
    sheet = head_sheet(face, long=False)
    parts = densifying_points(sheet, camera)
    assert sum(len(p) for p in parts) > 500
    flat = replace(
        sheet, near=np.full_like(sheet.near, FAR), far=np.full_like(sheet.far, FAR + 0.1)
    )
    assert densifying_points(flat, camera) == []


def test_fills_and_patches_keep_what_is_known():
    rng = np.random.default_rng(1)
    values = rng.random((40, 60, 3)).astype(np.float32)
    weight = np.zeros((40, 60), np.float32)
    weight[:, 20:40] = 1
    filled = flat_fill(values, weight)
    assert np.allclose(filled[:, 20:40], values[:, 20:40], atol=1e-5)
    assert np.isfinite(filled).all()
    detail = 0.1 * rng.standard_normal((80, 80, 3)).astype(np.float32)
    v = np.indices((80, 80))[0].astype(np.float32)
    made = patchwork((50, 60), detail, np.ones((80, 80), bool), v, np.linspace(0, 79, 50), 0)
    assert made.std() == pytest.approx(0.1, rel=0.35) and abs(made.mean()) < 0.02
    assert (
        np.abs(patchwork((9, 9), detail, np.zeros((80, 80), bool), v, np.arange(9.0), 0)).max() == 0
    )


def test_short_hair_makes_no_shingles():
    v = np.indices((60, 200))[0].astype(np.float32)
    edge = np.repeat(((v - 30) / 120)[..., None], 3, -1)  # from its dark to its light edge
    made = patchwork((90, 80), edge, np.ones((60, 200), bool), v, np.linspace(0, 59, 90), 0)
    assert np.abs(made).max() < 1e-4
    hairs = 0.05 * np.random.default_rng(3).standard_normal(edge.shape).astype(np.float32)
    made = patchwork((90, 80), edge + hairs, np.ones((60, 200), bool), v, np.linspace(0, 59, 90), 0)
    assert made.std() > 0.03 and made.mean(1).std() < 0.25 * made.std()


def test_the_shaded_half_of_a_face_is_skin(subject, body, camera, face):
    sheet = head_sheet(face, long=False)
    shade = np.float32([0.42, 0.30, 0.22])  # nearer to brown hair than to the lit cheek
    brown = np.float32([0.30, 0.22, 0.16])
    rgb = sheet.near_rgb.copy()
    dark = skin_like(rgb) & (np.arange(WIDTH) < face[:468, 0].mean())
    rgb[np.linalg.norm(rgb - HAIR, axis=-1) < 0.1] += brown - HAIR
    lit = texture_of(subject, body, replace(sheet, near_rgb=rgb)).map
    rgb[dark] += shade - SKIN
    shaded = texture_of(subject, body, replace(sheet, near_rgb=rgb)).map
    before = slice(lit.columns // 4, -lit.columns // 4)
    assert np.abs(shaded.hairy - lit.hairy)[:, before].mean() < 0.03
    assert lit.hairy[:, before].mean() > 0.2


def test_only_wide_parts_of_a_mask_stay():
    mask = np.zeros((40, 60), bool)
    mask[5:35, 5:25] = mask[5:35, 40:43] = True
    kept = opened(mask, 3)
    assert kept[10:30, 8:22].all() and not kept[:, 38:].any()


def test_face_triangles_are_a_surface():
    faces = face_triangles()
    assert faces.shape[1] == 3 and faces.max() < 468 and len(np.unique(faces)) == 468


def test_skin_has_no_colour_of_glasses(face: np.ndarray) -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), SKIN, np.float32)
    bare = skin_colour(rgb, face)
    for point in CHEEKS[:5]:  # most of them lie under dark glasses
        x, y = np.round(face[point, :2]).astype(int)
        rgb[y, x] = HAIR
    np.testing.assert_allclose(skin_colour(rgb, face), bare, atol=0.5)
