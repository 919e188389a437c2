"""Noise schedule and DDIM steps of the face restorer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

TRAINING_STEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012  # Stable Diffusion, "scaled linear"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step towards the picture."""

    timestep: int
    signal: float  # cumulated alpha before the step
    next_signal: float  # and after it

    def __call__(
        self,
        x: Tensor,  # [..., 4, h, w], latents
        noise: Tensor,  # [..., 4, h, w], predicted
    ) -> tuple[Tensor, Tensor]:  # [..., 4, h, w] each
        """The latents one step on and the clean latents they lead to, from the predicted noise.

        Song et al. 2021, equation 12 with eta 0 (SVAD, equation 7); nothing is clipped.
        """
        a, b = self.signal, self.next_signal
        clean = (x - (1 - a) ** 0.5 * noise) / a**0.5
        return b**0.5 * clean + (1 - b) ** 0.5 * noise, clean


@lru_cache(maxsize=1)
def betas() -> Tensor:  # [1000] float64
    """Squares of evenly spaced roots."""
    roots = torch.linspace(BETA_START**0.5, BETA_END**0.5, TRAINING_STEPS, dtype=torch.float64)
    return roots**2


@lru_cache(maxsize=1)
def signal() -> Tensor:  # [1000] float32
    """Cumulated alphas, multiplied in double precision."""
    return torch.cumprod(1 - betas(), 0).float()


def steps(count: int) -> list[Step]:
    """The steps of a run, from noise to picture; the last one ends at timestep 0, not at 1.

    Raises:
        ValueError: the count does not divide 1000, or is 1000 itself: the published spacing then
            gives another number of steps or leaves the schedule.
    """
    if not 0 < count < TRAINING_STEPS or TRAINING_STEPS % count:
        offered = [n for n in range(1, TRAINING_STEPS) if TRAINING_STEPS % n == 0]
        raise ValueError(f"{count} steps cannot be spaced evenly; use one of {offered}")
    spacing = TRAINING_STEPS // count
    times = [k * spacing + 1 for k in range(count)]
    levels = signal()
    before = [0, *times]
    return [
        Step(timestep=t, signal=float(levels[t]), next_signal=float(levels[p]))
        for t, p in zip(reversed(times), reversed(before[:-1]), strict=True)
    ]


def time_waves(
    timesteps: Tensor,  # [R]
    width: int,
) -> Tensor:  # [R, width] float32
    """Cosines, then sines, of timesteps at `width / 2` frequencies (DDPM, appendix B)."""
    half = width // 2
    grid = torch.arange(half, dtype=torch.float32, device=timesteps.device)
    angles = timesteps.float()[:, None] * torch.exp(-math.log(10000.0) * grid / half)
    return torch.cat([angles.cos(), angles.sin()], -1)
