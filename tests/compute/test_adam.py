"""Our Adam takes the steps of torch's."""

from __future__ import annotations

import torch

from svad.compute.adam import Adam


def test_steps_are_those_of_torch_with_rates_that_fall() -> None:
    start = [torch.linspace(-1, 1, 7), torch.full((2, 3), 0.5)]
    ours = [value.clone().requires_grad_() for value in start]
    theirs = [value.clone().requires_grad_() for value in start]
    rates, decays = (0.1, 0.03), (0.8, 0.95)
    adam = Adam(ours, rates, decays)
    groups = [{"params": [v], "lr": rate} for v, rate in zip(theirs, rates, strict=True)]
    reference = torch.optim.Adam(groups, betas=decays)
    for _ in range(9):
        adam.step(torch.autograd.grad(sum((v**4 - v).sum() for v in ours), ours))
        reference.zero_grad()
        sum((v**4 - v).sum() for v in theirs).backward()
        reference.step()
        adam.rates = [rate * 0.9 for rate in adam.rates]
        for group in reference.param_groups:
            group["lr"] *= 0.9
    for mine, other, before in zip(ours, theirs, start, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=0)  # float32, nine steps
        assert (mine - before).abs().max() > 0.1
