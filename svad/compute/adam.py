"""Adam for a few tensors, each with a rate of its own, without loading torch's compiler."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

EPSILON = 1e-8
LARGE = 50_000  # numbers, from which a compiled loop is faster than passes of torch


class Adam:
    """Adam (Kingma and Ba, 2015), with the arithmetic of torch's own.

    That one loads torch's compiler when it is made, which takes over a second. `rates` may be
    changed between steps. Large float32 tensors on the CPU are done in one compiled pass.
    """

    def __init__(
        self,
        values: Sequence[Tensor],  # any shape [...], leaves that learn in place
        rates: Sequence[float],  # one for each
        decays: tuple[float, float] = (0.9, 0.999),  # of mean and square
        epsilon: float = EPSILON,  # gradients much smaller than this move their value less
    ) -> None:
        self.values, self.rates, self.decays, self.steps = values, list(rates), decays, 0
        self.epsilon = epsilon
        self.moments = [(torch.zeros_like(value), torch.zeros_like(value)) for value in values]

    @torch.no_grad()
    def step(
        self,
        gradients: Sequence[Tensor],  # of the shapes [...] of the values
    ) -> None:
        """One step against the gradients."""
        self.steps += 1
        first, second = (1 - decay**self.steps for decay in self.decays)
        each = zip(self.values, self.rates, self.moments, gradients, strict=True)
        for value, rate, (mean, square), gradient in each:
            if value.numel() >= LARGE and all(map(_plain, (value, mean, square))):
                arrays = (value, gradient.to(value).contiguous(), mean, square)
                _compiled_step(arrays, self.decays, rate / first, second**-0.5, self.epsilon)
                continue
            mean.lerp_(gradient, 1 - self.decays[0])
            square.mul_(self.decays[1]).addcmul_(gradient, gradient, value=1 - self.decays[1])
            spread = square.sqrt() / second**0.5 + self.epsilon
            value.addcdiv_(mean, spread, value=-rate / first)


def _plain(value: Tensor) -> bool:
    """Whether the compiled loop takes it."""
    simple = type(value) in (Tensor, torch.nn.Parameter) and value.is_contiguous()
    return simple and value.device.type == "cpu" and value.dtype == torch.float32


def _compiled_step(
    tensors: tuple[Tensor, ...],
    decays: tuple[float, float],
    rate: float,
    root: float,
    epsilon: float,
) -> None:
    """One step on a value, its gradient, mean and square: float32, contiguous, on the CPU."""
    import numpy as np

    from svad.compute.adam_kernels import step
    from svad.compute.compiled import spread

    arrays = [tensor.detach().numpy().reshape(-1) for tensor in tensors]
    n, threads = len(arrays[0]), torch.get_num_threads()
    keeps = (np.float32(decays[0]), np.float32(decays[1]))
    numbers = (np.float32(rate), np.float32(root), np.float32(epsilon))
    edges = [n * p // threads // 64 * 64 for p in range(threads)] + [n]
    spread(step, edges, threads, *arrays, keeps, *numbers)
    # tensors saved for a backward pass must notice that the value has changed
    torch.autograd.graph.increment_version(tensors[0])
