"""The 2D landmark net: an HRNet with one heat map for each of 98 points.

Module names are the keys of the published file (Wang et al., "Deep high-resolution representation
learning", TPAMI 2020). Branches run side by side at strides 4, 8, 16 and 32; after every module
each takes in the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from svad.identity.resnet import EXPANSION, Basic, Bottleneck, conv
from svad.weights.strict import State, fill

NAME = "lmks_2d.pt"
POINTS = 98
CLASSES = 2  # maps per point; the last one is read
PICTURE, STRIDE = 256, 4  # px of the input; px of the input per px of a map
BEST = 9  # scores per map that are averaged


@dataclass(frozen=True, kw_only=True)
class HRNetSizes:
    """Sizes of the published net (HRNet-W18)."""

    width: int = 18  # of the finest branch, doubled from branch to branch
    stem: int = 64
    blocks: int = 4  # in a branch of a module, and in the first stage
    modules: tuple[int, ...] = (1, 4, 3)  # of the stages with two, three, four branches


class LandmarkNet(nn.Module):
    """A cropped head to 98 points."""

    def __init__(self, sizes: HRNetSizes) -> None:
        super().__init__()
        self.backbone = Backbone(sizes)
        channels = sum(self.backbone.widths)
        self.heatmap_head = nn.ModuleDict({"head": MapHead(channels)})

    def maps(self, head: Tensor) -> Tensor:  # [B, 3, 256, 256] -> [B, 98, 64, 64]
        """Scores of each point; the picture is ImageNet-normalised."""
        branches = self.backbone(head)
        size = branches[0].shape[-2:]
        joined = torch.cat([branches[0], *(_resized(x, size, "bilinear") for x in branches[1:])], 1)
        scores = self.heatmap_head["head"](joined)
        return scores.unflatten(1, (CLASSES, POINTS))[:, -1]

    def forward(self, head: Tensor) -> Tensor:  # [B, 3, 256, 256] -> [B, 98, 2] px
        return decode(self.maps(head).float())  # half precision cannot tell pixels apart


class MapHead(nn.Module):
    """Features to the maps of all classes of all points."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, CLASSES * POINTS, 1, bias=False),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> [B, classes * points, h, w]
        return self.layers(x)


class Backbone(nn.Module):
    """From a picture to four branches."""

    def __init__(self, sizes: HRNetSizes) -> None:
        super().__init__()
        stem = sizes.stem
        self.conv1, self.bn1 = conv(3, stem, 3, 2), nn.BatchNorm2d(stem)
        self.conv2, self.bn2 = conv(stem, stem, 3, 2), nn.BatchNorm2d(stem)
        first = [Bottleneck(stem, stem)]
        first += [Bottleneck(EXPANSION * stem, stem) for _ in range(sizes.blocks - 1)]
        self.layer1 = nn.Sequential(*first)
        widths = [EXPANSION * stem]
        for i, count in enumerate(sizes.modules, 1):
            wanted = [sizes.width * 2**branch for branch in range(i + 1)]
            setattr(self, f"transition{i}", _transition(widths, wanted))
            modules = [Module(wanted, sizes.blocks) for _ in range(count)]
            setattr(self, f"stage{i + 1}", nn.Sequential(*modules))
            widths = wanted
        self.stages, self.widths = len(sizes.modules), widths

    def forward(self, x: Tensor) -> list[Tensor]:  # [B, 3, H, W] -> four [B, C, h, w]
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        branches = [self.layer1(x)]
        for i in range(1, self.stages + 1):
            changes = getattr(self, f"transition{i}")
            # a branch that is new is made from the coarsest one there is
            sources = [*branches, branches[-1]]
            branches = [change(x) for change, x in zip(changes, sources, strict=True)]
            branches = getattr(self, f"stage{i + 1}")(branches)
        return branches


class Module(nn.Module):
    """Residual blocks in each branch, then an exchange between all branches."""

    def __init__(self, widths: list[int], blocks: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [nn.Sequential(*[Basic(width) for _ in range(blocks)]) for width in widths]
        )
        self.fuse_layers = nn.ModuleList(
            [
                nn.ModuleList([_exchange(widths, source, target) for source in range(len(widths))])
                for target in range(len(widths))
            ]
        )

    def forward(
        self,
        branches: list[Tensor],  # [B, C, h, w] each, finest first
    ) -> list[Tensor]:  # the same
        branches = [branch(x) for branch, x in zip(self.branches, branches, strict=True)]
        fused = []
        for target, layers in enumerate(cast("Iterable[nn.ModuleList]", self.fuse_layers)):
            size = branches[target].shape[-2:]
            parts = [layer(x) for layer, x in zip(layers, branches, strict=True)]
            total = parts[0] if target == 0 else _resized(parts[0], size)
            for part in parts[1:]:
                total = total + _resized(part, size)
            fused.append(functional.relu(total))
        return fused


def decode(maps: Tensor) -> Tensor:  # [B, K, h, w] -> [B, K, 2] px of the net's input
    """The mean place of the best scores of each map, weighted by their softmax."""
    columns = maps.shape[-1]
    best, places = maps.flatten(2).topk(BEST, dim=-1)
    where = torch.stack([places % columns, places // columns], -1).to(maps)
    return (best.softmax(-1)[..., None] * where).sum(-2) * STRIDE


def load_landmark_net(
    state: State,  # by published key
    sizes: HRNetSizes,
    dtype: torch.dtype = torch.float32,
) -> LandmarkNet:
    """The net with the tensors of the published file. Raises `WeightsMismatch`."""
    with torch.device("meta"):
        network = LandmarkNet(sizes)
    fill(network, state, NAME, dtype)
    return network.eval()


def _resized(x: Tensor, size: torch.Size, mode: str = "nearest") -> Tensor:
    return x if x.shape[-2:] == size else functional.interpolate(x, size=size, mode=mode)


def _norm(inputs: int, width: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return [conv(inputs, width, kernel, stride), nn.BatchNorm2d(width)]


def _transition(widths: list[int], wanted: list[int]) -> nn.ModuleList:
    """Brings branches to the widths of the next stage, which has one branch more."""
    changes: list[nn.Module] = []
    for before, after in zip(widths, wanted, strict=False):
        same = before == after
        changes.append(
            nn.Identity() if same else nn.Sequential(*_norm(before, after, 3), nn.ReLU())
        )
    coarser = nn.Sequential(*_norm(widths[-1], wanted[-1], 3, 2), nn.ReLU())
    return nn.ModuleList([*changes, nn.Sequential(coarser)])


def _exchange(widths: list[int], source: int, target: int) -> nn.Module:
    """One branch as another sees it: a 1 x 1 convolution up, halvings down."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(*_norm(widths[source], widths[target], 1))
    steps = []
    for step in range(target - source):
        last = step == target - source - 1
        width = widths[target] if last else widths[source]
        layers = _norm(widths[source], width, 3, 2)
        steps.append(nn.Sequential(*layers, *([] if last else [nn.ReLU()])))
    return nn.Sequential(*steps)
