"""Sizes of the Gaussian head's networks; the defaults are those of the published file."""

from __future__ import annotations

from dataclasses import dataclass, field

LEVELS = 4  # blocks whose tokens feed the pyramid: the last ones


@dataclass(frozen=True, kw_only=True)
class VitSizes:
    """The backbone: DINOv2 ViT-B/14 without register tokens."""

    image: int = 518  # px, side of the input
    patch: int = 14  # px
    width: int = 768
    depth: int = 12  # blocks
    heads: int = 12
    ratio: int = 4  # inner width of the perceptron over the width

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return self.image // self.patch


@dataclass(frozen=True, kw_only=True)
class PyramidSizes:
    """The feature pyramid on the backbone."""

    projections: tuple[int, ...] = (256, 512, 1024, 1024)  # channels, finest first
    features: int = 256  # channels of the plane


@dataclass(frozen=True, kw_only=True)
class LiftingSizes:
    """The three heads that turn features into Gaussians."""

    vertices: int = 5023  # of FLAME
    base: int = 256  # width of the learnt vector of a vertex
    hidden: int = 256  # width of the expression head's layers
    inner: int = 128  # width of the convolutions and of the attribute layers
    channels: int = 32  # of a Gaussian's colour


@dataclass(frozen=True, kw_only=True)
class RefinerSizes:
    """The refiner; the decoder is twice as wide as the encoder at every size."""

    image: int = 512  # px, side of input and output, a power of two
    style: int = 512  # width of the style vector
    layers: int = 8  # of the style perceptron
    widest: int = 256  # encoder channels at 4 px
    channels: int = 8192  # encoder channels x px from where that is less than `widest`

    @property
    def levels(self) -> int:
        """Doublings from 4 px to the picture's size."""
        return self.image.bit_length() - 3

    def width(self, px: int) -> int:
        """Encoder channels at one size: 512:16, 256:32, 128:64, 64:128, smaller:256."""
        return min(self.widest, self.channels // px)


@dataclass(frozen=True, kw_only=True)
class HeadSizes:
    """All networks of the head."""

    vit: VitSizes = field(default_factory=VitSizes)
    pyramid: PyramidSizes = field(default_factory=PyramidSizes)
    lifting: LiftingSizes = field(default_factory=LiftingSizes)
    refiner: RefinerSizes = field(default_factory=RefinerSizes)

    @property
    def plane(self) -> int:
        """Points of the image plane along one side."""
        return 8 * self.vit.grid

    @property
    def gaussians(self) -> int:
        """Of the vertices, then before the plane and behind it."""
        return self.lifting.vertices + 2 * self.plane**2
