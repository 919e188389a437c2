"""LPIPS with made-up weights against a plain statement, and how its two files are read."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from svad.core.errors import MissingWeights
from svad.learn.lpips import PARTS, Lpips, fill_lpips, lazy_lpips, load_lpips, picture_distance
from svad.learn.metrics import compared
from svad.weights.errors import UnsafeFile
from svad.weights.store import Store
from svad.weights.strict import WeightsMismatch
from tests.fill import fill, tensor

SMALL = (4, 6, 8, 8, 8)
# Numbers of the convolutions in torchvision's VGG-16, by stage
NUMBERS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))


@lru_cache(maxsize=2)
def files(widths: tuple[int, ...]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Backbone and heads by published key."""
    backbone, channels = {}, 3
    for numbers, width in zip(NUMBERS, widths, strict=True):
        for number in numbers:
            shapes = {"weight": (width, channels, 3, 3), "bias": (width,)}
            for name, shape in shapes.items():
                key = f"features.{number}.{name}"
                backbone[key] = 1.4 * fill(key, shape, 0)  # what a ReLU loses
            channels = width
    backbone["classifier.6.bias"] = torch.zeros(1000)
    names = [f"lin{stage}.model.1.weight" for stage in range(5)]
    heads = {n: fill(n, (1, w, 1, 1), 0).abs() for n, w in zip(names, widths, strict=True)}
    return backbone, heads


def small() -> Lpips:
    return fill_lpips(Lpips(SMALL).eval(), *files(SMALL))


def plain(image: Tensor, target: Tensor) -> Tensor:
    """Equation 1 of the paper, layer by layer in float64."""
    backbone, heads = files(SMALL)
    both = torch.cat([image, target]).double()
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    x = (both - shift.view(3, 1, 1)) / scale.view(3, 1, 1)
    total = torch.zeros(len(image), dtype=torch.float64)
    for stage, numbers in enumerate(NUMBERS):
        x = F.max_pool2d(x, 2) if stage else x
        for number in numbers:
            weight, bias = (backbone[f"features.{number}.{n}"].double() for n in ("weight", "bias"))
            x = F.conv2d(x, weight, bias, padding=1).relu()
        unit = x / (x.norm(dim=1, keepdim=True) + 1e-10)
        a, b = unit.chunk(2)
        head = heads[f"lin{stage}.model.1.weight"].double().flatten()
        total = total + ((a - b) ** 2 * head.view(-1, 1, 1)).sum(1).mean((1, 2))
    return total


def pair(size: int = 40) -> tuple[Tensor, Tensor]:
    image, target = (tensor(n, (2, 3, size, size - 7), 0).clamp(-1, 1) for n in ("a", "b"))
    return image.requires_grad_(), target


def test_value_and_gradient_are_those_of_the_paper() -> None:
    image, target = pair()
    found, expected = small()(image, target), plain(image, target)
    assert expected.min() > 0.01
    torch.testing.assert_close(found.double(), expected, atol=0, rtol=1e-4)  # 13 layers, float32
    (ours,), (theirs,) = (torch.autograd.grad(v.sum(), image) for v in (found, expected))
    scale = theirs.abs().max().item()
    torch.testing.assert_close(ours, theirs, atol=1e-3 * scale, rtol=0)


def test_equal_pictures_are_at_zero_and_their_gradient_is_finite() -> None:
    _, target = pair()
    black = torch.full_like(target, -1)
    for picture in (target, black):
        image = picture.clone().requires_grad_()
        value = small()(image, picture)
        value.sum().backward()
        assert image.grad is not None
        assert value.abs().max() == 0 and image.grad.abs().max() == 0


def test_features_that_vanish_leave_a_finite_gradient() -> None:
    network = small()
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            layer.bias.data.fill_(-100)
    image, target = pair()
    network(image, target).sum().backward()
    assert image.grad is not None and image.grad.isfinite().all()


def test_features_of_a_target_may_be_kept() -> None:
    image, target = pair()
    network = small()
    assert torch.equal(network.distance(image, network.stages(target)), network(image, target))


