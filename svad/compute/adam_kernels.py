"""The compiled loop of Adam: one pass over values, gradients and both moments."""

from __future__ import annotations

import math

import numpy as np

from svad.compute.compiled import jit

ONE = np.float32(1)


@jit
def step(first, last, value, gradient, mean, square, keeps, rate, root, epsilon):
    """A step on numbers [first, last) of flat float32 arrays [n].

    keeps: decays of mean and square; rate: over the bias correction of the mean; root: one over the
    root of that of the square.
    """
    keep, keep_square = keeps
    take, take_square = ONE - keep, ONE - keep_square
    v, g, m, s = value[first:last], gradient[first:last], mean[first:last], square[first:last]
    for j in range(len(v)):
        m[j] += take * (g[j] - m[j])
        s[j] = keep_square * s[j] + take_square * g[j] * g[j]
        v[j] -= rate * m[j] / (math.sqrt(s[j]) * root + epsilon)
