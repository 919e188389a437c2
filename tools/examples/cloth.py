"""Lets cloth fall on a body: extended position based dynamics (Macklin et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.compute.compiled import cached
from tools.examples.volume import Grid, trilinear

GRAVITY = 9.8  # metres per second squared


@dataclass(frozen=True, kw_only=True)
class Fabric:
    """How a cloth behaves."""

    stretch: float = 2e-7  # compliance of threads, m/N for a unit mass point
    bend: float = 2e-4  # compliance against folding; smaller = stiffer, larger folds
    damping: float = 2.5  # share of speed lost per second
    friction: float = 0.6
    gap: float = 0.004  # metres kept from the body


def edges_of(faces: np.ndarray) -> np.ndarray:  # [E, 2] sorted pairs, each once
    """All edges of a triangle mesh."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.sort(pairs, 1), axis=0)


def opposite_pairs(faces: np.ndarray) -> np.ndarray:  # [B, 2]
    """For every inner edge, the two vertices across it."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    across = np.concatenate([faces[:, 2], faces[:, 0], faces[:, 1]])
    pairs = np.sort(pairs, 1)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, across = pairs[order], across[order]
    twin = (pairs[:-1] == pairs[1:]).all(1)
    return np.stack([across[:-1][twin], across[1:][twin]], 1)


def border(faces: np.ndarray) -> np.ndarray:  # [E, 2] directed edges with one triangle
    """The open edges, in the direction their triangle runs."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, index, count = np.unique(np.sort(pairs, 1), axis=0, return_inverse=True, return_counts=True)
    return pairs[count[index.ravel()] == 1]


def drape(
    vertices: np.ndarray,  # [V, 3] start
    faces: np.ndarray,  # [F, 3]
    body: Grid,  # signed distance of what it hangs on
    fabric: Fabric,
    *,
    slack: np.ndarray | None = None,  # [E] rest length over start length, order of edges_of
    held: np.ndarray | None = None,  # [V] 0..1, how firmly a vertex stays where it starts
    seconds: float = 1.0,
    rate: int = 600,  # steps per second
    gravity: float = GRAVITY,
) -> np.ndarray:  # [V, 3]
    """Where the cloth comes to rest (or is after `seconds`)."""
    edges, wings = edges_of(faces), opposite_pairs(faces)
    # shuffled, so that errors are not swept in one direction
    rng = np.random.default_rng(1)
    order, order_wings = rng.permutation(len(edges)), rng.permutation(len(wings))
    slack = np.ones(len(edges)) if slack is None else slack
    length = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1) * slack
    span = np.linalg.norm(vertices[wings[:, 0]] - vertices[wings[:, 1]], axis=1)
    links = np.concatenate([edges[order], wings[order_wings]])
    lengths = np.concatenate([length[order], span[order_wings] * slack.mean()])
    give = np.concatenate([np.full(len(edges), fabric.stretch), np.full(len(wings), fabric.bend)])
    held = np.zeros(len(vertices)) if held is None else held
    places = np.ascontiguousarray(vertices, float).copy()
    _fall(
        places,
        places.copy(),
        np.ascontiguousarray(links, np.int64),
        lengths,
        give,
        np.ascontiguousarray(held, float),
        body.values,
        body.origin,
        body.step,
        1.0 / rate,
        int(seconds * rate),
        fabric.damping,
        fabric.friction,
        fabric.gap,
        gravity,
    )
    return places


@cached(nogil=True, error_model="numpy", fastmath=True)
def _fall(
    place, home, links, lengths, give, held, values, origin, step, dt, steps,
    damping, friction, gap, gravity,
):  # fmt: skip
    count = place.shape[0]
    speed = np.zeros((count, 3))
    before = place.copy()
    keep = max(0.0, 1 - damping * dt)
    for _ in range(steps):
        for i in range(count):
            before[i] = place[i]
            speed[i, 1] -= gravity * dt
            for k in range(3):
                speed[i, k] *= keep
                place[i, k] += min(max(speed[i, k], -2.0), 2.0) * dt
        for e in range(links.shape[0]):
            i, j = links[e, 0], links[e, 1]
            wi, wj = 1 - held[i], 1 - held[j]
            if wi + wj < 1e-9:
                continue
            x, y, z = (
                place[j, 0] - place[i, 0],
                place[j, 1] - place[i, 1],
                place[j, 2] - place[i, 2],
            )
            now = np.sqrt(x * x + y * y + z * z) + 1e-12
            push = (now - lengths[e]) / (wi + wj + give[e] / (dt * dt)) / now
            place[i, 0] += wi * push * x
            place[i, 1] += wi * push * y
            place[i, 2] += wi * push * z
            place[j, 0] -= wj * push * x
            place[j, 1] -= wj * push * y
            place[j, 2] -= wj * push * z
        for i in range(count):
            if held[i] > 0:
                for k in range(3):
                    place[i, k] += held[i] * (home[i, k] - place[i, k])
            d, gx, gy, gz = trilinear(values, origin, step, place[i, 0], place[i, 1], place[i, 2])
            if d < gap:
                size = np.sqrt(gx * gx + gy * gy + gz * gz) + 1e-9
                gx, gy, gz = gx / size, gy / size, gz / size
                depth = min(gap - d, 0.01)
                place[i, 0] += depth * gx
                place[i, 1] += depth * gy
                place[i, 2] += depth * gz
                mx, my, mz = (
                    place[i, 0] - before[i, 0],
                    place[i, 1] - before[i, 1],
                    place[i, 2] - before[i, 2],
                )
                out = mx * gx + my * gy + mz * gz
                tx, ty, tz = mx - out * gx, my - out * gy, mz - out * gz
                slide = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-12
                stop = min(1.0, friction * depth / slide)
                place[i, 0] -= stop * tx
                place[i, 1] -= stop * ty
                place[i, 2] -= stop * tz
            for k in range(3):
                speed[i, k] = (place[i, k] - before[i, k]) / dt
