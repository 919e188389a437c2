"""Fewer Gaussians for the same avatar, and the way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from svad.avatar.model.thin import HIDDEN, WIDEST, blend_onto, joined, thinned, two_clouds
from svad.body.correctives import new_correctives
from svad.body.skin import pose_gaussians, select_gaussians
from svad.geometry.camera import photo_camera
from svad.splat.render import render
from svad.types import Avatar
from tests.helpers import one_pose, tiny_avatar

COUNT = 6000


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    """Flat splats, as those of a surface, and a network from poses to changes."""
    plain = tiny_avatar(COUNT)
    random = torch.Generator().manual_seed(0)
    scales = plain.gaussians.scales * torch.tensor([1.0, 0.8, 0.2])
    network = new_correctives(COUNT, hidden=4, coefficients=2)
    network = replace(network, basis=torch.randn(2, COUNT, 7, generator=random))
    gaussians = replace(plain.gaussians, scales=scales)
    return replace(plain, gaussians=gaussians, correctives=network)


def places(few: Avatar, avatar: Avatar) -> Tensor:
    """Which of the cloud each one is: [M] int64."""
    found = cKDTree(avatar.gaussians.means.numpy()).query(few.gaussians.means.numpy())[1]
    return torch.from_numpy(np.asarray(found, np.int64))


@pytest.mark.parametrize("count", [1, 40, 500, 3000, COUNT - 1])
def test_there_are_no_more_than_asked_for_and_not_far_fewer(avatar: Avatar, count: int) -> None:
    few = thinned(avatar, count)
    assert len(few.gaussians) <= count
    assert len(few.gaussians) >= 0.8 * count  # grids jump by whole slices of cells
    assert len(few.joint_ids) == len(few.joint_weights) == len(few.gaussians)
    assert few.correctives is not None and few.correctives.basis.shape[1] == len(few.gaussians)


@pytest.mark.parametrize("count", [COUNT, COUNT + 1])
def test_a_cloud_that_is_small_enough_stays(avatar: Avatar, count: int) -> None:
    same = thinned(avatar, count)
    assert torch.equal(same.gaussians.means, avatar.gaussians.means)
    assert torch.equal(same.gaussians.colors, avatar.gaussians.colors)


def test_each_is_one_of_the_cloud_in_its_order(avatar: Avatar) -> None:
    few = thinned(avatar, 700)
    place = places(few, avatar)
    assert torch.equal(few.gaussians.means, avatar.gaussians.means[place])
    assert (place.diff() > 0).all()
    for name in ("joint_ids", "joint_weights"):
        assert torch.equal(getattr(few, name), getattr(avatar, name)[place])
    assert torch.equal(few.gaussians.quats, avatar.gaussians.quats[place])
    assert avatar.correctives is not None and few.correctives is not None
    assert torch.equal(few.correctives.basis, avatar.correctives.basis[:, place])


def test_they_grow_along_the_surface_and_not_across(avatar: Avatar) -> None:
    few = thinned(avatar, 700)
    factor = few.gaussians.scales / avatar.gaussians.scales[0]
    torch.testing.assert_close(factor[:, 2], torch.ones(len(factor)))
    torch.testing.assert_close(factor[:, 0], factor[:, 1])
    assert factor[:, 0].min() >= 1 and factor[:, 0].max() <= WIDEST + 1e-5
    assert factor[:, 0].mean() > 1.5  # one in about nine is left


def test_colours_are_means_of_what_they_stand_for(avatar: Avatar) -> None:
    grey = replace(avatar.gaussians, colors=torch.full((COUNT, 3), 0.37))
    few = thinned(replace(avatar, gaussians=grey), 300)
    torch.testing.assert_close(few.gaussians.colors, torch.full((len(few.gaussians), 3), 0.37))
    few = thinned(avatar, 300)
    mean, whole = few.gaussians.colors.mean(0), avatar.gaussians.colors.mean(0)
    assert (mean - whole).abs().max() < 0.06  # cells hold different numbers
    faint = avatar.gaussians.opacities.clone()
    faint[::2] = 0.0
    bright = avatar.gaussians.colors.clone()
    bright[::2] = 1.0
    unseen = replace(avatar.gaussians, opacities=faint, colors=bright)
    few = thinned(replace(avatar, gaussians=unseen), 300)
    assert few.gaussians.colors.mean() < 0.6  # those that are not seen have no say


def test_thinning_is_the_same_every_time(avatar: Avatar) -> None:
    one, two = thinned(avatar, 800), thinned(avatar, 800)
    assert torch.equal(one.gaussians.means, two.gaussians.means)


def test_the_avatar_still_looks_the_same() -> None:
    avatar, camera = tiny_avatar(8000), photo_camera(96, 128)
    with torch.no_grad():
        pictures = [
            render(pose_gaussians(one, avatar.pose[0]), camera).image[0].numpy()
            for one in (avatar, thinned(avatar, 3000))
        ]
    error = float(np.square(pictures[0] - pictures[1]).mean())
    assert -10 * np.log10(error) > 26  # dB


def test_expressions_stay_with_their_gaussians(avatar: Avatar) -> None:
    few = thinned(avatar, 2000)
    place = places(few, avatar)
    moved = torch.isin(place, avatar.expression_ids)
    assert torch.equal(torch.nonzero(moved)[:, 0], few.expression_ids.sort().values)
    assert len(few.expression_dirs) == len(few.expression_ids) > 0


def test_a_blend_of_what_is_alike_is_the_same(avatar: Avatar) -> None:
    few = thinned(avatar, 700)
    blend = blend_onto(avatar, few)
    assert blend.ids.shape == blend.weights.shape and len(blend.ids) == COUNT
    torch.testing.assert_close(blend.weights.sum(1), torch.ones(COUNT))
    assert blend.weights.min() > 0
    values = torch.tensor([[0.3, -4.0]]).repeat(len(few.gaussians), 1)
    torch.testing.assert_close(blend(values), torch.tensor([[0.3, -4.0]]).repeat(COUNT, 1))


def test_a_blend_takes_places_to_places_nearby(avatar: Avatar) -> None:
    few = thinned(avatar, 700)
    blended = blend_onto(avatar, few)(few.gaussians.means)
    cell = (few.gaussians.means[:, None] - few.gaussians.means).norm(dim=2)
    spacing = cell.fill_diagonal_(9).min(1).values.median()
    away = (blended - avatar.gaussians.means).norm(dim=1)
    assert away.median() < spacing and away.max() < 4 * spacing


def test_a_gaussian_that_is_there_already_takes_mostly_its_own() -> None:
    avatar = tiny_avatar(200)
    values = torch.rand(200, 2, generator=torch.Generator().manual_seed(0))
    assert (blend_onto(avatar, avatar)(values) - values).abs().mean() < 0.05


@pytest.mark.parametrize("count", [1, 2])
def test_a_blend_of_fewer_than_the_nearest_four(count: int) -> None:
    avatar = tiny_avatar(50)
    few = thinned(avatar, count)
    blend = blend_onto(avatar, few)
    assert blend.ids.shape[1] == len(few.gaussians)
    assert blend(torch.ones(len(few.gaussians), 1)).sub(1).abs().max() < 1e-6


def known(avatar: Avatar) -> Tensor:
    """The front is shown by the photo, the back is not."""
    return (avatar.gaussians.means[:, 2:] > 0).float()


def test_the_fine_cloud_is_finer_where_the_photo_tells_more(avatar: Avatar) -> None:
    seen = known(avatar)
    coarse, fine = two_clouds(avatar, seen, 800, 4000)
    assert len(coarse.gaussians) <= 800 < len(fine.gaussians) <= 4000
    backs = [cloud.gaussians.means[cloud.gaussians.means[:, 2] <= 0] for cloud in (coarse, fine)]
    assert torch.equal(*backs) and 0 < len(backs[0]) <= HIDDEN * 800
    fronts = [len(cloud.gaussians) - len(backs[0]) for cloud in (coarse, fine)]
    assert fronts[1] > 3 * fronts[0]


@pytest.mark.parametrize("part", [0.0, 1.0], ids=["nothing", "all"])
def test_where_the_photo_shows_all_or_nothing_both_are_plain(avatar: Avatar, part: float) -> None:
    coarse, fine = two_clouds(avatar, torch.full((COUNT, 1), part), 300, 2000)
    for cloud, count in ((coarse, 300), (fine, 2000)):
        assert torch.equal(cloud.gaussians.means, thinned(avatar, count).gaussians.means)


def test_a_cloud_that_fits_is_the_same_twice(avatar: Avatar) -> None:
    """Nothing grows later: nothing is to be made anew then."""
    coarse, fine = two_clouds(avatar, known(avatar), 3 * COUNT, 3 * COUNT)
    assert len(coarse.gaussians) == len(fine.gaussians) == COUNT
    assert torch.equal(coarse.gaussians.means, fine.gaussians.means)
    few = two_clouds(avatar, known(avatar), 500, 100)  # the fine one is never the coarser
    assert len(few[1].gaussians) >= len(few[0].gaussians)


def test_two_clouds_of_a_person_are_posed_as_one() -> None:
    avatar = tiny_avatar(500)
    front = torch.nonzero(avatar.gaussians.means[:, 2] > 0)[:, 0]
    back = torch.nonzero(avatar.gaussians.means[:, 2] <= 0)[:, 0]
    both = joined(select_gaussians(avatar, front), select_gaussians(avatar, back))
    pose = one_pose(np.full((55, 3), 0.1), (0, 0, -4), (1.0, 0.5, 0.0, 0.2))[0]
    order = torch.cat([front, back])
    one, other = pose_gaussians(avatar, pose), pose_gaussians(both, pose)
    for name in ("means", "quats", "colors", "scales", "opacities"):
        torch.testing.assert_close(
            getattr(other, name), getattr(one, name)[order], atol=1e-6, rtol=0
        )
