"""Tiles, blocks, limits and records: the numbers that the kernels share."""

from __future__ import annotations

import math

import numpy as np

TILE_W = 8  # pixels: one 256-bit register of float32
TILE_H = 32  # pixels
TILE = TILE_W * TILE_H
GROUP = 32  # channels drawn in one go
AHEAD = 6  # splats between asking for a record and drawing it
COLUMN_SHIFT, ROW_SHIFT = 3, 5  # log2 of the tile
BLOCK = 64  # splats projected in one go

BLUR = np.float32(0.3)  # px^2, added to the diagonal of the 2D covariance
ALPHA_MAX = np.float32(0.999)
ALPHA_MIN = np.float32(1 / 255)
STOP = np.float32(1e-4)  # a pixel ends before the splat that would take its T to this or below
CUT_MAX = np.float32(math.log(255.0))  # -ln of the smallest alpha of an opaque splat

# e^-x for x in 0..0.7, relative error 8e-8; e^-s is the eighth power of it at s / 8.
E0 = np.float32(0.9999999205127449)
E1 = np.float32(-0.9999925393032584)
E2 = np.float32(0.4998825872608916)
E3 = np.float32(-0.16597397513755904)
E4 = np.float32(0.03977256130886237)
E5 = np.float32(-0.005846759904034566)
EIGHTH = np.float32(1 / 8)

ONE = np.float32(1)
ZERO = np.float32(0)
HALF = np.float32(0.5)
TWO = np.float32(2)
SIXTEEN = np.float32(16)
# Odd coefficients of ln((1 + t) / (1 - t)) and what goes with them
L3, L5, L7, L9 = np.float32(2 / 3), np.float32(2 / 5), np.float32(2 / 7), np.float32(2 / 9)
LN2, ROOT2 = np.float32(math.log(2)), np.float32(math.sqrt(2))
# From the end of a splat to the first pixel and past the last one, with a little to spare
INWARD, OUTWARD = np.float32(0.499), np.float32(0.501)

# Columns of a record: centre (px), the conic as q = U dx + V dy, r = W dy with
# q^2 + r^2 = s / 8, opacity, and the largest s / 8 that is drawn.
# The first three colours follow, then, as integers, tile columns [X0, X1) and pixel rows [Y0, Y1).
# A record fills one line of the cache.
MX, MY, U, V, W, OPACITY, CUT, RED, GREEN, BLUE, X0, X1, Y0, Y1 = range(14)
RECORD = 16
