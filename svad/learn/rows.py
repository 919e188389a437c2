"""Adam whose memory belongs to rows, for one row of parameters per frame.

One Adam over the table of all frames would move frames that were not drawn, by the momentum of
earlier steps, and would count steps they did not take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from svad.compute.adam import EPSILON


class RowAdam:
    """Adam (Kingma and Ba, 2015) with moments and a step count for every row.

    A row that is drawn in every step takes the steps of `compute.adam.Adam`. `rates` may be changed
    between steps; `state` is what a checkpoint keeps.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],  # tables [T, ...] of the same T, which learn in place
        rates: Mapping[str, float],
        decays: tuple[float, float] = (0.9, 0.999),  # of mean and square
    ) -> None:
        self.parameters, self.rates, self.decays = dict(parameters), dict(rates), decays
        if self.parameters.keys() != self.rates.keys():
            raise ValueError(f"Rates for {sorted(parameters)} were expected, not {sorted(rates)}.")
        self.state: dict[str, Tensor] = {}
        for name, table in self.parameters.items():
            self.state[f"{name}.mean"] = torch.zeros_like(table, requires_grad=False)
            self.state[f"{name}.square"] = torch.zeros_like(table, requires_grad=False)
        some = next(iter(self.parameters.values()))
        self.state["steps"] = torch.zeros(len(some), dtype=torch.float64, device=some.device)

    @torch.no_grad()
    def step(
        self,
        rows: Sequence[int],  # [R] each at most once
        gradients: Mapping[str, Tensor],  # [R, ...] of these rows; those missing do not move
    ) -> None:
        """One step of the rows given; all others stay as they are, moments included."""
        if len(set(rows)) != len(rows):
            raise ValueError("A row was given twice in one step; add up its gradients.")
        steps = self.state["steps"]
        at = torch.as_tensor(rows, dtype=torch.int64, device=steps.device)
        taken = steps[at] + 1
        steps[at] = taken
        first, second = (1 - decay**taken for decay in self.decays)
        for name, gradient in gradients.items():
            table = self.parameters[name]
            mean, square = self.state[f"{name}.mean"], self.state[f"{name}.square"]
            wide = (len(rows), *[1] * (table.ndim - 1))
            m = mean[at].lerp_(gradient, 1 - self.decays[0])
            s = square[at].mul_(self.decays[1])
            s.addcmul_(gradient, gradient, value=1 - self.decays[1])
            mean[at], square[at] = m, s
            spread = s.sqrt() / second.sqrt().view(wide).to(s) + EPSILON
            table[at] -= (self.rates[name] / first).view(wide).to(s) * m / spread
