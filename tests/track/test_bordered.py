"""Least squares over frames, against the same written out as one matrix."""

from __future__ import annotations

import numpy as np
import pytest

from svad.track.bordered import Normal, Tie

COUNT, SIZE, COMMON = 7, 3, 2


@pytest.mark.parametrize("damping", [0.0, 0.1])
def test_steps_are_those_of_the_whole_matrix(damping: float) -> None:
    random = np.random.default_rng(0)
    normal = Normal(COUNT, SIZE, COMMON, reach=2)
    values, own, common = (random.normal(size=(COUNT, 5, *s)) for s in ((), (SIZE,), (COMMON,)))
    normal.rows(values, own, common)
    tie = Tie((0, 1, 2), random.normal(size=(COUNT - 2, 3)))
    weights, tied = random.normal(size=(COUNT - 2, 4)), random.normal(size=(COUNT, 4))
    by_own, by_common = (random.normal(size=(COUNT, 4, n)) for n in (SIZE, COMMON))
    normal.tied(tie, weights, tied, by_own, by_common)
    even, numbers = random.normal(size=(COUNT - 2, SIZE)), random.normal(size=(COUNT, SIZE))
    normal.own_tied(tie, even, numbers)

    def spread(rows: np.ndarray, more: np.ndarray) -> np.ndarray:  # [T, R, D], [T, R, G]
        out = np.zeros((*rows.shape[:2], COUNT * SIZE + COMMON))
        for t in range(COUNT):
            out[t, :, t * SIZE : (t + 1) * SIZE] = rows[t]
        out[..., COUNT * SIZE :] = more
        return out

    same = np.tile(np.eye(SIZE), (COUNT, 1, 1))
    parts = [
        (values, spread(own, common)),
        (weights * tie.of(tied), weights[..., None] * tie.of(spread(by_own, by_common))),
        (
            even * tie.of(numbers),
            even[..., None] * tie.of(spread(same, np.zeros((COUNT, SIZE, COMMON)))),
        ),
    ]
    rows = np.concatenate([v.ravel() for v, _ in parts])
    slopes = np.concatenate([m.reshape(-1, COUNT * SIZE + COMMON) for _, m in parts])
    matrix = slopes.T @ slopes
    matrix[np.diag_indices(len(matrix))] *= 1 + damping
    wanted = -np.linalg.solve(matrix, slopes.T @ rows)
    found = np.concatenate([part.ravel() for part in normal.step(damping)])
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-8)
