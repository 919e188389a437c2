"""Counted floating-point operations of the head; a multiply with an add counts as two.

Only matrix products, convolutions and attention count, as in torch's `FlopCounterMode`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from svad.identity.planes import CODE
from svad.identity.refiner import SMALLEST
from svad.identity.sizes import LEVELS, HeadSizes, RefinerSizes


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Operations once for a person, and of one frame; drawing the Gaussians is not counted."""

    backbone: int
    pyramid: int
    local_head: int  # one of the two
    expression_head: int
    refiner: int  # one frame

    @property
    def build(self) -> int:
        """All that is done once for a person."""
        return self.backbone + self.pyramid + 2 * self.local_head + self.expression_head


def cost(sizes: HeadSizes | None = None) -> Cost:
    """Operations of each part at the given sizes (default: the published ones)."""
    sizes = sizes or HeadSizes()
    return Cost(
        backbone=_backbone(sizes),
        pyramid=_pyramid(sizes),
        local_head=_local_head(sizes),
        expression_head=_expression_head(sizes),
        refiner=_refiner(sizes.refiner, sizes.lifting.channels),
    )


def _backbone(sizes: HeadSizes) -> int:
    vit = sizes.vit
    patches, width = vit.grid**2, vit.width
    tokens = 1 + patches
    block = 4 * _linear(tokens, width, width) + 4 * tokens * tokens * width
    block += 2 * _linear(tokens, width, vit.ratio * width)
    return _linear(patches, 3 * vit.patch**2, width) + vit.depth * block


def _pyramid(sizes: HeadSizes) -> int:
    grid, features = sizes.vit.grid, sizes.pyramid.features
    widths = sizes.pyramid.projections
    sides = [4 * grid, 2 * grid, grid, (grid + 1) // 2]
    total = sum(_linear(grid**2, sizes.vit.width, width) for width in widths)
    total += _linear(grid**2, widths[0], 16 * widths[0])  # the two transposed convolutions
    total += _linear(grid**2, widths[1], 4 * widths[1])
    total += _conv(sides[3], widths[3], widths[3])
    for width, side in zip(widths, sides, strict=True):
        total += _conv(side, 3 + width, features)
    goals = [2 * sides[0], *sides[:-1]]
    for level in range(LEVELS):
        units = 1 if level == LEVELS - 1 else 2  # the coarsest has nothing to add
        total += 2 * units * _conv(sides[level], features, features)
        total += _linear(goals[level] ** 2, features, features)
    return total + _conv(goals[0], features, features)


def _local_head(sizes: HeadSizes) -> int:
    side, lifting = sizes.plane, sizes.lifting
    inner, outputs = lifting.inner, lifting.channels + 9
    first = _conv(side, sizes.pyramid.features + CODE, inner)
    return first + 2 * _conv(side, inner, inner) + _linear(side**2, inner, outputs)


def _expression_head(sizes: HeadSizes) -> int:
    lifting = sizes.lifting
    rows, hidden, inner = lifting.vertices, lifting.hidden, lifting.inner
    total = _linear(rows, lifting.base + sizes.vit.width, hidden)
    total += 3 * _linear(rows, hidden, hidden)
    return total + sum(
        _linear(rows, hidden + CODE, inner) + _linear(rows, inner, outputs)
        for outputs in (lifting.channels, 1, 3, 4)
    )


def _refiner(sizes: RefinerSizes, channels: int) -> int:
    sides = [SMALLEST << level for level in range(sizes.levels + 1)]
    widths = [sizes.width(side) for side in sides]
    total = _linear(sizes.image**2, channels, widths[-1])
    total += _conv(SMALLEST, widths[0], widths[0])
    total += _linear(1, widths[0] * SMALLEST**2, sizes.style)
    for (small, large), (coarse, fine) in zip(pairwise(sides), pairwise(widths), strict=True):
        total += _residual(large, small, fine, coarse) + _residual(small, large, coarse, fine)
        total += 2 * (_conv(large, fine, fine) + _conv(large, fine, 2 * fine))
    return total + _decoder(sizes, sides, [2 * width for width in widths])


def _decoder(sizes: RefinerSizes, sides: list[int], widths: list[int]) -> int:
    total = sizes.layers * _linear(1, sizes.style, sizes.style)
    total += _styled(sides[0], widths[0], widths[0], sizes.style)
    total += _to_rgb(sides[0], widths[0], sizes.style)
    for side, (before, after) in zip(sides[1:], pairwise(widths), strict=True):
        total += _styled(side, before, after, sizes.style)
        total += _styled(side, after, after, sizes.style)
        total += _to_rgb(side, after, sizes.style)
    return total


def _styled(side: int, inputs: int, outputs: int, style: int) -> int:
    """Modulation, demodulation and the convolution itself."""
    return _linear(1, style, inputs) + _linear(1, inputs, outputs) + _conv(side, inputs, outputs)


def _to_rgb(side: int, inputs: int, style: int) -> int:
    return _linear(1, style, inputs) + _linear(side**2, inputs, 3)


def _residual(before: int, after: int, inputs: int, outputs: int) -> int:
    """A residual block from one side to another."""
    shortcut = _linear(after**2, inputs, outputs)
    return _conv(before, inputs, inputs) + _conv(after, inputs, outputs) + shortcut


def _conv(side: int, inputs: int, outputs: int) -> int:
    """A 3 x 3 convolution to side x side pixels."""
    return _linear(side**2, 9 * inputs, outputs)


def _linear(rows: int, inputs: int, outputs: int) -> int:
    return 2 * rows * inputs * outputs
