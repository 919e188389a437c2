"""The rasteriser against plain PyTorch, finite differences, gsplat's rules and golden numbers."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from svad.geometry.camera import Camera, orbit_camera, photo_camera
from svad.splat import kernels
from svad.splat.covariance import covariances
from svad.splat.gaussians import Gaussians, isotropic
from svad.splat.render import render, spatial_order
from svad.splat.render_cpu import rasterize, warm_up
from tests.splat.reference import NAMES, both, leaves, relative
from tools.bench.reference import project
from tools.bench.reference import render as plain_render
from tools.bench.scene import body_like_scene

# Alphas that lie within rounding of 1/255 may fall on either side: a few pixels, by up to 1/255.
EDGE = 1 / 255
ROUNDING = 2e-5
# The same splat at another place of a vector register: processors that fuse multiplication and
# addition there, but not in what is left over, round its record differently by a few last bits.
PLACE = 2e-6


def with_channels(g: Gaussians, channels: int) -> Gaussians:
    values = torch.rand(len(g), channels, generator=torch.Generator().manual_seed(5))
    return Gaussians(g.means, g.scales, g.quats, g.opacities, values)


def assert_same_picture(image: torch.Tensor, expected: torch.Tensor) -> None:
    error = (image.double() - expected).abs()
    assert error.max() < EDGE * 1.01
    assert (error > ROUNDING).float().mean() < 1e-3


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
def test_picture_and_gradients_equal_float64(count, size, sigma, channels):
    gaussians, camera = body_like_scene(count, size, seed=count, sigma=sigma)
    gaussians = gaussians if channels == 3 else with_channels(gaussians, channels)
    (image, alpha, grads), (expected, expected_alpha, expected_grads) = both(gaussians, camera)
    assert_same_picture(image, expected)
    assert_same_picture(alpha, expected_alpha)
    for name, grad, wanted in zip(NAMES, grads, expected_grads, strict=True):
        assert relative(grad, wanted) < 1e-4, name


def test_gradients_equal_finite_differences():
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
        image, alpha = rasterize(*parts, camera)
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


def test_golden_picture(golden_root):
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
    drawn = render(gaussians, camera)
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


def test_one_splat_has_the_closed_form():
    camera = Camera(np.eye(3), np.zeros(3), (50.0, 50.0), (16.0, 16.0), 32, 32)
    gaussians = isotropic(
        torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([0.1]), torch.tensor([[0.2, 0.4, 0.8]]), 0.6
    )
    drawn = render(gaussians, camera)
    axis = torch.arange(32) + 0.5 - 16
    distance = axis[:, None] ** 2 + axis[None, :] ** 2
    variance = (50 * 0.1 / 2) ** 2 + 0.3
    alpha = 0.6 * torch.exp(-distance / (2 * variance))
    alpha = torch.where(alpha >= 1 / 255, alpha, torch.zeros(()))
    assert (drawn.alpha[0] - alpha).abs().max() < 1e-5
    assert (drawn.image[0] - alpha[..., None] * gaussians.colors[0]).abs().max() < 1e-5


def test_a_wall_stops_before_nothing_is_left():
    """Opaque splats cap at 0.999 and the one that would take T to 1e-4 is not drawn."""
    camera = Camera(np.eye(3), np.zeros(3), (20.0, 20.0), (8.0, 8.0), 16, 16)
    means = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0], [0.0, 0.0, 3.0]])
    colors = torch.eye(3)
    drawn = render(isotropic(means, torch.full((3,), 100.0), colors), camera)
    assert drawn.alpha[0, 8, 8].item() == pytest.approx(0.999, abs=1e-6)
    assert drawn.image[0, 8, 8].tolist() == pytest.approx([0.999, 0, 0], abs=1e-6)


def test_background_shows_with_the_light_left():
    gaussians, camera = body_like_scene(500, 48, seed=2, sigma=(1, 3))
    many = with_channels(gaussians, 1)
    ones = render(many, camera, torch.ones(500, 1))
    assert (ones.image[..., 0] - ones.alpha).abs().max() < 1e-5
    assert ones.alpha.min() == 0 and ones.alpha.max() <= 1


def test_what_cannot_be_seen_changes_nothing():
    gaussians, camera = body_like_scene(300, 48, seed=4, sigma=(1, 3))
    expected = render(gaussians, camera)
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
    drawn = render(mixed, camera)
    assert (drawn.image - expected.image).abs().max() < PLACE
    assert (drawn.alpha - expected.alpha).abs().max() < PLACE
    (drawn.image.sum() + drawn.alpha.sum()).backward()
    for name in NAMES:
        grad = getattr(mixed, name).grad
        assert grad.isfinite().all() and not grad[: len(extra)].any(), name


def test_splats_off_the_edge_and_beside_the_lens_equal_float64():
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
    (image, alpha, grads), (expected, expected_alpha, expected_grads) = both(gaussians, camera)
    assert expected_alpha.max() > 0.5
    assert_same_picture(image, expected)
    assert_same_picture(alpha, expected_alpha)
    for name, grad, wanted in zip(NAMES, grads, expected_grads, strict=True):
        assert relative(grad, wanted) < 1e-4, name


@pytest.mark.parametrize("channels", [3, 8])
def test_no_splats_give_an_empty_picture(channels: int):
    nothing = isotropic(torch.zeros(0, 3), torch.zeros(0), torch.zeros(0, channels))
    drawn = render(leaves(nothing), photo_camera(20, 10))
    assert drawn.image.shape == (1, 10, 20, channels) and not drawn.image.any()
    assert drawn.alpha.shape == (1, 10, 20) and not drawn.alpha.any()
    drawn.image.sum().backward()


def test_many_cameras_equal_one_at_a_time():
    gaussians, _ = body_like_scene(400, 48, seed=6, sigma=(1, 3))
    cameras = [orbit_camera(np.array([0, 0, -4.0]), 4, yaw, 0.1, 96, 48, 40) for yaw in (0, 1, 4)]
    together = render(gaussians, cameras)
    assert together.image.shape == (3, 40, 48, 3) and together.alpha.shape == (3, 40, 48)
    for t, camera in enumerate(cameras):
        alone = render(gaussians, camera)
        assert torch.equal(together.image[t], alone.image[0])  # cameras are drawn one by one
        assert_same_picture(alone.image[0], plain_render(gaussians, camera)[0])


def test_same_bits_on_any_number_of_threads():
    gaussians, camera = body_like_scene(20_000, 200, seed=7)
    results = []
    for threads in (1, 2, 3, 7):
        parts = leaves(gaussians)
        image, alpha = rasterize(*(getattr(parts, n) for n in NAMES), camera, threads)
        (image.sum() - alpha.square().sum()).backward()
        results.append([image, alpha, *(getattr(parts, n).grad for n in NAMES)])
    for other in results[1:]:
        # exact by construction: threads share out whole blocks of splats, and whole tiles
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_renders_of_one_graph_do_not_disturb_each_other():
    gaussians, camera = body_like_scene(400, 48, seed=8, sigma=(1, 3))
    other_camera = orbit_camera(np.array([0, 0, -4.0]), 4, 2.0, 0, 96, 48, 48)
    parts = leaves(gaussians)
    first = render(parts, camera).image
    kept = first.detach().clone()
    second = render(parts, other_camera).image
    assert torch.equal(first, kept)
    (first.sum() + second.square().sum()).backward()
    expected = leaves(gaussians)
    render(expected, camera).image.sum().backward()
    render(expected, other_camera).image.square().sum().backward()
    for name in NAMES:
        assert relative(getattr(parts, name).grad, getattr(expected, name).grad) < 1e-5, name


def test_renders_at_the_same_time_are_right():
    scenes = [body_like_scene(3000, 64, seed=s) for s in range(4)]
    expected = [render(g, c).image for g, c in scenes]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            drawn = list(pool.map(lambda s: render(*s).image, scenes))
            assert all(torch.equal(a, b) for a, b in zip(drawn, expected, strict=True))


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
    with pytest.raises(ValueError, match="backend"):
        render(gaussians, camera, backend="vulkan")


def test_projection_is_that_of_gsplat():
    """The reference's centres and covariances against the PyTorch code of the installed gsplat."""
    gsplat = pytest.importorskip("gsplat.cuda._torch_impl")
    gaussians, _ = body_like_scene(200, 64, seed=12, sigma=(0.5, 20.0))
    camera = orbit_camera(np.array([0.3, 0.1, -4.0]), 1.5, 0.5, 0.2, 96, 64, 48)
    view = torch.eye(4)
    view[:3, :3], view[:3, 3] = map(torch.from_numpy, (camera.rotation, camera.translation))
    intrinsics = torch.tensor([[96.0, 0, 32], [0, 96.0, 24], [0, 0, 1]])
    covariances, _ = gsplat._quat_scale_to_covar_preci(gaussians.quats, gaussians.scales)
    _, centers, depths, conics, _ = gsplat._fully_fused_projection(
        gaussians.means, covariances, view[None], intrinsics[None], 64, 48
    )
    ours, blurred, z = project(gaussians, camera)
    inverse = torch.linalg.inv(blurred)
    assert (ours - centers[0]).abs().max() < 1e-3 and (z - depths[0]).abs().max() < 1e-5
    packed = torch.stack([inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 1]], -1)
    assert (packed - conics[0]).abs().max() < 1e-4


