"""The UNets: parity of calls, banks, inner modules and the temporal module alone."""

from __future__ import annotations

import json
import re

import pytest
import torch
from torch import Tensor, nn

from svad.diffusion.models import Models
from svad.diffusion.spatial import Call, Condition
from svad.diffusion.temporal import TemporalModule
from svad.diffusion.unet import fold
from tests.diffusion.golden import CALL, Case, Golden, assert_close


def timestep(text: str, which: int = 0) -> int:
    return int(re.findall(r"t=(\d+)", text)[which])


def guided(models: Models, case: Case, *, half_bank: bool = False) -> Condition:
    """The two rows of a golden guided call."""
    x = case.arrays
    bank = models.reference_unet.write_bank(x["ref_latent"], x["clip_token"])
    if half_bank:
        bank = {name: n.half().float() for name, n in bank.items()}
    tokens = torch.cat([torch.zeros_like(x["clip_token"]), x["clip_token"]])
    return models.video_unet.condition(tokens, bank)


def test_the_appearance_unet_writes_the_bank(golden: Golden) -> None:
    for case in golden.cases("reference_unet"):
        unet, x = golden.models(case.config).reference_unet, case.arrays
        tokens = torch.cat([torch.zeros_like(x["clip_token"]), x["clip_token"]])
        bank = unet.write_bank(x["latent"].repeat(2, 1, 1, 1), tokens)
        assert {f"bank.{name}" for name in bank} == {k for k in x if k.startswith("bank.")}
        for name, found in bank.items():
            assert_close(found, x[f"bank.{name}"], CALL, name)
        last = unet(
            x["latent"][:, :, None],
            unet.time_shifts(case.entry["timestep"]),
            unet.condition(tokens),
        )
        assert_close(last[:, :, 0], x["last_hidden"], CALL, "last_hidden")


def test_the_video_unet_without_a_photo(golden: Golden) -> None:
    for case in golden.cases("denoising_unet_bare"):
        unet, x = golden.models(case.config).video_unet, case.arrays
        for name, text in case.entry["outputs"].items():
            sample = x["sample_odd" if "sample_odd" in text else "sample"]
            pose = x["pose_fea"] if "pose_fea" in text else None
            if "first frame only" in text:
                sample, pose = sample[:, :, :1], pose[:, :, :1]
            condition = unet.condition(x["enc"][: len(sample)])
            found = unet(sample, unet.time_shifts(timestep(text)), condition, pose)
            assert_close(found, x[name], CALL, name)


def test_the_video_unet_reads_the_bank(golden: Golden) -> None:
    for case in golden.cases("denoising_unet_reference"):
        models, x = golden.models(case.config), case.arrays
        unet = models.video_unet
        shifts = unet.time_shifts(timestep(case.entry["network"], -1))
        both = guided(models, case)
        found = unet(x["sample"], shifts, both, x["pose_fea"])
        assert_close(found, x["out_cfg"], CALL, "both rows")
        one = unet(x["sample"], shifts, both.row(1), x["pose_fea"])
        assert_close(one, x["out_nocfg"], CALL, "conditional row")
        free = unet(x["sample"], shifts, both.row(0), x["pose_fea"])
        assert_close(free, x["out_cfg"][:1], CALL, "unconditional row")
        half = guided(models, case, half_bank=True)
        found = unet(x["sample"], shifts, half, x["pose_fea"])
        assert_close(found, x["out_cfg_bank16"], CALL, "bank in float16")


def test_modules_inside_a_call(golden: Golden) -> None:
    for taps in golden.cases("denoising_unet_taps"):
        case = golden.case("denoising_unet_reference", taps.config)
        models, x = golden.models(taps.config), taps.arrays
        unet = models.video_unet
        shifts = unet.time_shifts(timestep(case.entry["network"], -1))
        for key in taps.entry["inputs"]:
            name, sample = key.removeprefix("in."), x[key]
            call = Call(frames=sample.shape[2], shifts=shifts, condition=guided(models, case))
            module = unet.get_submodule(name)
            argument = call
            if "resnets" in name:
                argument = shifts[name]
            elif "motion_modules" in name:
                argument = call.frames
            found = module(fold(sample), argument).unflatten(0, (len(sample), -1))
            assert_close(found.transpose(1, 2), x[f"out.{name}"], CALL, name)


def test_the_trace_of_a_call(golden: Golden) -> None:
    """The first module that differs is named."""
    for trace in golden.cases("trace"):
        case = golden.case("denoising_unet_reference", trace.config)
        models = golden.models(trace.config)
        want = json.loads((trace.folder / trace.entry["file"]).read_text())
        found: dict[str, Tensor] = {}
        hooks = [
            models.video_unet.get_submodule(name).register_forward_hook(keeper(found, name))
            for name in want
        ]
        text = case.entry["network"]
        x = case.arrays
        models.video_unet(
            x["sample"],
            models.video_unet.time_shifts(timestep(text, -1)),
            guided(models, case),
            x["pose_fea"],
        )
        for hook in hooks:
            hook.remove()
        for name, numbers in want.items():
            check_trace(found[name], numbers, name)


def keeper(found: dict[str, Tensor], name: str):
    def keep(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        found[name] = output

    return keep


def check_trace(found: Tensor, numbers: dict, name: str) -> None:
    shape = numbers["shape"]
    if len(shape) == 5:
        frames = shape[2]
        rows = found.repeat(shape[0] * frames // len(found), 1, 1, 1)
        found = rows.unflatten(0, (-1, frames)).transpose(1, 2)
    else:
        found = found.expand(shape)
    assert list(found.shape) == shape, name
    flat = found.flatten().double()
    places = torch.linspace(0, len(flat) - 1, 8, dtype=torch.float64).round().long()
    limit = CALL * numbers["absmax"]
    for got, want in [
        (flat.mean(), numbers["mean"]),
        (flat.std(correction=0), numbers["std"]),
        (flat.abs().max(), numbers["absmax"]),
        *zip(flat[places], numbers["sample"], strict=True),
    ]:
        assert abs(got.item() - want) <= limit, f"{name} differs: {got.item()} for {want}"


def test_one_temporal_module(golden: Golden) -> None:
    for case in golden.cases("motion_module"):
        module = golden.models(case.config).video_unet.get_submodule(case.entry["module"])
        for key in case.entry["inputs"]:
            sample = case.arrays[key]
            found = module(fold(sample), sample.shape[2]).unflatten(0, (len(sample), -1))
            want = case.arrays[key.replace("in_", "out_")]
            assert_close(found.transpose(1, 2), want, CALL, key)


def test_a_window_longer_than_the_position_code_is_refused() -> None:
    module = TemporalModule(32, 8, 32, max_frames=4)
    with pytest.raises(ValueError, match="at most 4 frames"):
        module(torch.zeros(5, 32, 1, 1), 5)
