"""A compiled loop over all points: the joints that hold each most."""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import jit

KEPT = 4  # joints of a point


@jit
def strongest(first, last, weights, ids, kept):
    """The KEPT largest weights of points [first, last), largest first, and the joints they are of.

    weights [P, J] float32, J >= KEPT; ids [P, KEPT] int64; kept [P, KEPT] float32. Of equal
    weights the joint with the lower number comes first.
    """
    for i in range(first, last):
        for k in range(KEPT):
            ids[i, k], kept[i, k] = 0, np.float32(-1)
        for j in range(weights.shape[1]):
            weight, k = weights[i, j], KEPT
            while k > 0 and weight > kept[i, k - 1]:
                k -= 1
            if k == KEPT:
                continue
            for later in range(KEPT - 1, k, -1):
                ids[i, later], kept[i, later] = ids[i, later - 1], kept[i, later - 1]
            ids[i, k], kept[i, k] = j, weight
