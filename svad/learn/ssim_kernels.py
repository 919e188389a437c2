"""The compiled loops of SSIM: separable blurs, the index and its derivatives, row by row.

Pictures are rows [R, n] float32 of n = W C numbers, the R = B H rows of a batch under each other.
A kernel works on a range of rows. It keeps the last eleven blurred rows in a ring, so that each row
is blurred along x once and everything between picture and result stays in the cache. A row's result
does not depend on the range it is in: any number of threads gives the same bits.

Sums of eleven terms are taken in two halves because a loop over more arrays is not vectorised.
"""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import jit, part

RADIUS = 5  # px; the window is 11 px wide
TAPS = 2 * RADIUS + 1
BLOCK = 256  # numbers of a row that are finished in one go
SIGMA = 1.5  # px
_BELL = np.exp(-0.5 * (np.arange(TAPS) - RADIUS) ** 2 / SIGMA**2)
WINDOW = _BELL / _BELL.sum()
G0, G1, G2, G3, G4, G5 = (np.float32(g) for g in WINDOW[: RADIUS + 1])
C1, C2 = np.float32(0.01**2), np.float32(0.03**2)  # Wang et al. 2004 for a data range of 1
TWO, ONE, ZERO = np.float32(2), np.float32(1), np.float32(0)


@part
def _outer(out, a0, a1, a2, b2, b1, b0):
    """The three outer pairs of taps into `out`."""
    for j in range(len(out)):
        out[j] = G0 * (a0[j] + b0[j]) + G1 * (a1[j] + b1[j]) + G2 * (a2[j] + b2[j])


@part
def _inner(out, a3, a4, c, b4, b3):
    """Adds the five inner taps to `out`."""
    for j in range(len(out)):
        out[j] += G3 * (a3[j] + b3[j]) + G4 * (a4[j] + b4[j]) + G5 * c[j]


@part
def _along(out, row, channels):
    """Blurs a row that has five pixels of zeros on both sides: row [n + 10 C] into out [n]."""
    n, c = len(out), channels
    _outer(
        out, row[0:n], row[c : c + n], row[2 * c : 2 * c + n],
        row[8 * c : 8 * c + n], row[9 * c : 9 * c + n], row[10 * c : 10 * c + n],
    )  # fmt: skip
    _inner(
        out, row[3 * c : 3 * c + n], row[4 * c : 4 * c + n], row[5 * c : 5 * c + n],
        row[6 * c : 6 * c + n], row[7 * c : 7 * c + n],
    )  # fmt: skip


@part
def _across(out, ring, y, start):
    """Blurs columns [start, start + len(out)) around row y from a ring [11, n] of rows."""
    # row y - 5 + k of the picture lies in slot (y + 6 + k) % 11
    end = start + len(out)
    a0, a1, a2 = ring[(y + 6) % TAPS], ring[(y + 7) % TAPS], ring[(y + 8) % TAPS]
    a3, a4, c = ring[(y + 9) % TAPS], ring[(y + 10) % TAPS], ring[y % TAPS]
    b4, b3 = ring[(y + 1) % TAPS], ring[(y + 2) % TAPS]
    b2, b1, b0 = ring[(y + 3) % TAPS], ring[(y + 4) % TAPS], ring[(y + 5) % TAPS]
    _outer(
        out, a0[start:end], a1[start:end], a2[start:end],
        b2[start:end], b1[start:end], b0[start:end],
    )  # fmt: skip
    _inner(out, a3[start:end], a4[start:end], c[start:end], b4[start:end], b3[start:end])


@part
def _products(rows, x, y, margin):
    """x, x x and x y into the middles of three rows [3, n + 2 margin]."""
    n = len(x)
    first, second, third = rows[0, margin:], rows[1, margin:], rows[2, margin:]
    for j in range(n):
        first[j], second[j] = x[j], x[j] * x[j]
    for j in range(n):
        third[j] = x[j] * y[j]


@part
def _ssim(planes, size, kept):
    """Planes of BLOCK: moments of both pictures in 0..4, their derivatives out in 5..7; the sum.

    0..4 hold the window's means of x, x x, x y, y and y y; 5..7 get the derivatives of SSIM after
    the first three.
    """
    total = ZERO
    for j in range(size):
        mx, my = planes[j], planes[j + 3 * BLOCK]
        product, squares = mx * my, mx * mx + my * my
        a1, b1 = TWO * product + C1, squares + C1
        a2 = TWO * (planes[j + 2 * BLOCK] - product) + C2
        b2 = planes[j + BLOCK] + planes[j + 4 * BLOCK] - squares + C2
        inverse = ONE / (b1 * b2)
        value = a1 * a2 * inverse
        total += value
        if kept:
            scaled = value * inverse
            planes[j + 5 * BLOCK] = TWO * (my * (a2 - a1) * inverse + mx * scaled * (b1 - b2))
            planes[j + 6 * BLOCK] = -scaled * b1
            planes[j + 7 * BLOCK] = TWO * a1 * inverse
    return total


