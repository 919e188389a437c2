"""The second-order solver against an equation whose solution is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from svad.config.diffusion import SOLVERS
from svad.diffusion.schedule import Schedule
from svad.diffusion.solver import make_solver

SPREADS = torch.tensor([0.7, 1.0, 2.0, 4.0], dtype=torch.float64)  # latents have about 1


def solve(name: str, steps: int) -> Tensor:
    """Data drawn from N(0, spread^2): the best prediction is known, and so is where it leads.

    The flow keeps x / sqrt(a spread^2 + 1 - a), so noise 1 ends at the spread itself.
    """
    schedule = Schedule()
    solver = make_solver(name, schedule, steps)
    x = torch.ones_like(SPREADS)
    for k, t in enumerate(schedule.timesteps(steps)):
        a = schedule.signal()[t].double()
        variance = a * SPREADS**2 + 1 - a
        clean = a.sqrt() * SPREADS**2 * x / variance
        noise = (1 - a).sqrt() * x / variance
        x = solver.step(k, x, a.sqrt() * noise - (1 - a).sqrt() * clean)
    return x


def error(name: str, steps: int) -> float:
    return float(((solve(name, steps) - SPREADS).abs() / SPREADS).mean())


@pytest.mark.parametrize("name", SOLVERS)
def test_more_steps_come_closer(name: str) -> None:
    errors = [error(name, steps) for steps in (5, 10, 20, 50)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.05


def test_the_second_order_needs_half_the_steps() -> None:
    assert error("dpm2m", 10) < error("ddim", 20)


def test_the_first_and_the_last_step_are_the_first_order() -> None:
    generator = torch.Generator().manual_seed(0)
    x, v = torch.randn(2, 7, generator=generator, dtype=torch.float64)
    ddim, second = (make_solver(name, Schedule(), 2) for name in ("ddim", "dpm2m"))
    for k in range(2):
        assert torch.allclose(ddim.step(k, x, v), second.step(k, x, v), atol=1e-6)


def test_an_unknown_solver_is_refused() -> None:
    with pytest.raises(ValueError, match="ddim, dpm2m"):
        make_solver("euler", Schedule(), 10)
