"""Noise schedule and DDIM steps for v-prediction with zero terminal signal-to-noise ratio."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

TRAINING_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """DDIM without noise of its own (Song et al. 2021, equation 12, eta 0), trailing spacing."""

    beta_start: float = 0.00085
    beta_end: float = 0.012

    def betas(self) -> Tensor:  # [1000]
        """The scaled-linear betas, made to end without signal."""
        alphas = self.signal()
        ratio = torch.cat([alphas[:1], alphas[1:] / alphas[:-1]])
        return 1 - ratio

    def signal(self) -> Tensor:  # [1000]
        """Cumulated alphas; the last one is exactly 0 (Lin et al. 2024, algorithm 1)."""
        roots = torch.linspace(
            self.beta_start**0.5, self.beta_end**0.5, TRAINING_STEPS, dtype=torch.float32
        )
        s = torch.cumprod(1 - roots**2, 0).sqrt()
        s = (s - s[-1]) * (s[0] / (s[0] - s[-1]))
        return s**2

    @staticmethod
    def timesteps(steps: int) -> list[int]:
        """The timesteps of a run, from noise to picture."""
        return [round(TRAINING_STEPS - k * TRAINING_STEPS / steps) - 1 for k in range(steps)]

    def step(
        self,
        latents: Tensor,  # [...]
        velocity: Tensor,  # [...], the prediction
        timestep: int,
        steps: int,  # of the whole run
    ) -> tuple[Tensor, Tensor]:  # latents one step on, the clean latents they lead to
        """One step towards the picture."""
        signal = self.signal()
        before = timestep - TRAINING_STEPS // steps
        a = float(signal[timestep])
        b = float(signal[before]) if before >= 0 else 1.0
        clean = a**0.5 * latents - (1 - a) ** 0.5 * velocity
        noise = a**0.5 * velocity + (1 - a) ** 0.5 * latents
        return b**0.5 * clean + (1 - b) ** 0.5 * noise, clean
