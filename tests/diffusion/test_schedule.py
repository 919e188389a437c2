"""Windows, padding, noise schedule, position and time codes: published tables."""

from __future__ import annotations

import pytest
import torch

from svad.diffusion.layers import time_waves
from svad.diffusion.temporal import position_code
from svad.diffusion.windows import ordered_halving, padded_frames, windows
from tests.diffusion.golden import Golden

CPU = torch.device("cpu")
TIMES = (0, 1, 49, 499, 999)  # rows of the time table


def test_windows_and_padding(golden: Golden) -> None:
    _, table = golden.table()
    for row in table["windows"]:
        found = windows(
            row["frames"], row["context"], row["overlap"], stride=row["stride"],
            step=row["step"], closed_loop=row["closed_loop"],
        )  # fmt: skip
        assert found == row["windows"], row
    for frames, context, overlap, padded in table["padding"]:
        assert padded_frames(frames, context, overlap) == padded
    for step, fraction in table["ordered_halving"].items():
        assert ordered_halving(int(step)) == fraction


@pytest.mark.parametrize("frames", [49, 100, 189, 301])
def test_windows_of_a_padded_clip_cover_it_without_wrapping(frames: int) -> None:
    found = windows(padded_frames(frames, 48, 4), 48, 4)
    assert set(range(frames)) <= {i for part in found for i in part}
    assert all(part == sorted(part) and len(part) == 48 for part in found)


def test_the_schedule(golden: Golden) -> None:
    arrays, table = golden.table()
    found = golden.schedule()
    # near the end a beta is a quotient of float32 numbers near 0: their last bit shows in it
    torch.testing.assert_close(found.betas(), arrays["betas"], atol=1e-5, rtol=0)
    torch.testing.assert_close(found.signal(), arrays["alphas_cumprod"], atol=1e-6, rtol=0)
    assert found.signal()[-1] == 0
    for steps, times in table["timesteps"].items():
        assert found.timesteps(int(steps)) == times


def test_one_step(golden: Golden) -> None:
    arrays, _ = golden.table()
    keys = [key.split("_")[1:] for key in arrays if key.startswith("x0_")]
    assert keys
    for steps, t in keys:
        following, clean = golden.schedule().step(
            arrays["step_x"], arrays["step_v"], int(t), int(steps)
        )
        torch.testing.assert_close(following, arrays[f"step_{steps}_{t}"], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(clean, arrays[f"x0_{steps}_{t}"], atol=1e-5, rtol=1e-5)


def test_the_codes(golden: Golden) -> None:
    arrays, _ = golden.table()
    for key, want in arrays.items():
        if key.startswith("time_embed_"):
            rows = [time_waves(t, want.shape[1], CPU) for t in TIMES]
            # the last bit of a frequency near 1, times a timestep of 999, is 6e-5 radians
            torch.testing.assert_close(torch.cat(rows), want, atol=1e-4, rtol=0)
        if key.startswith("pe_"):
            found = position_code(128, want.shape[1], CPU, torch.float32)[:: 128 // len(want)]
            torch.testing.assert_close(found, want, atol=1e-5, rtol=0)
