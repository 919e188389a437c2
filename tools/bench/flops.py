"""Counted floating-point operations of the usual layers; a multiply with an add counts as two."""

from __future__ import annotations


def linear(tokens: int, inputs: int, outputs: int) -> int:
    """A linear layer, or a 1 x 1 convolution to so many pixels."""
    return 2 * tokens * inputs * outputs


def conv(pixels: int, inputs: int, outputs: int) -> int:
    """A 3 x 3 convolution to so many pixels."""
    return linear(pixels, 9 * inputs, outputs)


def depthwise(pixels: int, width: int) -> int:
    """A 3 x 3 convolution of each channel alone."""
    return linear(pixels, 9, width)


def attend(queries: int, keys: int, width: int) -> int:
    """The two matrix products of an attention, all heads together."""
    return 4 * queries * keys * width
