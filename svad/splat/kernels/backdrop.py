"""Drawn pictures over a backdrop, as bytes."""

# An intrinsic takes the compiler's context and gets it from there, which no checker sees.
# pyright: reportCallIssue=false

from __future__ import annotations

import numpy as np

from svad.compute.compiled import jit_beside
from svad.splat.kernels.constants import HALF, ONE, ZERO

BYTE = np.float32(255)


@jit_beside
def lay(first, last, image, alpha, backdrop, dark, top, tint, out):
    """Rows [first, last) of a picture over a backdrop that a shadow lies on, into bytes.

    image [H, W, 3] premultiplied, alpha [H, W], backdrop [H, W, 3], all float32 in 0..1; dark
    [R, W] float32 is how dark the shadow is in the rows from `top` on, tint [3] how much a full one
    takes of each colour; out [H, W, 3] uint8.
    """
    rows = dark.shape[0]
    for y in range(first, last):
        row = min(max(0, y - top), max(0, rows - 1))
        lies = top <= y < top + rows
        for x in range(image.shape[1]):
            light = ONE - alpha[y, x]
            shade = dark[row, x] if lies else ZERO
            for c in range(3):
                behind = backdrop[y, x, c] * (ONE - shade * tint[c])
                value = min(ONE, max(ZERO, image[y, x, c] + light * behind))
                out[y, x, c] = np.uint8(value * BYTE + HALF)