def test_it_measures_pictures_beside_the_others() -> None:
    random = np.random.default_rng(0)
    a, b = random.integers(0, 256, (2, 40, 33, 3), np.uint8)
    found = compared(a[None], b[None], small().of_pictures)
    tensors = (torch.from_numpy(p).permute(2, 0, 1)[None] / 127.5 - 1 for p in (a, b))
    assert found["lpips"] == pytest.approx(plain(*tensors).item(), rel=1e-4)


def test_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match="16 px"):
        small().stages(torch.zeros(1, 3, 15, 40))


def shelf(folder: Path):
    """Resolves what lies in a folder the way the store does."""
    store = Store.from_environment({"SVAD_CACHE": str(folder / "c"), "SVAD_WEIGHTS": str(folder)})
    return store.resolve


def save(folder: Path, backbone: object, heads: object) -> None:
    torch.save(backbone, folder / "vgg16-397923af.pth")
    torch.save(heads, folder / "vgg.pth")


def test_the_published_files_are_read_as_they_are(tmp_path: Path) -> None:
    zeros = {k: torch.zeros(v) for k, v in files_shapes().items()}
    _, heads = files((64, 128, 256, 512, 512))
    save(tmp_path, {**zeros, "classifier.6.bias": torch.zeros(3)}, heads)
    found = lazy_lpips(shelf(tmp_path))()
    assert found.network is not None and found.missing == {} and found.note == ""
    assert torch.equal(found.network.heads[4].weight, heads["lin4.model.1.weight"])
    assert not any(p.requires_grad for p in found.network.parameters())
    grey = np.full((16, 16, 3), 128, np.uint8)
    assert picture_distance(shelf(tmp_path))(grey, grey) == 0


def files_shapes() -> dict[str, torch.Size]:
    with torch.device("meta"):
        network = Lpips()
    state = network.state_dict()
    return {k: v.shape for k, v in state.items() if k.startswith("features.")}


def test_keys_are_those_of_torchvision() -> None:
    backbone, _ = files(SMALL)
    assert {*files_shapes(), "classifier.6.bias"} == set(backbone)


def test_without_its_files_it_is_left_out_and_says_so(tmp_path: Path) -> None:
    found = lazy_lpips(shelf(tmp_path))()
    assert found.network is None and set(found.missing) == set(PARTS.values())
    assert "vgg.pth and vgg16-397923af.pth are not on this machine" in found.note
    torch.save(files(SMALL)[1], tmp_path / "vgg.pth")
    assert "out: vgg16-397923af.pth is not" in lazy_lpips(shelf(tmp_path))().note
    with pytest.raises(MissingWeights, match=r"vgg16-397923af\.pth.*pytorch\.org"):
        picture_distance(shelf(tmp_path))


def test_wrong_files_are_an_error_with_a_sentence(tmp_path: Path) -> None:
    backbone, heads = files(SMALL)
    with pytest.raises(WeightsMismatch, match=r"features\.0\.weight \(expected \[64, 3, 3, 3\]"):
        load_lpips(backbone, heads)
    with pytest.raises(WeightsMismatch, match=r"missing: lin2\.model\.1\.weight"):
        left = {k: v for k, v in heads.items() if "lin2" not in k}
        fill_lpips(Lpips(SMALL), backbone, left)
    with pytest.raises(WeightsMismatch, match="negative"):
        fill_lpips(Lpips(SMALL), backbone, {k: -v for k, v in heads.items()})
    save(tmp_path, backbone, {"lin0": print})  # a function is no tensor
    with pytest.raises(UnsafeFile, match=r"vgg\.pth was not loaded"):
        lazy_lpips(shelf(tmp_path))()


@pytest.mark.gpu
def test_bfloat16_on_a_gpu_is_close_to_float32() -> None:
    image, target = pair(64)
    there = small().to("cuda", torch.bfloat16)
    found = there(image.detach().cuda(), target.cuda()).cpu()
    # 8 bits of mantissa, 13 layers: a few per cent of the distance
    torch.testing.assert_close(found, small()(image.detach(), target), atol=0, rtol=0.1)
