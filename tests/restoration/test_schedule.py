"""Noise schedule, steps and waves against the published tables and diffusers."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler

from svad.restoration.schedule import betas, signal, steps, time_waves
from tests.fill import tensor
from tests.restoration.golden import Golden

ROUNDING = 1e-6  # relative; the tables are float32


def test_the_schedule_is_the_published_one(golden: Golden) -> None:
    table = golden.table("schedule")
    torch.testing.assert_close(betas().float(), table["betas"], rtol=ROUNDING, atol=0)
    torch.testing.assert_close(signal(), table["alphas_cumprod"], rtol=ROUNDING, atol=0)


def test_steps_are_those_of_the_table(golden: Golden) -> None:
    table = golden.json("tables/ddim.json")
    for count, want in table.items():
        if not count.isdecimal() or 1000 % int(count):
            continue
        found = steps(int(count))[::-1]
        assert [step.timestep for step in found] == want["timesteps"] and want["sigmas_all_zero"]
        assert [step.signal for step in found] == pytest.approx(want["alphas"], rel=ROUNDING)
        before = [step.next_signal for step in found]
        assert before == pytest.approx(want["alphas_prev"], rel=ROUNDING)
        rest = [(1 - step.signal) ** 0.5 for step in found]
        assert rest == pytest.approx(want["sqrt_one_minus_alphas"], rel=10 * ROUNDING)


def test_other_counts_are_refused(golden: Golden) -> None:
    invalid = set(golden.json("tables/ddim.json")["invalid_step_counts"])
    for count in range(-1, 1002):
        if 0 < count < 1000 and 1000 % count == 0:
            times = [step.timestep for step in steps(count)]
            if count not in invalid:
                assert len(times) == count and max(times) < 1000
        else:
            with pytest.raises(ValueError, match=f"{count} steps .* use one of"):
                steps(count)


def test_no_offered_count_leaves_the_schedule(golden: Golden) -> None:
    for count in golden.json("tables/ddim.json")["invalid_step_counts"]:
        with pytest.raises(ValueError, match="steps"):
            steps(count)


def test_waves_are_those_of_the_table(golden: Golden) -> None:
    table = golden.table("timestep_embedding")
    for name, want in table.items():
        if name.startswith("out.dim"):
            found = time_waves(table["in.t"], int(name.removeprefix("out.dim")))
            # a frequency's last bit, which processors round differently, times 999
            torch.testing.assert_close(found, want, rtol=0, atol=1e-4)
            assert (found - want).abs().mean() < 1e-6


@pytest.mark.parametrize("count", [1, 4, 20, 50])
def test_a_run_is_that_of_diffusers(count: int) -> None:
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=False, steps_offset=1, timestep_spacing="leading",
    )  # fmt: skip
    scheduler.set_timesteps(count)
    x = want = tensor("x", (1, 4, 8, 8), 0)
    for k, (step, t) in enumerate(zip(steps(count), scheduler.timesteps, strict=True)):
        noise = tensor(f"noise{k}", (1, 4, 8, 8), 0)
        assert step.timestep == t
        x, _ = step(x, noise)
        want = scheduler.step(noise, t, want).prev_sample
    torch.testing.assert_close(x, want, rtol=1e-4, atol=1e-4)
