""".ply and .splat files: round trips, layout, and clear words about wrong files."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.core.errors import OutputError
from svad.geometry.rotation import quaternion_to_matrix
from svad.splat.files import (
    PLY_PLACE,
    PLY_SHAPE,
    SH0,
    SplatFileError,
    as_captured,
    load_ply,
    save_ply,
    save_splat,
)
from svad.splat.gaussians import Gaussians, isotropic
from tests.splat.reference import NAMES
from tools.bench.scene import body_like_scene


@pytest.fixture
def gaussians() -> Gaussians:
    return body_like_scene(50, 64, seed=1)[0]


# A .ply's numbers are rounded: half a step of each, sizes and turns of at most 1.
CLOSE = {"means": 8e-6, "scales": 3e-3, "quats": 5e-4, "opacities": 5e-4, "colors": 6e-4}


def test_ply_round_trip(tmp_path, gaussians):
    save_ply(tmp_path / "a.ply", gaussians)
    loaded = load_ply(tmp_path / "a.ply")
    for name in NAMES:
        error = (getattr(loaded, name) - getattr(gaussians, name)).abs().max()
        assert error < CLOSE[name], name
    assert [p.name for p in tmp_path.iterdir()] == ["a.ply"]


def test_ply_has_the_layout_that_viewers_read(tmp_path, gaussians):
    save_ply(tmp_path / "a.ply", gaussians)
    header, body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n", 1)
    lines = header.decode().splitlines()
    assert lines[:3] == ["ply", "format binary_little_endian 1.0", "element vertex 50"]
    names = [line.split()[-1] for line in lines[3:]]
    assert " ".join(names) == (
        "x y z nx ny nz f_dc_0 f_dc_1 f_dc_2 opacity "
        "scale_0 scale_1 scale_2 rot_0 rot_1 rot_2 rot_3"
    )
    assert len(body) == 50 * 68
    table = np.frombuffer(body, "<f4").reshape(50, 17)
    np.testing.assert_allclose(table[:, :3], gaussians.means, atol=CLOSE["means"])
    colors, opacities = table[:, 6:9] * SH0 + 0.5, 1 / (1 + np.exp(-table[:, 9]))
    np.testing.assert_allclose(colors, gaussians.colors, atol=CLOSE["colors"])
    np.testing.assert_allclose(opacities, gaussians.opacities, atol=CLOSE["opacities"])
    np.testing.assert_allclose(np.exp(table[:, 10:13]), gaussians.scales, rtol=0.003)


def test_digits_that_nobody_sees_are_left_out(tmp_path, gaussians):
    """All numbers are multiples of their steps, so that an archive packs what is left of them."""
    save_ply(tmp_path / "a.ply", gaussians)
    table = np.frombuffer((tmp_path / "a.ply").read_bytes()[-50 * 68 :], "<f4").reshape(50, 17)
    steps = {0: 2**-16, 6: 2**-8, 9: 2**-8, 10: 2**-8, 13: 2**-11}
    for column, step in steps.items():
        np.testing.assert_array_equal(table[:, column] % step, 0)


def test_the_full_layout_is_that_of_the_original(tmp_path, gaussians):
    save_ply(tmp_path / "a.ply", gaussians, full=True)
    header, body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n", 1)
    names = [line.split()[-1] for line in header.decode().splitlines()[3:]]
    rest = [f"f_rest_{k}" for k in range(45)]
    assert names == [*PLY_PLACE, *rest, *PLY_SHAPE] and len(body) == 50 * 248
    assert (np.frombuffer(body, "<f4").reshape(50, 62)[:, 9:54] == 0).all()
    save_ply(tmp_path / "b.ply", gaussians)
    for name in NAMES:
        pair = [getattr(load_ply(tmp_path / f"{k}.ply"), name) for k in "ab"]
        assert torch.equal(*pair), name


def test_as_captured_turns_about_z_and_back(gaussians):
    turned = as_captured(gaussians)
    assert torch.equal(turned.means, gaussians.means * torch.tensor([-1.0, -1, 1]))
    half = quaternion_to_matrix(turned.quats) * turned.scales[:, None]
    before = quaternion_to_matrix(gaussians.quats) * gaussians.scales[:, None]
    turn = torch.diag(torch.tensor([-1.0, -1, 1]))
    assert torch.allclose(half @ half.mT, turn @ before @ before.mT @ turn, atol=1e-8)
    assert torch.equal(as_captured(turned).means, gaussians.means)


def test_extremes_stay_finite_and_bad_splats_are_left_out(tmp_path):
    means = torch.tensor([[0.0, 0, 0], [1, 0, 0], [float("nan"), 0, 0]])
    flat = isotropic(means, torch.tensor([0.0, 0.01, 0.01]), torch.rand(3, 3), opacity=1.0)
    save_ply(tmp_path / "a.ply", flat)
    loaded = load_ply(tmp_path / "a.ply")
    assert len(loaded) == 2
    assert all(getattr(loaded, n).isfinite().all() for n in NAMES)


def test_no_gaussians_round_trip(tmp_path):
    nothing = isotropic(torch.zeros(0, 3), torch.zeros(0), torch.zeros(0, 3))
    save_ply(tmp_path / "a.ply", nothing)
    save_splat(tmp_path / "a.splat", nothing)
    assert len(load_ply(tmp_path / "a.ply")) == 0
    assert (tmp_path / "a.splat").read_bytes() == b""


def test_splat_round_trip(tmp_path, gaussians):
    save_splat(tmp_path / "a.splat", gaussians)
    data = (tmp_path / "a.splat").read_bytes()
    assert len(data) == 50 * 32
    rows = np.frombuffer(data, np.uint8).reshape(50, 32)
    numbers = np.ascontiguousarray(rows[:, :24]).view("<f4")
    weight = (gaussians.scales.double().prod(1) * gaussians.opacities.double()).numpy()
    order = np.argsort(-weight, kind="stable")
    assert (np.diff(weight[order]) <= 0).all()
    sorted_ones = gaussians.select(torch.from_numpy(order))
    np.testing.assert_array_equal(numbers[:, :3], sorted_ones.means)
    np.testing.assert_array_equal(numbers[:, 3:], sorted_ones.scales)
    np.testing.assert_allclose(rows[:, 24:27] / 255, sorted_ones.colors, atol=0.51 / 255)
    np.testing.assert_allclose(rows[:, 27] / 255, sorted_ones.opacities, atol=0.51 / 255)
    turned = (rows[:, 28:].astype(float) - 128) / 128
    np.testing.assert_allclose(turned, sorted_ones.quats, atol=1.01 / 128)


def test_properties_in_another_order_are_read(tmp_path, gaussians):
    save_ply(tmp_path / "a.ply", gaussians)
    header, body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n", 1)
    table = np.frombuffer(body, "<f4").reshape(50, 17)
    lines = header.decode().splitlines()
    mixed = lines[:3] + ["comment other program", "property uchar tag"] + lines[:2:-1]
    rows = np.empty(50, [("tag", "u1"), ("rest", "<f4", 17)])
    rows["tag"], rows["rest"] = 7, table[:, ::-1]
    text = "\n".join([*mixed, "end_header", ""]).encode()
    (tmp_path / "b.ply").write_bytes(text + rows.tobytes())
    assert torch.equal(load_ply(tmp_path / "b.ply").means, load_ply(tmp_path / "a.ply").means)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a .ply"),
        (b"\x89PNG\r\n", "not a .ply"),
        (b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n1\n", "binary"),
        (b"ply\nformat binary_little_endian 1.0\nelement vertex 0\nproperty float x\nend_header\n",
         "without Gaussians"),
        (b"ply\nformat binary_little_endian 1.0\nelement vertex 9\nproperty float x\nend_header\n",
         "cut short"),
        (b"ply\nformat binary_little_endian 1.0\nelement face 9\nend_header\n", "vertices"),
        (b"ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty list uchar int x\n"
         b"end_header\n", "unknown form"),
        (b"ply\nformat binary_little_endian 1.0\nelement vertex\nend_header\n", "vertices"),
    ],
)  # fmt: skip
def test_wrong_files_are_named(tmp_path, data: bytes, words: str):
    (tmp_path / "wrong.ply").write_bytes(data)
    with pytest.raises(SplatFileError, match=words):
        load_ply(tmp_path / "wrong.ply")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(SplatFileError, match="nothing.ply cannot be read"):
        load_ply(tmp_path / "nothing.ply")


def test_other_channel_counts_are_refused(tmp_path, gaussians):
    many = Gaussians(gaussians.means, gaussians.scales, gaussians.quats, gaussians.opacities,
                     torch.ones(50, 4))  # fmt: skip
    for save in (save_ply, save_splat):
        with pytest.raises(ValueError, match="three colours"):
            save(tmp_path / "x", many)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path, gaussians):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_ply(tmp_path / "file" / "a.ply", gaussians)
