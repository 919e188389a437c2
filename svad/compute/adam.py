"""Adam for a few tensors, each with a rate of its own, without loading torch's compiler."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

EPSILON = 1e-8


class Adam:
    """Adam (Kingma and Ba, 2015), with the arithmetic of torch's own.

    That one loads torch's compiler when it is made, which takes over a second. `rates` may be
    changed between steps.
    """

    def __init__(
        self,
        values: Sequence[Tensor],  # any shape [...], leaves that learn in place
        rates: Sequence[float],  # one for each
        decays: tuple[float, float] = (0.9, 0.999),  # of mean and square
    ) -> None:
        self.values, self.rates, self.decays, self._steps = values, list(rates), decays, 0
        self._moments = [(torch.zeros_like(value), torch.zeros_like(value)) for value in values]

    @torch.no_grad()
    def step(
        self,
        gradients: Sequence[Tensor],  # of the shapes [...] of the values
    ) -> None:
        """One step against the gradients."""
        self._steps += 1
        first, second = (1 - decay**self._steps for decay in self.decays)
        each = zip(self.values, self.rates, self._moments, gradients, strict=True)
        for value, rate, (mean, square), gradient in each:
            mean.lerp_(gradient, 1 - self.decays[0])
            square.mul_(self.decays[1]).addcmul_(gradient, gradient, value=1 - self.decays[1])
            spread = square.sqrt() / second**0.5 + EPSILON
            value.addcdiv_(mean, spread, value=-rate / first)
