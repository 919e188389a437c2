"""Every rasteriser against plain PyTorch, finite differences, golden numbers and each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from svad.geometry.camera import Camera, orbit_camera, photo_camera
from svad.splat.covariance import covariances
from svad.splat.gaussians import Gaussians, isotropic
from svad.splat.render import render, spatial_order
from tests.splat.reference import (
    CPU,
    NAMES,
    WAYS,
    assert_same_picture,
    both,
    gradients,
    leaves,
    relative,
    with_channels,
)
from tools.bench.reference import render as plain_render
from tools.bench.scene import body_like_scene

# The same splat at another place of a vector register: processors that fuse multiplication and
# addition there, but not in what is left over, round its record differently by a few last bits.
PLACE = 2e-6


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("count", "size", "sigma", "channels"),
    [
        (2000, 64, (0.8, 1.6), 3),
        (600, 61, (0.5, 8.0), 3),  # a picture that ends inside a tile
        (300, 96, (5.0, 60.0), 3),  # splats larger than the picture
        (800, 50, (0.8, 3.0), 1),
        (800, 50, (0.8, 3.0), 5),
        (800, 50, (0.8, 3.0), 32),
        (300, 40, (0.8, 3.0), 37),  # more than one group of channels
    ],
)
def test_picture_and_gradients_equal_float64(way, count, size, sigma, channels):
    gaussians, camera = body_like_scene(count, size, seed=count, sigma=sigma)
    gaussians = gaussians if channels == 3 else with_channels(gaussians, channels)
    (image, alpha, grads), (expected, expected_alpha, expected_grads) = both(
        gaussians, camera, way=way
    )
    assert_same_picture(image, expected)
    assert_same_picture(alpha, expected_alpha)
    for name, grad, wanted in zip(NAMES, grads, expected_grads, strict=True):
        assert relative(grad, wanted) < 1e-4, name


@pytest.mark.parametrize("way", WAYS)
def test_gradients_equal_finite_differences(way):
    """On splats that cover the whole picture: elsewhere it jumps a little at the 1/255 cut."""
    random = torch.Generator().manual_seed(2)
    camera = photo_camera(24, 24)
    means = torch.randn(6, 3, generator=random) * 0.1 + torch.tensor([0.0, 0.0, -4.0])
    scales = torch.rand(6, 3, generator=random) * 0.6 + 0.9  # 11 to 18 px
    quats = torch.randn(6, 4, generator=random)
    opacities = torch.linspace(0.3, 0.7, 6)
    gaussians = Gaussians(means, scales, quats, opacities, torch.rand(6, 3, generator=random))
    weight = torch.rand(24, 24, 3, generator=random).double() - 0.5

    def value(parts: list[torch.Tensor]) -> torch.Tensor:
        drawn = way.render(Gaussians(*parts), camera)
        image, alpha = drawn.image[0], drawn.alpha[0]
        return (image.double() * weight).sum() + (alpha.double() * weight[..., 0]).sum()

    start = leaves(gaussians)
    value([getattr(start, n) for n in NAMES]).backward()
    for k, name in enumerate(NAMES):
        parts = [getattr(gaussians, n) for n in NAMES]
        direction = torch.randn(parts[k].shape, generator=random)
        step = 5e-3
        ends = [
            parts[:k] + [parts[k] + sign * step * direction] + parts[k + 1 :] for sign in (1, -1)
        ]
        slope = (value(ends[0]) - value(ends[1])) / (2 * step)
        expected = (getattr(start, name).grad * direction).sum()
        assert slope.item() == pytest.approx(expected.item(), rel=2e-3, abs=2e-3), name


@pytest.mark.parametrize("way", WAYS)
def test_golden_picture(way, golden_root):
    data = np.load(golden_root / "avatar" / "gaussian_render.npz")
    fx, fy, cx, cy, width, height = data["intr"]
    eye, zero = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    camera = Camera(eye, zero, (fx, fy), (cx, cy), int(width), int(height))
    means, scale, rgb, opacity, background, expected, expected_alpha = (
        torch.from_numpy(data[k])
        for k in ("xyz_cam", "scale", "rgb", "opacity", "bg", "image", "alpha")
    )
    round_ones = isotropic(means, scale, rgb)
    gaussians = Gaussians(means, round_ones.scales, round_ones.quats, opacity, rgb)
    drawn = way.render(gaussians, camera)
    image = drawn.image[0] + (1 - drawn.alpha[0])[..., None] * background
    error = (image - expected).abs()
    # the golden picture has no early stop and caps alpha at 0.99
    assert error.max() < 1e-2 and error.mean() < 1e-4
    assert (drawn.alpha[0] - expected_alpha).abs().mean() < 1e-4
    # under the same rules the plain reference agrees to rounding
    same = [getattr(gaussians, n).double() for n in NAMES]
    plain, plain_alpha = plain_render(Gaussians(*same), camera, alpha_max=0.99, stop=0.0)
    plain = plain + (1 - plain_alpha)[..., None] * background
    assert (plain - expected).abs().max() < 1e-5
    assert (plain_alpha - expected_alpha).abs().max() < 1e-5


@pytest.mark.parametrize("way", WAYS)
def test_one_splat_has_the_closed_form(way):
    camera = Camera(np.eye(3), np.zeros(3), (50.0, 50.0), (16.0, 16.0), 32, 32)
    gaussians = isotropic(
        torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([0.1]), torch.tensor([[0.2, 0.4, 0.8]]), 0.6
    )
    drawn = way.render(gaussians, camera)
    axis = torch.arange(32) + 0.5 - 16
    distance = axis[:, None] ** 2 + axis[None, :] ** 2
    variance = (50 * 0.1 / 2) ** 2 + 0.3
    alpha = 0.6 * torch.exp(-distance / (2 * variance))
    alpha = torch.where(alpha >= 1 / 255, alpha, torch.zeros(()))
    assert (drawn.alpha[0] - alpha).abs().max() < 1e-5
    assert (drawn.image[0] - alpha[..., None] * gaussians.colors[0]).abs().max() < 1e-5


@pytest.mark.parametrize("way", WAYS)
def test_a_wall_stops_before_nothing_is_left(way):
    """Opaque splats cap at 0.999 and the one that would take T to 1e-4 is not drawn."""
    camera = Camera(np.eye(3), np.zeros(3), (20.0, 20.0), (8.0, 8.0), 16, 16)
    means = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0], [0.0, 0.0, 3.0]])
    colors = torch.eye(3)
    drawn = way.render(isotropic(means, torch.full((3,), 100.0), colors), camera)
    assert drawn.alpha[0, 8, 8].item() == pytest.approx(0.999, abs=1e-6)
    assert drawn.image[0, 8, 8].tolist() == pytest.approx([0.999, 0, 0], abs=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_background_shows_with_the_light_left(way):
    gaussians, camera = body_like_scene(500, 48, seed=2, sigma=(1, 3))
    many = with_channels(gaussians, 1)
    ones = way.render(many, camera, torch.ones(500, 1))
    assert (ones.image[..., 0] - ones.alpha).abs().max() < 1e-5
    assert ones.alpha.min() == 0 and ones.alpha.max() <= 1


@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_seen_changes_nothing(way):
    gaussians, camera = body_like_scene(300, 48, seed=4, sigma=(1, 3))
    expected = way.render(gaussians, camera)
    nan, inf = float("nan"), float("inf")
    one = torch.ones(1)
    means = [[0, 0, 3], [0, 0, -0.005], [400, 0, -4], [0, -9e9, -4], [nan, 0, -4], [0, 0, -inf]]
    extra = [
        isotropic(torch.tensor([m], dtype=torch.float32), one * 0.01, torch.ones(1, 3))
        for m in means
    ]
    at = torch.tensor([[0.0, 0.0, -3.0]])
    extra += [
        isotropic(at, one * nan, torch.ones(1, 3)),
        isotropic(at, one * inf, torch.ones(1, 3)),
        isotropic(at, one * 1e30, torch.ones(1, 3)),
        isotropic(at, one, torch.full((1, 3), nan)),
        isotropic(at, one, torch.ones(1, 3), opacity=nan),
        isotropic(at, one, torch.ones(1, 3), opacity=0.003),
        Gaussians(at, torch.ones(1, 3), torch.zeros(1, 4), one, torch.ones(1, 3)),
    ]
    mixed = leaves(
        Gaussians(*(torch.cat([getattr(g, n) for g in (*extra, gaussians)]) for n in NAMES))
    )
    drawn = way.render(mixed, camera)
    assert (drawn.image - expected.image).abs().max() < PLACE
    assert (drawn.alpha - expected.alpha).abs().max() < PLACE
    (drawn.image.sum() + drawn.alpha.sum()).backward()
    for name in NAMES:
        grad = getattr(mixed, name).grad
        assert grad.isfinite().all() and not grad[: len(extra)].any(), name


@pytest.mark.parametrize("way", WAYS)
def test_splats_off_the_edge_and_beside_the_lens_equal_float64(way):
    """Half outside, far outside the 15 % margin of the Jacobian, and close to the near plane."""
    camera = Camera(np.eye(3), np.zeros(3), (40.0, 40.0), (20.0, 14.0), 40, 30)
    means = torch.tensor(
        [[-1.0, 0, 2], [1.1, 0.7, 2], [2.5, 0, 2], [0.1, 0.1, 0.3], [0, -1.6, 1.5]]
    )
    sizes = torch.tensor([1, 1, 5, 0.2, 4])[:, None]
    gaussians = Gaussians(
        means, torch.tensor([[0.2, 0.05, 0.1]]) * sizes,
        torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), torch.full((5,), 0.8),
        torch.rand(5, 3, generator=torch.Generator().manual_seed(1)),
    )  # fmt: skip
    (image, alpha, grads), (expected, expected_alpha, expected_grads) = both(
        gaussians, camera, way=way
    )
    assert expected_alpha.max() > 0.5
    assert_same_picture(image, expected)
    assert_same_picture(alpha, expected_alpha)
    for name, grad, wanted in zip(NAMES, grads, expected_grads, strict=True):
        assert relative(grad, wanted) < 1e-4, name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("channels", [3, 8])
def test_no_splats_give_an_empty_picture(way, channels: int):
    nothing = isotropic(torch.zeros(0, 3), torch.zeros(0), torch.zeros(0, channels))
    drawn = way.render(leaves(nothing), photo_camera(20, 10))
    assert drawn.image.shape == (1, 10, 20, channels) and not drawn.image.any()
    assert drawn.alpha.shape == (1, 10, 20) and not drawn.alpha.any()
    drawn.image.sum().backward()


@pytest.mark.parametrize("way", WAYS)
def test_many_cameras_equal_one_at_a_time(way):
    gaussians, _ = body_like_scene(400, 48, seed=6, sigma=(1, 3))
    cameras = [orbit_camera(np.array([0, 0, -4.0]), 4, yaw, 0.1, 96, 48, 40) for yaw in (0, 1, 4)]
    together = way.render(gaussians, cameras)
    assert together.image.shape == (3, 40, 48, 3) and together.alpha.shape == (3, 40, 48)
    for t, camera in enumerate(cameras):
        alone = way.render(gaussians, camera)
        assert (together.image[t] - alone.image[0]).abs().max() < PLACE
        assert_same_picture(alone.image[0], plain_render(gaussians, camera)[0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("channels", [3, 35])
def test_a_camera_for_each_of_many_poses_equals_one_at_a_time(way, channels):
    """Means, rotations and opacities of their own, scales and colours shared; with gradients."""
    shared, _ = body_like_scene(300, 48, seed=6, sigma=(1, 3))
    shared = with_channels(shared, channels)
    cameras = [orbit_camera(np.array([0, 0, -4.0]), 4, yaw, 0.1, 96, 48, 40) for yaw in (0, 1, 4)]
    random = torch.Generator().manual_seed(3)
    moves = torch.randn(3, 300, 3, generator=random) * 0.05
    posed = Gaussians(
        shared.means + moves, shared.scales, torch.randn(3, 300, 4, generator=random),
        shared.opacities * torch.tensor([[1.0], [0.8], [0.6]]), shared.colors,
    )  # fmt: skip
    weight = torch.rand(3, 40, 48, channels, generator=random)
    together, apart = leaves(posed), leaves(posed)
    drawn = way.render(together, cameras)
    ((drawn.image * weight).sum() + drawn.alpha.square().sum()).backward()
    for t, camera in enumerate(cameras):
        parts = (getattr(apart, n) for n in NAMES)
        full = (2, 2, 2, 1, 2)  # dimensions of one pose
        one = Gaussians(*(p[t] if p.dim() > d else p for p, d in zip(parts, full, strict=True)))
        alone = way.render(one, camera)
        assert (drawn.image[t] - alone.image[0]).abs().max() < PLACE
        assert (drawn.alpha[t] - alone.alpha[0]).abs().max() < PLACE
        ((alone.image[0] * weight[t]).sum() + alone.alpha.square().sum()).backward()
    for name, grad, wanted in zip(NAMES, gradients(together), gradients(apart), strict=True):
        assert relative(grad, wanted) < 1e-5, name


@pytest.mark.parametrize("way", WAYS)
def test_every_way_draws_what_the_cpu_draws(way):
    gaussians, camera = body_like_scene(20_000, 200, seed=11)
    drawn, expected = way.render(gaussians, camera), CPU.render(gaussians, camera)
    assert_same_picture(drawn.image, expected.image)
    assert_same_picture(drawn.alpha, expected.alpha)


@pytest.mark.parametrize("way", WAYS)
def test_equal_depths_are_drawn_in_their_order(way):
    camera = Camera(np.eye(3), np.zeros(3), (50.0, 50.0), (16.0, 16.0), 32, 32)
    means = torch.tensor([[0.0, 0.0, 2.0]]).repeat(40, 1)
    gaussians = isotropic(means, torch.full((40,), 0.5), torch.rand(40, 3), 0.2)
    drawn = way.render(gaussians, camera).image[0, 16, 16]
    alpha = 0.2 * torch.exp(torch.tensor(-0.25 / ((50 * 0.5 / 2) ** 2 + 0.3)))
    weights = alpha * (1 - alpha) ** torch.arange(40)
    weights[(1 - alpha) ** torch.arange(1, 41) <= 1e-4] = 0
    assert (drawn - weights @ gaussians.colors).abs().max() < 1e-5


@pytest.mark.parametrize("way", WAYS)
def test_nearer_splats_than_asked_are_left_out(way):
    camera = Camera(np.eye(3), np.zeros(3), (20.0, 20.0), (8.0, 8.0), 16, 16)
    means = torch.tensor([[0.0, 0.0, 0.5], [0.0, 0.0, 2.0]])
    two = isotropic(means, torch.tensor([0.1, 0.1]), torch.eye(3)[:2], 0.8)
    assert way.render(two, camera).image[..., 0].max() > 0.5
    drawn = way.render(two, camera, near=0.6).image
    assert drawn[..., 0].max() == 0 and drawn[..., 1].max() > 0.5


@pytest.mark.parametrize("way", WAYS)
def test_covariances_draw_what_scales_and_rotations_draw(way):
    gaussians, camera = body_like_scene(300, 48, sigma=(1.0, 4.0))
    matrices = covariances(gaussians.scales, gaussians.quats).to(way.device)
    drawn = way.render(gaussians, [camera, camera], covariances=matrices.expand(2, -1, -1, -1))
    expected = way.render(gaussians, camera)
    # a root is taken of matrices rounded to float32
    assert (drawn.image - expected.image).abs().max() < 1e-3


@pytest.mark.parametrize("way", WAYS)
def test_renders_of_one_graph_do_not_disturb_each_other(way):
    gaussians, camera = body_like_scene(400, 48, seed=8, sigma=(1, 3))
    other_camera = orbit_camera(np.array([0, 0, -4.0]), 4, 2.0, 0, 96, 48, 48)
    parts = leaves(gaussians)
    first = way.render(parts, camera).image
    kept = first.detach().clone()
    second = way.render(parts, other_camera).image
    assert torch.equal(first, kept)
    (first.sum() + second.square().sum()).backward()
    expected = leaves(gaussians)
    way.render(expected, camera).image.sum().backward()
    way.render(expected, other_camera).image.square().sum().backward()
    for name in NAMES:
        assert relative(getattr(parts, name).grad, getattr(expected, name).grad) < 1e-5, name


def test_spatial_order_is_a_permutation_that_keeps_the_picture():
    gaussians, camera = body_like_scene(3000, 64, seed=9)
    order = spatial_order(gaussians.means)
    assert torch.equal(order.sort().values, torch.arange(3000))
    sorted_ones = gaussians.select(order)
    steps = sorted_ones.means.diff(dim=0).norm(dim=1).mean()
    assert steps < 0.25 * gaussians.means.diff(dim=0).norm(dim=1).mean()
    assert_same_picture(render(sorted_ones, camera).image, render(gaussians, camera).image)
    assert spatial_order(torch.zeros(0, 3)).shape == (0,)


def test_unsuitable_arguments_are_refused():
    gaussians, camera = body_like_scene(10, 32)
    with pytest.raises(ValueError, match="channels must be"):
        render(gaussians, camera, torch.ones(9, 3))
    with pytest.raises(ValueError, match="one size"):
        render(gaussians, [camera, photo_camera(16, 16)])
    with pytest.raises(ValueError, match="at least one camera"):
        render(gaussians, [])
    with pytest.raises(ValueError, match="means must be .* 1 cameras"):
        render(Gaussians(**vars(gaussians) | {"means": torch.ones(3, 10, 3)}), camera)
    with pytest.raises(ValueError, match="backend"):
        render(gaussians, camera, backend="vulkan")
