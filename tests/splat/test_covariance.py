"""Covariances as matrices and as axes."""

from __future__ import annotations

import pytest
import torch

from svad.geometry.camera import Camera
from svad.splat.covariance import axes, covariances
from svad.splat.gaussians import Gaussians, isotropic
from svad.splat.render import render
from tools.bench.reference import rotation_matrices
from tools.bench.scene import body_like_scene


def some(count: int = 500) -> tuple[torch.Tensor, torch.Tensor]:
    """Scales [N, 3] and unit quaternions [N, 4], half turns and round ones among them."""
    random = torch.Generator().manual_seed(0)
    scales = 0.01 + torch.rand(count, 3, generator=random)
    quats = torch.nn.functional.normalize(torch.randn(count, 4, generator=random), dim=-1)
    quats[:4] = torch.eye(4)
    scales[4] = 0.5
    return scales, quats


def test_unit_quaternions_turn() -> None:
    scales, quats = some()
    turned = rotation_matrices(quats) * scales[:, None, :]
    torch.testing.assert_close(covariances(scales, quats), turned @ turned.mT)


def test_short_quaternions_hardly_turn() -> None:
    scales, quats = some()
    expected = torch.diag_embed(scales.square())
    torch.testing.assert_close(covariances(scales, 1e-4 * quats), expected, atol=1e-6, rtol=0)
    assert (covariances(scales, quats) - expected).abs().max() > 0.1


def test_axes_give_the_same_covariances_back() -> None:
    scales, quats = some()
    for length in (1.0, 0.02, 1.2):
        matrices = covariances(scales, length * quats)
        found = axes(matrices)
        assert found[0].dtype == torch.float32 and (found[0] >= 0).all()
        torch.testing.assert_close(found[1].norm(dim=-1), torch.ones(len(quats)))
        torch.testing.assert_close(covariances(*found), matrices, atol=3e-6, rtol=1e-4)


def test_flat_gaussians_have_an_axis_of_no_length() -> None:
    scales = torch.tensor([[0.3, 0.2, 0.0]])
    found, _ = axes(covariances(scales, torch.tensor([[0.6, 0.0, 0.8, 0.0]])))
    # the root of float32 rounding in the matrix
    torch.testing.assert_close(found.sort().values, scales.sort().values, atol=1e-4, rtol=0)


def test_covariances_stand_for_scales_and_quaternions() -> None:
    gaussians, camera = body_like_scene(300, 48, sigma=(1.0, 4.0))
    expected = render(gaussians, camera)
    matrices = covariances(gaussians.scales, gaussians.quats)
    without = Gaussians(
        gaussians.means,
        torch.ones_like(gaussians.scales),
        torch.ones_like(gaussians.quats),
        gaussians.opacities,
        gaussians.colors,
    )
    drawn = render(without, camera, covariances=matrices)
    assert (drawn.image - expected.image).abs().max() < 1e-3
    with pytest.raises(ValueError, match="covariances"):
        render(without, camera, covariances=matrices[1:])


def test_what_is_nearer_than_asked_is_not_drawn() -> None:
    means = torch.tensor([[0.0, 0.0, 0.5], [0.0, 0.0, 2.0]])
    colors = torch.eye(3)[:2]
    camera = Camera(torch.eye(3).numpy(), torch.zeros(3).numpy(), (20.0, 20.0), (8, 8), 16, 16)
    both = isotropic(means, torch.tensor([0.1, 0.1]), colors, 0.8)
    assert render(both, camera).image[..., 0].max() > 0.5
    far = render(both, camera, near=1.0)
    only = render(both.select(torch.tensor([1])), camera)
    # not exact: alone, the splat stands at another place of a vector register
    torch.testing.assert_close(far.image, only.image, atol=2e-6, rtol=0)