def test_gsplat_is_asked_the_right_way(monkeypatch):
    """What reaches gsplat; the picture itself needs a GPU, see below."""
    asked = {}

    def rasterization(means, quats, scales, opacities, colors, viewmats, Ks, *size, **options):
        asked.update(locals())
        picture = torch.zeros(len(viewmats), size[1], size[0], colors.shape[1])
        return picture, picture[..., :1], {}

    monkeypatch.setitem(sys.modules, "gsplat", SimpleNamespace(rasterization=rasterization))
    gaussians, camera = body_like_scene(20, 32)
    gaussians.means[3] = float("nan")
    drawn = render(gaussians, [camera, camera], torch.ones(20, 7), backend="cuda")
    assert drawn.image.shape == (2, 32, 32, 7) and drawn.alpha.shape == (2, 32, 32)
    assert asked["means"].isfinite().all() and asked["opacities"][3] == 0
    assert torch.equal(asked["opacities"][4:], gaussians.opacities[4:])
    assert torch.equal(asked["quats"][4:], gaussians.quats[4:])
    placed = torch.cat([gaussians.means[4:], torch.ones(16, 1)], 1) @ asked["viewmats"][1].T
    pixels = placed[:, :3] @ asked["Ks"][1].T
    expected = camera.project(gaussians.means[4:].numpy())
    np.testing.assert_allclose(pixels[:, :2] / pixels[:, 2:], expected[:, :2], atol=1e-3)
    wanted = {"near_plane": 0.01, "eps2d": 0.3, "rasterize_mode": "classic", "channel_chunk": 32}
    assert asked["options"] == wanted and asked["size"] == (32, 32)
    matrices = torch.eye(3).expand(20, 3, 3).clone()
    matrices[5] = float("inf")
    render(gaussians, camera, covariances=matrices, near=0.2, backend="cuda")
    assert asked["options"]["near_plane"] == 0.2
    given = asked["options"]["covars"]
    assert torch.equal(given[6:], matrices[6:]) and given.isfinite().all()
    assert asked["opacities"][5] == 0