@part
def _distance(x, y):
    """Sum of |x - y|."""
    total = ZERO
    for j in range(len(x)):
        total += abs(x[j] - y[j])
    return total


@part
def _copy(out, values):
    for j in range(len(out)):
        out[j] = values[j]


@jit
def target_moments(first, last, target, height, channels, mean, square):
    """The window's means of y and y y: rows [first, last) of target [R, n] into two [R, n]."""
    n, margin = target.shape[1], RADIUS * channels
    rows = np.zeros((3, n + 2 * margin), np.float32)
    ring = np.empty((2, TAPS, n), np.float32)
    for i in range(first, last):
        y = i % height
        fresh = i == first or y == 0
        for ahead in range(-RADIUS if fresh else RADIUS, RADIUS + 1):
            slot = (y + ahead + TAPS) % TAPS
            if y + ahead < 0 or y + ahead >= height:
                ring[:, slot] = ZERO
                continue
            _products(rows, target[i + ahead], target[i + ahead], margin)
            _along(ring[0, slot], rows[0], channels)
            _along(ring[1, slot], rows[1], channels)
        _across(mean[i], ring[0], y, 0)
        _across(square[i], ring[1], y, 0)


@jit
def forward_of_rows(
    first, last, image, target, mean, square, height, channels, derivatives, sums
):  # fmt: skip
    """Sums of SSIM and of |x - y| over each row into sums [R, 2] float64.

    image, target, mean, square [R, n]; derivatives [3, R, n] of SSIM after the window's means of
    x, x x and x y are written where there is room for them (or [3, 0, n]).
    """
    n, margin, kept = image.shape[1], RADIUS * channels, derivatives.shape[1] > 0
    rows = np.zeros((3, n + 2 * margin), np.float32)
    ring = np.empty((3, TAPS, n), np.float32)
    planes = np.empty(8 * BLOCK, np.float32)
    for i in range(first, last):
        y = i % height
        fresh = i == first or y == 0
        for ahead in range(-RADIUS if fresh else RADIUS, RADIUS + 1):
            slot = (y + ahead + TAPS) % TAPS
            if y + ahead < 0 or y + ahead >= height:
                ring[:, slot] = ZERO
                continue
            _products(rows, image[i + ahead], target[i + ahead], margin)
            for m in range(3):
                _along(ring[m, slot], rows[m], channels)
        sums[i, 0], sums[i, 1] = 0.0, _distance(image[i], target[i])
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            for m in range(3):
                _across(planes[m * BLOCK : m * BLOCK + size], ring[m], y, start)
            _copy(planes[3 * BLOCK : 3 * BLOCK + size], mean[i, start : start + size])
            _copy(planes[4 * BLOCK : 4 * BLOCK + size], square[i, start : start + size])
            sums[i, 0] += _ssim(planes, size, kept)
            if kept:
                for m in range(3):
                    at = (5 + m) * BLOCK
                    _copy(derivatives[m, i, start : start + size], planes[at : at + size])


@part
def _gradient(out, planes, x, y, of_ssim, of_distance):
    """Chain rule through the three blurs of one block, and the sign of x - y."""
    second, third = planes[BLOCK:], planes[2 * BLOCK :]
    for j in range(len(out)):
        out[j] = of_ssim * (planes[j] + TWO * x[j] * second[j] + y[j] * third[j])
    for j in range(len(out)):
        sign = ONE if x[j] > y[j] else (-ONE if x[j] < y[j] else ZERO)
        out[j] += of_distance * sign


@jit
def backward_of_rows(
    first, last, gradient, derivatives, image, target, height, channels, of_ssim, of_distance
):  # fmt: skip
    """Rows [first, last) of the gradient [R, n] after the image.

    of_ssim, of_distance: the loss's derivatives after the two sums of `forward_of_rows`, float32.
    The blur is its own adjoint, since the window is symmetric and the padding zero.
    """
    n, margin = image.shape[1], RADIUS * channels
    row = np.zeros(n + 2 * margin, np.float32)
    ring = np.empty((3, TAPS, n), np.float32)
    planes = np.empty(3 * BLOCK, np.float32)
    for i in range(first, last):
        y = i % height
        fresh = i == first or y == 0
        for ahead in range(-RADIUS if fresh else RADIUS, RADIUS + 1):
            slot = (y + ahead + TAPS) % TAPS
            if y + ahead < 0 or y + ahead >= height:
                ring[:, slot] = ZERO
                continue
            for m in range(3):
                _copy(row[margin : margin + n], derivatives[m, i + ahead])
                _along(ring[m, slot], row, channels)
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            for m in range(3):
                _across(planes[m * BLOCK : m * BLOCK + size], ring[m], y, start)
            end = start + size
            _gradient(
                gradient[i, start:end], planes, image[i, start:end], target[i, start:end],
                of_ssim, of_distance,
            )  # fmt: skip
