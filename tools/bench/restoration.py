"""Figures of the restoration stage: counted operations, and seconds of the face restorer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import fields

import numpy as np
import torch

from svad.config.presets import PRESETS
from svad.config.restoration import RestorationConfig
from svad.pose.drive import turning
from svad.restoration.networks import Networks, build_networks
from svad.restoration.restorer import CROP, Restorer, start_noise
from svad.restoration.sizes import PIXELS, Sizes
from tools.bench.restoration_cost import (
    ClipSize,
    control_flops,
    cost,
    decode_flops,
    published_cost,
    turning_clip,
    unet_flops,
)

FRAME_HEIGHT = 768  # px, of the frames that the stage gets
# part of a frame that is enlarged by the network: a square canvas has much beside the person
BOXES = {"square": 0.5, "narrow": 1.0}
# the face restorer at a tenth of its width, so that a CPU gets through it
SMALL = Sizes(
    block_out_channels=(32, 64, 128, 128), head_channels=16, control_time_width=128,
    prompt_tokens=11, prompt_width=48, prompt_hidden=32, vae_channels=(32, 64, 128, 128),
)  # fmt: skip
SMALL_SIDE = 128  # px
SMALL_BATCHES = (1, 4)
BATCHES = (1, 4, 8, 16)  # faces a call, full size
RUNS = 5


def run(only: str | None = None) -> Iterator[dict]:
    """One dict per figure; `only` is the beginning of the names wanted.

    Weights are random numbers: they change nothing about the time.
    """
    figures = {
        "restoration.flops": _counted,
        "restoration.cpu": _cpu,
        "restoration.cuda": _cuda,
    }
    for name, figure in figures.items():
        if only is None or name.startswith(only):
            yield from ({"bench": name, **values} for values in figure())


def _counted() -> Iterator[dict]:
    """Operations of each preset's clip, and their share of the published run's."""
    published = published_cost().total
    yield {"run": "published", "pflop": round(published / 1e15, 2)}
    for name, (config, clip) in _clips().items():
        found = cost(config, clip)
        parts = {f.name: round(getattr(found, f.name) / 1e15, 3) for f in fields(found)}
        yield {
            "run": name, "frames": clip.frames, "faces": clip.faces, "steps": config.steps,
            "pflop": round(found.total / 1e15, 2), "share": round(found.total / published, 3),
            "parts": parts,
        }  # fmt: skip


def _cpu() -> Iterator[dict]:
    """Seconds of a whole run of two steps with small networks."""
    restorer = Restorer(random_networks(SMALL, "cpu", torch.float32))
    noise = start_noise(0, SMALL_SIDE, SMALL_SIDE)
    for batch in SMALL_BATCHES:
        crops = np.full((batch, SMALL_SIDE, SMALL_SIDE, 3), 128, np.uint8)

        def once(crops: np.ndarray = crops, batch: int = batch) -> None:
            restorer.attempt(crops, noise, 2, _quiet, batch)

        seconds = _seconds(once, "cpu")
        yield {"networks": "small", "px": SMALL_SIDE, "batch": batch, "steps": 2, **seconds}


def _cuda() -> Iterator[dict]:
    """Seconds, TFLOP/s and memory of the full-size face restorer, and of each preset's faces."""
    if not torch.cuda.is_available():
        yield {"skipped": "no CUDA device"}
        return
    device, sizes = "cuda", Sizes()
    restorer = Restorer(random_networks(sizes, device, torch.bfloat16))
    plan, side = restorer.plan(2), CROP // PIXELS
    step_flops = unet_flops(sizes, side, side) + control_flops(sizes, side, side)
    best: tuple[float, float] | None = None
    for batch in BATCHES:
        torch.cuda.reset_peak_memory_stats()
        faces = torch.rand(batch, 3, CROP, CROP, device=device)
        latents = torch.randn(batch, 4, side, side, device=device)
        try:
            hint = restorer.hint(faces)
            step = _seconds(lambda x=latents, h=hint: restorer.predict(x, h, plan, 0), device)
            decode = _seconds(lambda x=latents: restorer.decode(x), device)
        except torch.OutOfMemoryError:
            yield {"batch": batch, "skipped": "not enough memory on the device"}
            break
        yield {
            "device": torch.cuda.get_device_name(), "px": CROP, "batch": batch,
            "step_seconds": step["seconds"], "decode_seconds": decode["seconds"],
            "step_tflops": round(batch * step_flops / step["seconds"] / 1e12, 1),
            "decode_tflops": round(
                batch * decode_flops(sizes, side, side) / decode["seconds"] / 1e12, 1
            ),
            "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2),
        }  # fmt: skip
        a_face = step["seconds"] / batch, decode["seconds"] / batch
        best = min(best or a_face, a_face)
    if best is None:
        return
    for name, (config, clip) in _clips().items():
        seconds = clip.faces * (config.steps * best[0] + best[1])
        yield {"run": name, "faces": clip.faces, "faces_seconds": round(seconds, 1)}


def _clips() -> dict[str, tuple[RestorationConfig, ClipSize]]:
    found = {}
    for name, preset in PRESETS.items():
        if preset.diffusion is None or preset.restoration is None:
            continue
        c = preset.diffusion
        width = round(c.width * FRAME_HEIGHT / c.height)
        box = BOXES["square" if width == FRAME_HEIGHT else "narrow"]
        turn = turning(c.turn, c.frames)
        clip = turning_clip(preset.restoration, turn, width, FRAME_HEIGHT, box)
        found[name] = (preset.restoration, clip)
    return found


def random_networks(sizes: Sizes, device: str, dtype: torch.dtype) -> Networks:
    """Networks with random weights that keep their numbers in range."""
    generator = torch.Generator(device).manual_seed(0)
    networks = build_networks(sizes)
    for field in fields(networks):
        network = getattr(networks, field.name)
        network.to(torch.float32 if field.name == "prompt" else dtype).to_empty(device=device)
        for name, value in network.named_parameters():
            if value.ndim > 1:
                value.normal_(generator=generator).mul_(value[0].numel() ** -0.5)
            else:
                value.fill_(float(name.endswith("weight")))
    return networks.to(device)


def _seconds(function: Callable[[], object], device: str) -> dict[str, float]:
    """Least and median seconds of some runs, after one that nobody counts."""

    def once() -> float:
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    once()
    runs = [once() for _ in range(RUNS)]
    return {"seconds": round(min(runs), 4), "median": round(statistics.median(runs), 4)}


def _quiet(done: int, total: int, note: str, picture: object = None) -> None:
    """Nobody watches a measurement."""
