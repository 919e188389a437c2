"""Least squares for numbers of many frames, tied to near frames only, and numbers of all frames.

The normal equations of the frames are a band, those of the common numbers a border around it: the
band is factored (Cholesky), the border follows by its Schur complement (Triggs et al. 2000,
Bundle Adjustment, section 6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular


@dataclass(frozen=True)
class Tie:
    """Sums over near frames: row i is the sum of coefficient times value of frame i + offset."""

    offsets: tuple[int, ...]
    coefficients: np.ndarray  # [I, offsets]

    def of(self, values: np.ndarray) -> np.ndarray:  # [T, ...] -> [I, ...]
        """The sums."""
        rows = len(self.coefficients)
        shape = (-1, *[1] * (values.ndim - 1))
        return sum(
            (
                self.coefficients[:, k].reshape(shape) * values[o : o + rows]
                for k, o in enumerate(self.offsets)
            ),
            start=np.zeros((rows, *values.shape[1:])),
        )

    def back(self, rows: np.ndarray, count: int) -> np.ndarray:  # [I, ...] -> [T, ...]
        """The transposed: what each frame gets of the rows."""
        out = np.zeros((count, *rows.shape[1:]))
        shape = (-1, *[1] * (rows.ndim - 1))
        for k, o in enumerate(self.offsets):
            out[o : o + len(rows)] += self.coefficients[:, k].reshape(shape) * rows
        return out


class Normal:
    """Normal equations of T frames of D numbers and of G common ones."""

    def __init__(self, count: int, size: int, common: int, reach: int) -> None:
        self._blocks = [np.zeros((max(count - lag, 0), size, size)) for lag in range(reach + 1)]
        self.gradient = np.zeros((count, size))
        self.border = np.zeros((count, size, common))
        self.common = np.zeros((common, common))
        self.common_gradient = np.zeros(common)

    @property
    def own(self) -> np.ndarray:  # [T, D, D]
        """The blocks of the frames themselves, to be added to."""
        return self._blocks[0]

    def rows(
        self,
        values: np.ndarray,  # [T, R]
        by_own: np.ndarray,  # [T, R, D]
        by_common: np.ndarray,  # [T, R, G]
    ) -> None:
        """Adds residuals of single frames."""
        turned = np.swapaxes(by_own, 1, 2)
        self._blocks[0] += turned @ by_own
        self.border += turned @ by_common
        self.gradient += (turned @ values[..., None])[..., 0]
        flat = by_common.reshape(-1, by_common.shape[-1])
        self.common += flat.T @ flat
        self.common_gradient += flat.T @ values.ravel()

    def tied(
        self,
        tie: Tie,
        weights: np.ndarray,  # [I, C]
        values: np.ndarray,  # [T, C]
        by_own: np.ndarray,  # [T, C, D]
        by_common: np.ndarray,  # [T, C, G]
    ) -> None:
        """Adds residuals that are sums over near frames of C values, weighted."""
        count = len(values)
        turned = np.swapaxes(by_own, 1, 2)
        square = weights**2
        pull = tie.back(square * tie.of(values), count)
        self.gradient += (turned @ pull[..., None])[..., 0]
        flat = by_common.reshape(-1, by_common.shape[-1])
        self.common_gradient += flat.T @ pull.ravel()
        spread = tie.back(square[..., None] * tie.of(by_common), count)
        self.border += turned @ spread
        self.common += flat.T @ spread.reshape(flat.shape)
        rows = len(square)
        for i, one in enumerate(tie.offsets):
            for j, other in enumerate(tie.offsets):
                if one < other:
                    continue
                both = (tie.coefficients[:, i] * tie.coefficients[:, j])[:, None] * square
                left = turned[one : one + rows] * both[:, None]
                self._blocks[one - other][other : other + rows] += (
                    left @ by_own[other : other + rows]
                )

    def own_tied(
        self,
        tie: Tie,
        weights: np.ndarray,  # [I, D], 0 = not tied
        values: np.ndarray,  # [T, D]
    ) -> None:
        """The same of the frames' numbers as they are."""
        square = weights**2
        self.gradient += tie.back(square * tie.of(values), len(values))
        rows, place = len(square), np.arange(values.shape[1])
        for i, one in enumerate(tie.offsets):
            for j, other in enumerate(tie.offsets):
                if one >= other:
                    both = (tie.coefficients[:, i] * tie.coefficients[:, j])[:, None] * square
                    self._blocks[one - other][other : other + rows, place, place] += both

    def step(self, damping: float) -> tuple[np.ndarray, np.ndarray]:  # [T, D], [G]
        """What to add to all numbers. Raises LinAlgError where the damping is too small."""
        count, size = self.gradient.shape
        common = len(self.common_gradient)
        right = np.concatenate([self.gradient[..., None], self.border], 2)
        solved = self._solved(right.reshape(count * size, -1), damping)
        alone, through = solved[:, 0], solved[:, 1:]
        flat = self.border.reshape(count * size, common)
        schur = self.common - flat.T @ through
        schur[np.diag_indices(common)] += damping * np.diag(self.common) + 1e-12
        shared = cho_solve(cho_factor(schur), self.common_gradient - flat.T @ alone)
        return -(alone - through @ shared).reshape(count, size), -shared

    def _solved(self, right: np.ndarray, damping: float) -> np.ndarray:  # [T D, N] -> [T D, N]
        """Solves for the frames alone, some frames at a time, each tied to the next ones only."""
        size = self.gradient.shape[1] * max(len(self._blocks) - 1, 1)
        factors, ties, found = [], [], []
        for first in range(0, len(right), size):
            here, below = self._part(first, size, damping)
            wanted = right[first : first + size]
            if ties:
                here -= ties[-1] @ ties[-1].T
                wanted = wanted - ties[-1] @ found[-1]
            factor = cholesky(here, lower=True, overwrite_a=True, check_finite=False)
            factors.append(factor)
            found.append(solve_triangular(factor, wanted, lower=True, check_finite=False))
            ties.append(solve_triangular(factor, below.T, lower=True, check_finite=False).T)
        for i in reversed(range(len(found))):
            if i + 1 < len(found):
                found[i] -= ties[i].T @ found[i + 1]
            found[i] = solve_triangular(
                factors[i], found[i], lower=True, trans=1, check_finite=False
            )
        return np.concatenate(found)

    def _part(
        self, first: int, size: int, damping: float
    ) -> tuple[np.ndarray, np.ndarray]:  # [S, S], [S', S]
        """Some frames' own part of the band, and the one that ties the next ones to them."""
        count, own = self.gradient.shape
        start, frames = first // own, size // own
        stop = min(start + frames, count)
        more = min(stop + frames, count)
        whole = np.zeros(((more - start) * own, (stop - start) * own))
        for lag, blocks in enumerate(self._blocks):
            for column in range(start, min(stop, more - lag)):
                a, b = (column + lag - start) * own, (column - start) * own
                whole[a : a + own, b : b + own] = blocks[column]
        here, below = np.split(whole, [(stop - start) * own])
        here = np.tril(here) + np.tril(here, -1).T
        here[np.diag_indices(len(here))] *= 1 + damping
        return here, below


def cauchy(
    values: np.ndarray,  # [...] in standard deviations
    scale: float,  # of them, from which on more counts little
) -> float:
    """Half the sum of squares, with outliers that count less (Cauchy's)."""
    return 0.5 * scale**2 * float(np.log1p((values / scale) ** 2).sum())


def trust(
    values: np.ndarray,  # [...] in standard deviations
    scale: float,
) -> np.ndarray:  # [...]
    """Weights with which squares have that cost's slope (Holland and Welsch 1977)."""
    return 1 / (1 + (values / scale) ** 2)
