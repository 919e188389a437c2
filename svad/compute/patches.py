"""The compiled loops of patch synthesis: nearest patches by random search, and their vote.

Barnes et al., "PatchMatch" (2009), sections 3 and 4; Wexler et al., "Space-time completion of
video" (2007), section 3. One thread, so that the result is the same on every machine.
"""

from __future__ import annotations

import numpy as np

from svad.compute.compiled import jit, part

FEW = 1e-6  # of a weight


@part
def _next(state: int) -> int:
    """The next of a row of 31-bit random numbers (a linear congruence)."""
    return (state * 1103515245 + 12345) & 0x7FFFFFFF


@part
def _distance(
    target: np.ndarray,  # [H, W, 3]
    trust: np.ndarray,  # [H, W]
    source: np.ndarray,  # [H, W, 3]
    y: int,
    x: int,
    sy: int,
    sx: int,
    r: int,
    best: float,
) -> float:
    """Mean squared difference of two patches, weighted by trust; gives up above `best`."""
    h, w = trust.shape
    total = 0.0
    weight = 0.0
    for dy in range(-r, r + 1):
        if y + dy < 0 or y + dy >= h:
            continue
        for dx in range(-r, r + 1):
            if x + dx < 0 or x + dx >= w:
                continue
            t = trust[y + dy, x + dx]
            if t <= 0:
                continue
            for c in range(3):
                e = target[y + dy, x + dx, c] - source[sy + dy, sx + dx, c]
                total += t * e * e
            weight += t
        # the rest can only add; the weight is at most that of a patch trusted everywhere
        if total > best * (2 * r + 1) * (2 * r + 1):
            return np.inf
    return total / max(weight, FEW)


@part
def _cost(
    target: np.ndarray,  # [H, W, 3]
    trust: np.ndarray,  # [H, W]
    source: np.ndarray,  # [H, W, 3]
    usable: np.ndarray,  # [H, W] bool
    y: int,
    x: int,
    sy: int,
    sx: int,
    r: int,
    along: float,
    best: float,
) -> float:
    """What it costs to match a place with another; infinite where that is no better than `best`."""
    h, w = trust.shape
    if sy < 0 or sx < 0 or sy >= h or sx >= w or not usable[sy, sx]:
        return np.inf
    apart = along * (sy - y) * (sy - y)
    if apart >= best:
        return np.inf
    return _distance(target, trust, source, y, x, sy, sx, r, best - apart) + apart


@jit
def nearest_patches(
    target: np.ndarray,  # [H, W, 3] float32
    trust: np.ndarray,  # [H, W] float32, 0 = outside
    source: np.ndarray,  # [H, W, 3] float32
    usable: np.ndarray,  # [H, W] bool, centres of whole patches of the source
    places: np.ndarray,  # [P, 2] int32, row and column of the centres to be matched, in scan order
    found: np.ndarray,  # [H, W, 2] int32, row and column of their matches, changed in place
    cost: np.ndarray,  # [H, W] float32, changed in place
    r: int,
    rounds: int,
    along: float,  # cost of a squared pixel between a place's row and its match's
    seed: int,
) -> None:
    """Improves the matches by the neighbours' and by random ones in shrinking windows."""
    h, w = trust.shape
    state = seed & 0x7FFFFFFF
    count = len(places)
    for k in range(count):
        y, x = places[k]
        sy, sx = found[y, x]
        apart = along * (sy - y) * (sy - y)
        cost[y, x] = _distance(target, trust, source, y, x, sy, sx, r, np.inf) + apart
    for turn in range(rounds):
        step = 1 if turn % 2 == 0 else -1
        for k in range(count):
            y, x = places[k if step > 0 else count - 1 - k]
            by, bx = found[y, x]
            best = cost[y, x]
            for side in range(2):
                ny, nx = (y - step, x) if side == 0 else (y, x - step)
                if ny < 0 or nx < 0 or ny >= h or nx >= w or found[ny, nx, 0] < 0:
                    continue
                sy = found[ny, nx, 0] + (step if side == 0 else 0)
                sx = found[ny, nx, 1] + (0 if side == 0 else step)
                d = _cost(target, trust, source, usable, y, x, sy, sx, r, along, best)
                if d < best:
                    best, by, bx = d, sy, sx
            window = max(h, w)
            while window >= 1:
                state = _next(state)
                sy = by + (state >> 8) % (2 * window + 1) - window
                state = _next(state)
                sx = bx + (state >> 8) % (2 * window + 1) - window
                window //= 2
                d = _cost(target, trust, source, usable, y, x, sy, sx, r, along, best)
                if d < best:
                    best, by, bx = d, sy, sx
            found[y, x, 0], found[y, x, 1] = by, bx
            cost[y, x] = best


@jit
def vote(
    source: np.ndarray,  # [H, W, 3] float32
    places: np.ndarray,  # [P, 2] int32
    found: np.ndarray,  # [H, W, 2] int32
    cost: np.ndarray,  # [H, W] float32
    trust: np.ndarray,  # [H, W] float32
    r: int,
    out: np.ndarray,  # [H, W, 4] float32, sums of weighted colours and of weights; starts at 0
) -> None:
    """Every patch says what colours the pixels under it have; good and trusted ones say more."""
    h, w = trust.shape
    for k in range(len(places)):
        y, x = places[k]
        sy, sx = found[y, x]
        weight = trust[y, x] / ((cost[y, x] + 1e-3) * (cost[y, x] + 1e-3))
        for dy in range(-r, r + 1):
            for dx in range(-r, r + 1):
                if y + dy < 0 or x + dx < 0 or y + dy >= h or x + dx >= w:
                    continue
                for c in range(3):
                    out[y + dy, x + dx, c] += weight * source[sy + dy, sx + dx, c]
                out[y + dy, x + dx, 3] += weight
