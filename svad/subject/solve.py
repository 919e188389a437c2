"""Robust least squares for a few dozen unknowns whose model can be evaluated in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Term:
    """Residuals of one kind, in units of their standard deviation."""

    values: np.ndarray  # [B, R]
    kernel: str = "square"  # "square", "cauchy" (outliers count less) or "gm" (hardly at all)
    scale: float = 3.0  # standard deviations where the kernel sets in


Model = Callable[[np.ndarray], Sequence[Term]]  # parameters [B, P] -> terms with [B, R] values


def minimise(
    model: Model,
    start: np.ndarray,  # [P]
    steps: np.ndarray,  # [P] finite difference of each parameter; 0 = keep it fixed
    rounds: int,
    begin_round: Callable[[int, np.ndarray], None] | None = None,
    damping: float = 1e-2,
) -> np.ndarray:  # [P]
    """Levenberg-Marquardt with reweighting (Nocedal and Wright, ch. 10; Holland 1977).

    The Jacobian comes from one batched evaluation with every free parameter moved by its step.
    Three dampings are tried at once and the best kept. `begin_round(i, x)` may refresh what the
    model holds fixed in a round (correspondences) and may raise to stop.
    """
    free = np.flatnonzero(steps)
    x = np.array(start, np.float64)
    for i in range(rounds):
        if begin_round is not None:
            begin_round(i, x)
        batch = np.tile(x, (len(free) + 1, 1))
        batch[np.arange(len(free)) + 1, free] += steps[free]
        hessian, gradient, cost = 0.0, 0.0, 0.0
        for term in model(batch):
            base = term.values[0]
            jacobian = (term.values[1:] - base) / steps[free, None]  # [P, R]
            weighted = jacobian * _weight(term, base)
            hessian = hessian + weighted @ jacobian.T
            gradient = gradient + weighted @ base
            cost += float(_cost(term)[0])
        diagonal = np.diag(hessian) + 1e-9
        tries = damping * np.array([0.1, 1.0, 20.0])
        moves = [np.linalg.solve(hessian + np.diag(d * diagonal), gradient) for d in tries]
        candidates = np.tile(x, (3, 1))
        candidates[:, free] -= np.stack(moves)
        costs = sum((_cost(term) for term in model(candidates)), start=np.zeros(len(tries)))
        best = int(np.argmin(costs))
        if costs[best] < cost:
            gain = (cost - costs[best]) / max(cost, 1e-12)
            x, damping = candidates[best], float(np.clip(tries[best], 1e-6, 1e3))
            if gain < 1e-5 and begin_round is None:
                break
        else:
            damping = min(damping * 30, 1e6)
    return x


def _weight(term: Term, values: np.ndarray) -> np.ndarray:
    if term.kernel == "square":
        return np.ones_like(values)
    soft = 1 / (1 + (values / term.scale) ** 2)
    return soft if term.kernel == "cauchy" else soft * soft


def _cost(term: Term) -> np.ndarray:  # [B]
    square = term.values**2
    if term.kernel == "square":
        return 0.5 * square.sum(1)
    c2 = term.scale**2
    if term.kernel == "cauchy":
        return 0.5 * c2 * np.log1p(square / c2).sum(1)
    return 0.5 * (square * c2 / (square + c2)).sum(1)
