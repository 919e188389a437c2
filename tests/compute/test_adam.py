"""Our Adam takes the steps of torch's."""

from __future__ import annotations

import pytest
import torch

from svad.compute.adam import LARGE, Adam


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


def test_large_tensors_take_the_same_steps_in_one_compiled_pass() -> None:
    random = torch.Generator().manual_seed(0)
    start = torch.randn(LARGE // 10 + 7, 10, generator=random)
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    adam, reference = Adam([ours], (0.01,)), torch.optim.Adam([theirs], lr=0.01)
    for _ in range(5):
        theirs.grad = torch.randn(start.shape, generator=random)
        adam.step([theirs.grad])
        reference.step()
    torch.testing.assert_close(ours, theirs, atol=2.5e-6, rtol=0)  # one ulp of 4 each


def test_a_value_that_moved_spoils_a_graph_that_needs_it() -> None:
    """As an operation of torch in place would: no gradient of a mix of old and new values."""
    value = torch.ones(LARGE, requires_grad=True)
    loss = value.square().sum()
    Adam([value], (0.01,)).step([torch.ones(LARGE)])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