def test_every_kernel_is_compiled_once():
    """Other sizes, channel counts and memory layouts must not start the compiler again."""
    warm_up()
    gaussians, camera = body_like_scene(40, 33, seed=13)
    wide = gaussians.means.repeat(1, 2)[:, ::2][:, [0, 2, 1]]  # not contiguous
    mixed = Gaussians(wide, gaussians.scales[:1].expand(40, 3), *list(vars(gaussians).values())[2:])
    for g, channels in ((gaussians, 2), (mixed, 3), (mixed, 33), (gaussians.select([0]), 4)):
        drawn = render(leaves(with_channels(g, channels)), camera)
        drawn.image.sum().backward()  # an expanded gradient
    render(gaussians, camera)
    compiled = {k: v for k, v in vars(kernels).items() if hasattr(v, "signatures") and k[0] != "_"}
    assert len(compiled) == 9
    assert {name: len(v.signatures) for name, v in compiled.items()} == dict.fromkeys(compiled, 1)


@pytest.mark.gpu
def test_gsplat_draws_the_same():
    gaussians, camera = body_like_scene(2000, 64, seed=11)
    on_gpu = Gaussians(*(getattr(gaussians, n).cuda() for n in NAMES))
    drawn, expected = render(on_gpu, camera), render(gaussians, camera)
    assert_same_picture(drawn.image.cpu(), expected.image)
    assert_same_picture(drawn.alpha.cpu(), expected.alpha)
    matrices = covariances(on_gpu.scales, on_gpu.quats)
    assert_same_picture(render(on_gpu, camera, covariances=matrices).image.cpu(), expected.image)
