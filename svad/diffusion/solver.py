"""Steps from noise to frames: DDIM as published, or a second-order solver that needs fewer."""

from __future__ import annotations

from math import log
from typing import Protocol

from torch import Tensor

from svad.config.diffusion import SOLVERS
from svad.diffusion.schedule import Schedule


class Solver(Protocol):
    """Walks one run; made anew for each."""

    def step(
        self,
        index: int,  # of the step, from 0
        latents: Tensor,  # [...]
        velocity: Tensor,  # [...], the prediction at these latents
    ) -> Tensor:  # [...]
        """The latents one step on."""
        ...


def make_solver(name: str, schedule: Schedule, steps: int) -> Solver:
    """The solver of that name; raises ValueError for one that is not in `SOLVERS`."""
    if name not in SOLVERS:
        raise ValueError(f"the solver must be one of {', '.join(SOLVERS)}, not {name!r}")
    return Ddim(schedule, steps) if name == "ddim" else Dpm2M(schedule, steps)


class Ddim:
    """DDIM without noise of its own (Song et al. 2021), as the published program."""

    def __init__(self, schedule: Schedule, steps: int) -> None:
        self.schedule, self.steps = schedule, steps
        self.timesteps = schedule.timesteps(steps)

    def step(
        self,
        index: int,  # of the step
        latents: Tensor,  # [1, 4, F, h, w]
        velocity: Tensor,  # [1, 4, F, h, w], predicted
    ) -> Tensor:  # [1, 4, F, h, w] one step on
        return self.schedule.step(latents, velocity, self.timesteps[index], self.steps)[0]


class Dpm2M:
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2) on the same timesteps.

    It extrapolates the clean latents from two predictions. The first step starts without any
    signal, where the extrapolation vanishes, and the last one ends without noise, where the
    authors advise the first order: both are DDIM steps.
    """

    def __init__(self, schedule: Schedule, steps: int) -> None:
        signal = schedule.signal().double()
        levels = [float(signal[t]) for t in schedule.timesteps(steps)] + [1.0]
        self.alphas = [a**0.5 for a in levels]
        self.sigmas = [(1 - a) ** 0.5 for a in levels]
        self.last: Tensor | None = None  # clean latents of the step before

    def step(
        self,
        index: int,  # of the step
        latents: Tensor,  # [1, 4, F, h, w]
        velocity: Tensor,  # [1, 4, F, h, w], predicted
    ) -> Tensor:  # [1, 4, F, h, w] one step on
        a, s = self.alphas[index], self.sigmas[index]
        b, r = self.alphas[index + 1], self.sigmas[index + 1]
        clean = a * latents - s * velocity
        ahead = clean + self._slope(index, clean)
        self.last = clean
        return (r / s) * latents + (b - r * a / s) * ahead

    def _slope(self, index: int, clean: Tensor) -> Tensor | float:
        """What the second order adds to the clean latents."""
        if self.last is None or self.alphas[index - 1] == 0 or self.sigmas[index + 1] == 0:
            return 0.0
        before, now, after = (self._log_ratio(i) for i in (index - 1, index, index + 1))
        return (after - now) / (2 * (now - before)) * (clean - self.last)

    def _log_ratio(self, index: int) -> float:
        """Half the logarithm of the signal-to-noise ratio."""
        return log(self.alphas[index] / self.sigmas[index])
