"""Adam with a memory per row."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from svad.compute.adam import Adam
from svad.learn.rows import RowAdam


def tables() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)
    return {
        "rotations": torch.randn(5, 4, 3, generator=random),
        "translation": torch.randn(5, 3, generator=random),
    }


def gradients(seed: int) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return {n: torch.randn(v.shape, generator=random) for n, v in tables().items()}


def test_every_row_takes_the_steps_of_an_adam_of_its_own() -> None:
    ours, rates = tables(), {"rotations": 4e-3, "translation": 2e-3}
    adam = RowAdam(ours, rates)
    singles = [{n: v[t : t + 1].clone() for n, v in tables().items()} for t in range(5)]
    adams = [Adam(list(single.values()), list(rates.values())) for single in singles]
    for step, rows in enumerate([[0, 3], [3], [3, 1, 0], [3], [0]]):
        all_rows = gradients(step)
        adam.step(rows, {n: g[rows] for n, g in all_rows.items()})
        for t in rows:
            adams[t].step([g[t : t + 1] for g in all_rows.values()])
    for t, single in enumerate(singles):
        for name, value in single.items():
            # float32; corrections are taken in float64 here
            torch.testing.assert_close(ours[name][t], value[0], atol=1e-6, rtol=0)
    assert adam.state["steps"].tolist() == [3, 1, 0, 4, 0]


def test_rows_that_were_not_drawn_stay_to_the_bit() -> None:
    ours = tables()
    adam = RowAdam(ours, {"rotations": 1.0, "translation": 1.0})
    adam.step([1, 2], {n: g[:2] for n, g in gradients(0).items()})
    before = {n: v.clone() for n, v in (ours | adam.state).items()}
    adam.step([2], {n: g[:1] for n, g in gradients(1).items()})
    for name, value in (ours | adam.state).items():
        assert torch.equal(value[[0, 1, 3, 4]], before[name][[0, 1, 3, 4]])
        assert not torch.equal(value[2], before[name][2])


def test_a_kept_state_goes_on_as_if_nothing_had_been() -> None:
    whole, halves = tables(), tables()
    rates = {"rotations": 0.1, "translation": 0.2}
    one, first = RowAdam(whole, rates), RowAdam(halves, rates)
    for adam in (one, first):
        adam.step([0, 4], {n: g[:2] for n, g in gradients(0).items()})
    second = RowAdam(halves, rates)
    for name, kept in first.state.items():
        second.state[name].copy_(kept)
    for adam in (one, second):
        adam.step([4, 1], {n: g[:2] for n, g in gradients(1).items()})
    assert all(torch.equal(whole[n], halves[n]) for n in whole)


def test_learned_leaves_may_be_given() -> None:
    table = torch.zeros(3, 2, requires_grad=True)
    adam = RowAdam({"shift": table}, {"shift": 0.5})
    (gradient,) = torch.autograd.grad((table - 1).square().sum(), table)
    adam.step([1], {"shift": gradient[[1]]})
    assert table.requires_grad and table.is_leaf
    torch.testing.assert_close(table.detach(), torch.tensor([[0.0, 0], [0.5, 0.5], [0, 0]]))


def test_bad_input_is_said() -> None:
    with pytest.raises(ValueError, match="Rates for"):
        RowAdam(tables(), {"rotations": 1.0})
    adam = RowAdam(tables(), {"rotations": 1.0, "translation": 1.0})
    with pytest.raises(ValueError, match="twice"):
        adam.step([1, 1], {})


@pytest.mark.gpu
def test_a_gpu_takes_the_same_steps() -> None:
    here, rates = tables(), {"rotations": 4e-3, "translation": 2e-3}
    there = {name: table.cuda() for name, table in tables().items()}
    adams = RowAdam(here, rates), RowAdam(there, rates)
    for step, rows in enumerate([[0, 3], [3], [1]]):
        given = {name: g[rows] for name, g in gradients(step).items()}
        adams[0].step(rows, given)
        adams[1].step(rows, {name: g.cuda() for name, g in given.items()})
    for name, table in here.items():
        torch.testing.assert_close(there[name].cpu(), table, atol=1e-6, rtol=0)  # float32
