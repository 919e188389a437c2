"""The head's networks under their published names, filled strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from svad.identity.lifting import ExpressionHead, Lifted, LocalHead
from svad.identity.planes import direction_code, image_plane
from svad.identity.pyramid import Pyramid
from svad.identity.refiner import Refiner
from svad.identity.sizes import HeadSizes
from svad.weights.strict import State, fill

TRAINING_ONLY = re.compile(r"^percep_loss\.")  # the networks of the loss
UNUSED = re.compile(  # parts that no picture goes through, in training neither
    r"^upsampler\.toRGB\."
    r"|^base_model\.refinenet\.0\.resConfUnit1\."
    r"|^base_model\.dino_model\.mask_token$"
)


@dataclass(frozen=True)
class Attributes:
    """What the networks say of N Gaussians: of vertices, behind the plane, before it."""

    plane: Tensor  # [N - V, 3] positions of those without a vertex
    colors: Tensor  # [N, C]
    opacities: Tensor  # [N, 1] in 0..1
    scales: Tensor  # [N, 3]
    rotations: Tensor  # [N, 4], real part first, to be used without normalising


class HeadNetwork(nn.Module):
    """GAGAvatar (Chu and Harada 2024): a picture of a face to Gaussians, and their refiner."""

    def __init__(self, sizes: HeadSizes) -> None:
        super().__init__()
        self.sizes = sizes
        lifting = sizes.lifting
        self.base_model = Pyramid(sizes.vit, sizes.pyramid)
        self.head_base = nn.Parameter(torch.zeros(lifting.vertices, lifting.base))
        self.gs_generator_g = ExpressionHead(sizes.vit, lifting)
        self.gs_generator_l0 = LocalHead(sizes.pyramid, lifting)
        self.gs_generator_l1 = LocalHead(sizes.pyramid, lifting)
        self.upsampler = Refiner(sizes.refiner, lifting.channels)

    def lift(
        self,
        image: Tensor,  # [1, 3, h, w] in 0..1, at the backbone's size
        camera: Tensor,  # [3, 4] of this picture
    ) -> Attributes:
        """Backbone, pyramid and the three heads on one picture."""
        features, whole = self.base_model(image)
        points, direction = image_plane(camera, self.sizes.plane)
        code = direction_code(direction)[None]
        each = torch.cat([self.head_base, whole.expand(len(self.head_base), -1)], -1)
        vertices = self.gs_generator_g(each[None], code)
        behind = self.gs_generator_l0(features, code)
        before = self.gs_generator_l1(features, code)
        plane = [points + behind.distances[0] * direction, points - before.distances[0] * direction]
        parts = [vertices, behind, before]
        return Attributes(torch.cat(plane), *(_joined(parts, name) for name in NAMES))


NAMES = ("colors", "opacities", "scales", "rotations")


def _joined(parts: list[Lifted], name: str) -> Tensor:
    return torch.cat([getattr(part, name)[0] for part in parts])


def build_network(sizes: HeadSizes) -> HeadNetwork:
    """The networks without weights, on the meta device."""
    with torch.device("meta"):
        return HeadNetwork(sizes).eval().requires_grad_(False)


def load_network(state: State, sizes: HeadSizes) -> HeadNetwork:
    """The networks with the tensors of the published file, in float32; each key must fit.

    Raises:
        WeightsMismatch: a key is missing, not known, or of another shape.
    """
    network = build_network(sizes)
    fill(network, used(state), "GAGAvatar.pt")
    return network


def used(state: State) -> dict[str, Tensor]:
    """The tensors of a file without those of the loss and those nothing reads."""
    return {
        key: value
        for key, value in state.items()
        if not TRAINING_ONLY.search(key) and not UNUSED.search(key)
    }
