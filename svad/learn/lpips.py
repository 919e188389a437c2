"""LPIPS: how different two pictures look to a network, as a loss and as a measure.

Zhang, Isola, Efros, Shechtman, Wang, "The Unreasonable Effectiveness of Deep Features as a
Perceptual Metric", 2018, equation 1, on VGG-16 (Simonyan and Zisserman 2015), version 0.1 of the
published heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from svad.compute.moved import placed
from svad.learn.metrics import Distance
from svad.weights import resolve
from svad.weights.lazy import LazyNetworks, PartFiles, Resolve
from svad.weights.strict import State, WeightsMismatch, fill

PARTS = {"vgg_network": "vgg16", "lpips_heads": "lpips_vgg"}  # part -> entry of the manifest
WIDTHS = (64, 128, 256, 512, 512)  # channels of the five stages
CONVOLUTIONS = (2, 2, 3, 3, 3)
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of the paper's scaling layer
SMALLEST = 16  # px, which the four poolings halve to one


class Lpips(nn.Module):
    """The distance of pictures; its parameters take no gradients, the pictures do."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.ends: list[int] = []  # behind the last ReLU of each stage
        channels = 3
        for stage, (width, count) in enumerate(zip(widths, CONVOLUTIONS, strict=True)):
            layers += [nn.MaxPool2d(2)] if stage else []
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            self.ends.append(len(layers))
        self.features = nn.Sequential(*layers)  # numbered as in torchvision's VGG-16
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 1, bias=False) for width in widths)

    @property
    def weight(self) -> Tensor:
        """Any weight of the backbone: it tells device and type."""
        return next(self.features.parameters())

    def forward(
        self,
        image: Tensor,  # [B, 3, H, W] in -1..1
        target: Tensor,  # [B, 3, H, W] in -1..1
    ) -> Tensor:  # [B] float32
        """The distance of each pair; `target` may be given without gradients."""
        return self.distance(image, self.stages(target))

    def distance(
        self,
        image: Tensor,  # [B, 3, H, W] in -1..1
        target: list[Tensor],  # [B, C, h, w] `stages` of the other pictures
    ) -> Tensor:  # [B] float32
        """The same with features of a target that is compared with again and again."""
        pairs = zip(self.stages(image), target, self.heads.parameters(), strict=True)
        parts = [
            torch.einsum("bchw,c->bhw", (x - y).square(), head.float().flatten())
            for x, y, head in pairs
        ]
        return torch.stack([part.mean((1, 2)) for part in parts]).sum(0)

    def stages(
        self,
        picture: Tensor,  # [B, 3, H, W] in -1..1
    ) -> list[Tensor]:  # five of [B, C, h, w] float32, unit vectors over C
        """Features behind the last ReLU before each pooling. ValueError below 16 px."""
        if min(picture.shape[-2:]) < SMALLEST:
            raise ValueError(f"LPIPS needs pictures of 16 px at least, not {picture.shape[-2:]}.")
        shift, scale = (picture.new_tensor(v).view(3, 1, 1) for v in (SHIFT, SCALE))
        x = ((picture - shift) / scale).to(self.weight)
        found = []
        for start, end in zip([0, *self.ends], self.ends, strict=False):
            x = self.features[start:end](x)
            wide = x.float()  # half has too few digits for the length
            length = wide.square().sum(1, keepdim=True).add(1e-20).sqrt()  # a slope at zero, too
            found.append(wide / (length + 1e-10))
        return found

    @torch.no_grad()
    def of_pictures(
        self,
        a: np.ndarray,  # [H, W, 3] uint8
        b: np.ndarray,  # [H, W, 3] uint8
    ) -> float:
        """The distance of two pictures."""
        where = self.weight.device
        pair = [torch.from_numpy(p).to(where).permute(2, 0, 1)[None] / 127.5 - 1 for p in (a, b)]
        return float(self(*pair))


@dataclass(frozen=True)
class Perceptual:
    """The network, or None and the names of the absent files by entry of the manifest."""

    network: Lpips | None
    missing: Mapping[str, str]

    @property
    def note(self) -> str:
        """A sentence for a person where it is left out; else nothing."""
        if self.network is not None:
            return ""
        names = " and ".join(self.missing.values())
        return (
            f"The perceptual loss was left out: {names} {_verb(self.missing)} not on this machine."
        )


def lazy_lpips(resolve: Resolve, device: torch.device | str = "cpu") -> LazyNetworks[Perceptual]:
    """The network on a device, read at the first call; bfloat16 on a GPU.

    Calling it raises what `load_lpips` raises, and what reading a damaged file raises.
    """
    half = torch.bfloat16 if torch.device(device).type == "cuda" else torch.float32
    return LazyNetworks(PARTS, _build, resolve, device, half)


def _build(files: PartFiles, device: torch.device, dtype: torch.dtype) -> Perceptual:
    heads = files.optional("lpips_heads")  # the small file first
    backbone = files.optional("vgg_network")
    if heads is None or backbone is None:
        return Perceptual(None, files.missing)
    network = load_lpips(backbone, heads, dtype)
    return Perceptual(placed(network, device, channels_last=True), files.missing)


def picture_distance(resolve: Resolve = resolve, device: torch.device | str = "cpu") -> Distance:
    """LPIPS of two pictures [H, W, 3] uint8, in float32, for measuring.

    Raises `MissingWeights` where one of the two files is not on this machine, and what `load_lpips`
    raises.
    """
    files = PartFiles(PARTS, resolve)
    network = load_lpips(files.state("vgg_network"), files.state("lpips_heads"))
    return placed(network, device).of_pictures


def load_lpips(
    backbone: State,  # of torchvision's vgg16-397923af.pth; its classifier is not used
    heads: State,  # of the heads' vgg.pth, version 0.1
    dtype: torch.dtype = torch.float32,
) -> Lpips:
    """The network with the tensors of the two files.

    Raises:
        WeightsMismatch: a key is missing, not known, or of another shape; a head is negative.
    """
    with torch.device("meta"):
        network = Lpips().eval()
    return fill_lpips(network, backbone, heads, dtype)


def fill_lpips(
    network: Lpips,
    backbone: State,  # by published key
    heads: State,  # by published key
    dtype: torch.dtype = torch.float32,
) -> Lpips:
    """As `load_lpips`, for a network of any widths."""
    used = {k: v for k, v in backbone.items() if not k.startswith("classifier.")}
    fill(network, _joined(used, heads), "vgg16-397923af.pth with vgg.pth", dtype, _published)
    if any((head < 0).any() for head in network.heads.parameters()):
        raise WeightsMismatch(
            "The weights of vgg.pth do not fit LPIPS: some are negative. "
            "Use the file the manifest names, complete and unchanged."
        )
    return network


def _joined(backbone: State, heads: State) -> State:
    """Both files by key of the module tree."""
    renamed = {}
    for key, value in heads.items():
        stage = key.removeprefix("lin").removesuffix(".model.1.weight")
        renamed[f"heads.{stage}.weight" if key == f"lin{stage}.model.1.weight" else key] = value
    return {**backbone, **renamed}


def _published(key: str) -> str:
    room, _, rest = key.partition(".")
    return f"lin{rest.removesuffix('.weight')}.model.1.weight" if room == "heads" else key


def _verb(names: Mapping[str, str]) -> str:
    return "is" if len(names) == 1 else "are"
