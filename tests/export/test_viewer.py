"""The light copy for the page: count, size, and which way is up."""

from __future__ import annotations

import torch

from svad.export.thin import grown, thinned
from svad.export.viewer import viewer_copy
from svad.geometry.rotation import quaternion_to_matrix
from svad.splat.gaussians import Gaussians
from tests.helpers import tiny_avatar


def cloud() -> Gaussians:
    """Tilted, uneven Gaussians on the small avatar."""
    g = tiny_avatar(3000).gaussians
    generator = torch.Generator().manual_seed(1)
    quats = torch.nn.functional.normalize(torch.randn(3000, 4, generator=generator), dim=-1)
    scales = g.scales * (0.5 + torch.rand(3000, 3, generator=generator))
    return Gaussians(g.means, scales, quats, g.opacities, g.colors)


def covariances(g: Gaussians) -> torch.Tensor:  # [N, 3, 3]
    half = quaternion_to_matrix(g.quats) * g.scales[:, None]
    return half @ half.mT


def test_turned_upside_down_and_centred() -> None:
    g = cloud()
    none = torch.zeros(3000, dtype=torch.bool)
    copy = viewer_copy(g, none, 5000)
    turn = torch.diag(torch.tensor([1.0, -1, -1]))
    shift = g.means[0] - turn @ copy.means[0]
    assert torch.allclose(g.means - shift, copy.means @ turn, atol=1e-6)
    assert torch.allclose(covariances(copy), turn @ covariances(g) @ turn, atol=1e-8)
    middle = (copy.means.amin(0) + copy.means.amax(0)) / 2
    assert middle.abs().max() < 1e-6


def surface(scales: torch.Tensor) -> float:
    """What the two larger axes cover, summed."""
    return float(scales.sort(dim=1, descending=True).values[:, :2].prod(1).sum())


def test_long_gaussians_do_not_become_spikes() -> None:
    g = cloud()
    long = Gaussians(g.means, g.scales.new_tensor([8e-3, 1e-3, 1e-4]).expand(3000, 3), g.quats,
                     g.opacities, g.colors)  # fmt: skip
    assert grown(long, torch.full((3000,), 3.0)).scales.max() <= 8.01e-3


def test_plain_cloth_is_thinned_before_patterns() -> None:
    g = cloud()
    pattern = (g.means[:, 0] > 0).float()
    dots = torch.rand(3000, 1, generator=torch.Generator().manual_seed(2)).round()
    colors = torch.where(pattern[:, None] > 0, dots.expand(3000, 3), 0.5 * torch.ones(3000, 3))
    g = Gaussians(g.means, g.scales, g.quats, g.opacities, colors)
    thin = thinned(g, torch.zeros(3000, dtype=torch.bool), 1500)
    left = (thin.means[:, 0] > 0).sum() / pattern.sum()
    plain = (thin.means[:, 0] <= 0).sum() / (1 - pattern).sum()
    assert left > 0.6 and plain < 0.4


def test_thinning_ends_where_every_other_one_is_detail() -> None:
    g = cloud()
    detail = torch.zeros(3000, dtype=torch.bool)
    detail[::2] = True
    assert len(thinned(g, detail, 3000 - 1)) == 2999 and len(thinned(g, detail, 1)) == 1


def test_thinning_keeps_detail_and_area() -> None:
    g = cloud()
    detail = g.means[:, 1] > 0.6
    thin = thinned(g, detail, 1200)
    assert len(thin) == 1200
    up = thin.means[:, 1] > 0.6
    assert up.sum() == detail.sum()
    assert 0.9 < surface(g.scales[~detail]) / surface(thin.scales[~up]) < 1.1
    everything = thinned(g, torch.ones_like(detail), 1200)
    assert len(everything) == 1200  # detail never breaks the limit
