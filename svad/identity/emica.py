"""The regressors of identity, pose and expression from a picture of a face (EMICA).

Module names are the keys of the published file. Identity comes from MICA (an ArcFace network with
a small regressor behind it), jaw and rotation of the head from one ResNet-50 (DECA), expression
from another (EMOCA).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from svad.body.flame import EXPRESSION, IDENTITY
from svad.identity.geometry import ARCFACE_SIZE
from svad.identity.resnet import ResNet
from svad.weights.strict import State, fill

NAME = "EMICA-CVT_flame2020_notexture.pt"
ARC_SLOPE = 0.2  # of the leaky units behind ArcFace
CODES = {"texture": 50, "jaw": 3, "turn": 3, "camera": 3, "light": 27}  # of the pose network


@dataclass(frozen=True, kw_only=True)
class EmicaSizes:
    """Sizes of the published networks."""

    arcface_blocks: tuple[int, ...] = (3, 13, 30, 3)  # IResNet-100
    arcface_width: int = 64  # of the first stage, doubled from stage to stage
    arcface_vector: int = 512
    resnet_blocks: tuple[int, ...] = (3, 4, 6, 3)  # ResNet-50
    resnet_width: int = 64
    hidden: int = 1024  # behind a ResNet


@dataclass(frozen=True)
class Face:
    """What the regressors say; B faces."""

    shape: Tensor  # [B, 300]
    expression: Tensor  # [B, 100]
    jaw: Tensor  # [B, 3] axis-angle, radians
    turn: Tensor  # [B, 3] axis-angle of the head, radians


class Emica(nn.Module):
    """All three regressors."""

    def __init__(self, sizes: EmicaSizes) -> None:
        super().__init__()
        self.mica_encoder = nn.ModuleDict({"E_mica": Mica(sizes)})
        self.deca_encoder = nn.ModuleDict({"encoder": Regressor(sizes, sum(CODES.values()))})
        self.expression_encoder = nn.ModuleDict({"encoder": Regressor(sizes, EXPRESSION)})

    def forward(
        self,
        face: Tensor,  # [B, 3, 224, 224] 0..1
        aligned: Tensor,  # [B, 3, 112, 112] -1..1, see `geometry.warp_face`
    ) -> Face:
        codes = self.deca_encoder["encoder"](face).split(tuple(CODES.values()), 1)
        named = dict(zip(CODES, codes, strict=True))
        return Face(
            shape=self.mica_encoder["E_mica"](aligned), jaw=named["jaw"], turn=named["turn"],
            expression=self.expression_encoder["encoder"](face),
        )  # fmt: skip


class Regressor(nn.Module):
    """A ResNet and two layers."""

    def __init__(self, sizes: EmicaSizes, codes: int) -> None:
        super().__init__()
        self.encoder = ResNet(sizes.resnet_blocks, sizes.resnet_width)
        width = self.encoder.features
        self.layers = nn.Sequential(
            nn.Linear(width, sizes.hidden), nn.ReLU(), nn.Linear(sizes.hidden, codes)
        )

    def forward(self, face: Tensor) -> Tensor:  # [B, 3, 224, 224] -> [B, codes]
        return self.layers(self.encoder(face))


class Mica(nn.Module):
    """ArcFace's vector to FLAME's identity (Zielonka et al., ECCV 2022)."""

    def __init__(self, sizes: EmicaSizes) -> None:
        super().__init__()
        self.arcface = ArcFace(sizes)
        self.flameModel = nn.ModuleDict({"regressor": IdentityLayers(sizes.arcface_vector)})

    def forward(self, aligned: Tensor) -> Tensor:  # [B, 3, 112, 112] -> [B, 300]
        return self.flameModel["regressor"](functional.normalize(self.arcface(aligned), dim=1))


class IdentityLayers(nn.Module):
    """Dense layers with leaky units, from a vector to FLAME's identity."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        pairs = itertools.pairwise([inputs, *[IDENTITY] * 4])
        self.network = nn.ModuleList([nn.Linear(a, b) for a, b in pairs])
        self.output = nn.Linear(IDENTITY, IDENTITY)

    def forward(self, x: Tensor) -> Tensor:  # [B, inputs] -> [B, 300]
        for layer in self.network:
            x = functional.leaky_relu(layer(x), ARC_SLOPE)
        return self.output(x)


class ArcFace(nn.Module):
    """IResNet: residual blocks that begin with a norm (Duta et al., ICPR 2020)."""

    def __init__(self, sizes: EmicaSizes) -> None:
        super().__init__()
        width = sizes.arcface_width
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        stages = []
        for i, count in enumerate(sizes.arcface_blocks):
            out = sizes.arcface_width * 2**i
            blocks = [ArcBlock(width, out, stride=2)]
            blocks += [ArcBlock(out, out, stride=1) for _ in range(count - 1)]
            stages.append(nn.Sequential(*blocks))
            width = out
        for i, stage in enumerate(stages, 1):
            setattr(self, f"layer{i}", stage)
        self.stages = len(stages)
        side = ARCFACE_SIZE // 2**self.stages
        self.bn2 = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width * side * side, sizes.arcface_vector)
        self.features = nn.BatchNorm1d(sizes.arcface_vector)

    def forward(self, aligned: Tensor) -> Tensor:  # [B, 3, 112, 112] -> [B, 512]
        x = self.prelu(self.bn1(self.conv1(aligned)))
        for i in range(1, self.stages + 1):
            x = getattr(self, f"layer{i}")(x)
        return self.features(self.fc(self.bn2(x).flatten(1)))


class ArcBlock(nn.Module):
    """norm, conv, norm, PReLU, conv with stride, norm; and the input."""

    def __init__(self, inputs: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride > 1 or inputs != width:
            short = nn.Conv2d(inputs, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w] -> [B, width, h / stride, w / stride]
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        y = self.bn3(self.conv2(y))
        return y + (x if self.downsample is None else self.downsample(x))


def load_emica(
    state: State,  # by published key
    sizes: EmicaSizes,
    dtype: torch.dtype = torch.float32,
) -> Emica:
    """The regressors with the tensors of the published file. Raises `WeightsMismatch`."""
    with torch.device("meta"):
        network = Emica(sizes)
    fill(network, state, NAME, dtype)
    return network.eval()
