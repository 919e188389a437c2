"""Compiled loops over all points: the joints that hold each most, and what touches what."""

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


@jit
def pieces(cells, steps, piece, waiting, found):
    """Numbers the connected pieces of a grid, in the order of their first points; returns how many.

    cells [P]: the cell of each point; steps [S]: from a cell to those that touch it, which must all
    be on the grid; piece [C] int32 of each cell, zeros at the start, numbers from 1 at the end;
    waiting [P] is scratch; found [P]: the piece of each point, from 0.
    """
    for cell in cells:
        piece[cell] = -1
    count = 0
    for p in range(len(cells)):
        if piece[cells[p]] == -1:
            count += 1
            piece[cells[p]] = count
            waiting[0], length = cells[p], 1
            while length > 0:
                length -= 1
                cell = waiting[length]
                for step in steps:
                    if piece[cell + step] == -1:
                        piece[cell + step] = count
                        waiting[length] = cell + step
                        length += 1
        found[p] = piece[cells[p]] - 1
    return count
