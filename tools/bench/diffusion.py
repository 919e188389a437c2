"""Counted and measured cost of the video diffusion networks, with random weights."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from svad.config.diffusion import DiffusionConfig
from svad.config.preset import Preset
from svad.config.presets import PAPER, PRESETS
from svad.diffusion.models import Models, build_models
from svad.diffusion.sampler import Sampler
from svad.diffusion.sizes import LATENT_CHANNELS, ClipSizes, Sizes
from svad.diffusion.unet import UNet
from tools.bench.diffusion_cost import call_flops, cost
from tools.bench.plain_diffusion import make_plain

TINY = Sizes(
    block_out_channels=(32, 64, 64, 64),
    cross_attention_dim=32,
    pose_channels=(8, 8, 16, 16),
    vae_channels=(32, 32, 32, 32),
    vae_layers=1,
    clip=ClipSizes(hidden=32, intermediate=64, layers=2, heads=4, patch=32, proj=32),
)
LEAN_SIDE = 40  # latent px of the call that is compared with the published program's
LOOP_SIDE, LOOP_STEPS = 768, 3  # px; steps of one window that the loop is timed over


def run() -> Iterator[dict[str, Any]]:
    """One dict per figure; what wants a GPU says so where there is none."""
    yield from counted()
    yield from tiny()
    yield lean()
    if not torch.cuda.is_available():
        yield {"bench": "diffusion.cuda", "skipped": "no CUDA device"}
        return
    models = random_models(Sizes(), torch.device("cuda"), torch.bfloat16)
    yield loop(models)
    for name, preset in PRESETS.items():
        if preset.diffusion is not None:
            yield whole(models, preset.diffusion) | {"bench": f"diffusion.cuda.{name}"}


def _settings(preset: Preset) -> DiffusionConfig:
    """The stage's settings, of a preset that has it."""
    if preset.diffusion is None:
        raise ValueError(f"the preset {preset.name} generates no frames")
    return preset.diffusion


def counted() -> Iterator[dict[str, Any]]:
    """Operations of each preset, and of the published program at the paper's settings."""
    c = _settings(PAPER)
    latent = c.width // 8, c.height // 8
    lean = cost(c, c.frames)
    published = lean.guided_calls * call_flops(
        Sizes(), c.context, latent[1], latent[0], rows=2, lean=False
    )
    yield {"bench": "diffusion.flops.published_loop", "pflop": round(published / 1e15, 2)}
    for name, preset in PRESETS.items():
        if preset.diffusion is None:
            continue
        found = cost(preset.diffusion, preset.diffusion.frames)
        yield {
            "bench": "diffusion.flops",
            "preset": name,
            "pflop": round(found.total / 1e15, 3),
            "loop_pflop": round(found.loop / 1e15, 3),
            "guided_calls": found.guided_calls,
            "free_calls": found.free_calls,
            "of_published": round(found.loop / published, 4),
        }


def tiny() -> Iterator[dict[str, Any]]:
    """The whole run at a tiny size on the CPU: that it works, and how long it takes."""
    models = random_models(TINY, torch.device("cpu"), torch.float32)
    small = replace(
        _settings(PRESETS["quick"]), frames=8, width=64, height=96, context=6, overlap=2, steps=4
    )
    yield whole(models, small) | {"bench": "diffusion.cpu.tiny"}


def lean() -> dict[str, Any]:
    """One guided call on the CPU: seconds, and how many times as fast as the published program."""
    sizes = Sizes(
        block_out_channels=(32,) * 4, layers_per_block=1, motion_heads=1, cross_attention_dim=16
    )
    torch.manual_seed(0)
    writer = UNet(sizes, motion=False, head=False).requires_grad_(False)
    unet = UNet(sizes, motion=True, head=True).requires_grad_(False)
    latent = torch.randn(1, LATENT_CHANNELS, LEAN_SIDE, LEAN_SIDE)
    tokens = torch.randn(2, 1, sizes.cross_attention_dim)
    bank = writer.write_bank(latent, tokens[1:])
    sample = latent[:, :, None].repeat(1, 1, 2, 1, 1)
    pose = torch.randn(1, sizes.block_out_channels[0], 2, LEAN_SIDE, LEAN_SIDE)
    call = sample, unet.time_shifts(499), unet.condition(tokens, bank), pose
    plain = make_plain(deepcopy(unet), tokens, bank)
    turns = [(timed(lambda: unet(*call)), timed(lambda: plain(*call))) for _ in range(4)]
    quick, slow = (min(column) for column in zip(*turns, strict=True))
    return {
        "bench": "diffusion.cpu.lean_call",
        "seconds": round(quick, 3),
        "times_as_fast": round(slow / quick, 2),
    }


def loop(models: Models) -> dict[str, Any]:
    """Sustained rate of the denoising loop: guided calls on one window."""
    config = replace(_settings(PAPER), width=LOOP_SIDE, height=LOOP_SIDE, steps=LOOP_STEPS)
    sampler = Sampler(models, config)
    photo, skeletons = inputs(LOOP_SIDE, LOOP_SIDE, config.context)
    prepared = sampler.prepare(photo, skeletons, silent)
    noise = sampler.noise(config.context)
    sampler.denoise(prepared, noise, silent)  # kernels are chosen, memory is found
    torch.cuda.reset_peak_memory_stats()
    seconds = timed(lambda: sampler.denoise(prepared, noise, silent))
    flops = cost(config, config.context, models.video_unet.sizes).loop
    return {
        "bench": "diffusion.cuda.loop",
        "px": LOOP_SIDE,
        "seconds": round(seconds, 3),
        "tflops": round(flops / seconds / 1e12, 1),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2),
        "device": torch.cuda.get_device_name(),
    }


def whole(models: Models, config: DiffusionConfig) -> dict[str, Any]:
    """A whole run of a preset, from photo and skeletons to frames."""
    sampler = Sampler(models, config)
    photo, skeletons = inputs(config.width, config.height, config.frames)
    cuda = sampler.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    seconds = timed(lambda: sampler.run(photo, skeletons, silent))
    flops = cost(config, config.frames, models.video_unet.sizes).total
    found: dict[str, Any] = {
        "seconds": round(seconds, 3),
        "tflops": round(flops / seconds / 1e12, 4),
    }
    if cuda:
        found["peak_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
        found["device"] = torch.cuda.get_device_name()
    return found


def random_models(sizes: Sizes, device: torch.device, dtype: torch.dtype) -> Models:
    """Networks with random weights, small enough that nothing overflows."""
    models = build_models(sizes)
    generator = torch.Generator(device).manual_seed(0)
    for field in fields(models):
        network: nn.Module = getattr(models, field.name)
        network.to_empty(device=device)
        for name, value in network.state_dict().items():
            if not value.is_floating_point():
                value.zero_()
            elif value.dim() > 1:
                value.normal_(0, value[0].numel() ** -0.5, generator=generator)
            else:
                value.fill_(1.0 if name.endswith("weight") else 0.0)
    return models.to(device, dtype)


def inputs(width: int, height: int, frames: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """A photo and skeletons of noise."""
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    return photo, [rng.integers(0, 256, (height, width, 3), np.uint8)] * frames


def timed(work: Any) -> float:
    """Seconds of a call, the GPU's work included."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def silent(*_: object) -> None:
    """A report nobody reads."""
