"""Splats in the order of their depth, shared out to the tiles that they touch."""

# An intrinsic takes the compiler's context and gets it from there, which no checker sees.
# pyright: reportCallIssue=false

from __future__ import annotations

import numpy as np

from svad.compute.compiled import jit_beside
from svad.splat.kernels.constants import AHEAD, ROW_SHIFT
from svad.splat.kernels.prefetch import fetch


@jit_beside
def sort_by_depth(depth_bits, count, slot, ids):
    """Visible splats, nearest first, into ids [N]; first pair of each into slot [N]; returns M, I.

    depth_bits [N] int32: positive float32 read as integers keep their order. Stable radix sort
    over the bits in which the depths differ.
    """
    n = count.shape[0]
    keys = np.empty((2, n), np.int32)
    order = np.empty((2, n), np.int32)
    visible, pairs = 0, 0
    low, high = np.int32(2147483647), np.int32(0)
    for i in range(n):
        slot[i] = pairs
        if count[i] > 0:
            key = depth_bits[i]
            low, high = min(low, key), max(high, key)
            keys[0, visible] = key
            order[0, visible] = i
            visible += 1
            pairs += count[i]
    if visible == 0:
        return visible, pairs
    bits = 1
    while (high - low) >> bits > 0:
        bits += 1
    passes = (bits + 10) // 11
    digit = (bits + passes - 1) // passes
    mask = (1 << digit) - 1
    starts = np.zeros((passes, mask + 1), np.int32)
    for j in range(visible):
        key = keys[0, j] - low
        keys[0, j] = key
        for p in range(passes):
            starts[p, (key >> (p * digit)) & mask] += 1
    now = 0
    for p in range(passes):
        total = np.int32(0)
        for b in range(mask + 1):
            amount = starts[p, b]
            starts[p, b] = total
            total += amount
        for j in range(visible):
            key = keys[now, j]
            b = (key >> (p * digit)) & mask
            place = starts[p, b]
            starts[p, b] = place + 1
            keys[1 - now, place] = key
            order[1 - now, place] = order[now, j]
        now = 1 - now
    for j in range(visible):
        ids[j] = order[now, j]
    return visible, pairs


@jit_beside
def start_tiles(amounts, starts, places):
    """Where the lists start [tiles + 1]; the first and last place of each, places [2, tiles]."""
    parts, tiles = amounts.shape
    total = 0
    for tile in range(tiles):
        starts[tile] = total
        places[0, tile] = total
        for part in range(parts):
            total += amounts[part, tile]
        places[1, tile] = total - 1
    starts[tiles] = total


@jit_beside
def fill_tiles(first, last, edges, ids, box, tiles_x, places, slot, lists, rows):
    """The splats of each tile, nearest first, into lists [I] int32 (a counting sort).

    Part 0 is the near half of the splats and fills the lists from the front, part 1 the far half,
    from the back: edges [3]. rows [I] int32 get the rows of these pairs when they are counted splat
    by splat; no rows are written when none are asked for (length 0).
    """
    wanted = len(rows) > 0
    for part in range(first, last):
        step = 1 - 2 * part
        begin, size = edges[2 * part], edges[part + 1] - edges[part]
        for k in range(size):
            i = ids[begin + k if part == 0 else begin - 1 - k]
            coming = min(k + AHEAD, size - 1)
            fetch(box, ids[begin + coming if part == 0 else begin - 1 - coming])
            row = slot[i]
            x0, x1 = box[i, 0], box[i, 1]
            for ty in range(box[i, 2] >> ROW_SHIFT, ((box[i, 3] - 1) >> ROW_SHIFT) + 1):
                for tile in range(ty * tiles_x + x0, ty * tiles_x + x1):
                    place = places[part, tile]
                    lists[place] = i
                    if wanted:
                        rows[place] = row
                        row += 1
                    places[part, tile] = place + step
