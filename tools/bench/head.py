"""Frames per second of the Gaussian head at published size, with random weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svad.identity.cameras import turntable
from svad.identity.head import BATCH, Head, HeadAvatar
from svad.identity.network import HeadNetwork, build_network
from svad.identity.sizes import HeadSizes
from svad.splat.covariance import covariances
from svad.splat.render_cpu import warm_up
from tools.bench.head_cost import cost

SIZES = HeadSizes()
CPU_FRAMES = 3
CUDA_FRAMES = 16 * BATCH
ROUNDS = 3  # of each part by itself
WANTED = 60  # frames/s on an H100, drawing and refiner together
CROP = 512  # px
SPREAD = 0.15  # on the scales: random weights make Gaussians far larger than trained ones


def run() -> Iterator[dict[str, Any]]:
    """One dict per figure: counted operations, then seconds on the CPU and on CUDA."""
    counted = cost(SIZES)
    yield {
        "bench": "head.cost",
        "build_gflop": round(counted.build / 1e9, 3),
        "refiner_gflop_per_frame": round(counted.refiner / 1e9, 3),
    }
    warm_up()
    yield from _figures("cpu", torch.float32, CPU_FRAMES, 1)
    if not torch.cuda.is_available():
        yield {"bench": "head.cuda", "skipped": "no CUDA device"}
        return
    name = torch.cuda.get_device_name()
    for figure in _figures("cuda", torch.float16, CUDA_FRAMES, BATCH):
        yield {**figure, "device": name}


def _figures(device: str, dtype: torch.dtype, frames: int, batch: int) -> Iterator[dict[str, Any]]:
    head = Head(random_network(SIZES, device)).to(device, dtype)
    avatar, seconds = _built(head)
    yield {"bench": f"head.{device}.build", "seconds": round(seconds, 3)}
    vertices, cameras = _motion(frames)
    head.render(avatar, vertices[:batch], cameras[:batch], _silent, batch)  # starts everything
    start = _now(device)
    head.render(avatar, vertices, cameras, _silent, batch)
    total = _now(device) - start
    drawing, refining = _parts(head, avatar, vertices[:batch], cameras[:batch])
    yield {
        "bench": f"head.{device}.frames_per_second",
        "px": SIZES.refiner.image,
        "gaussians": SIZES.gaussians,
        "frames": frames,
        "batch": batch,
        "dtype": str(dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "frames_per_second": round(frames / total, 3),
        "refiner_share": round(refining / (drawing + refining), 3),
        "drawing_ms": round(1e3 * drawing / batch, 2),
        "refiner_ms": round(1e3 * refining / batch, 2),
        **({"wanted": WANTED} if device == "cuda" else {}),
    }


def random_network(sizes: HeadSizes, device: str, seed: int = 0) -> HeadNetwork:
    """The networks with normal weights of variance 1 / fan-in, made where they are used."""
    network = build_network(sizes)
    random = torch.Generator(device).manual_seed(seed)

    def drawn(shape: torch.Size) -> Tensor:
        values = torch.randn(shape, generator=random, device=device)
        return values / max(1, shape[1:].numel()) ** 0.5 if len(shape) > 1 else 0.1 * values + 1

    state = {key: drawn(value.shape) for key, value in network.state_dict().items()}
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False)


def _built(head: Head) -> tuple[HeadAvatar, float]:
    """A head of a made-up crop with Gaussians about as large as trained ones; seconds to build."""
    crop = np.random.default_rng(0).integers(0, 256, (CROP, CROP, 3), np.uint8)
    camera = turntable([0.0])[0]
    if head.device.type == "cuda":
        head.build(crop, np.zeros(300), camera)
    start = _now(head.device.type)
    avatar = head.build(crop, np.zeros(300), camera)
    seconds = _now(head.device.type) - start
    scales = SPREAD * avatar.scales
    avatar = replace(avatar, scales=scales, covariances=covariances(scales, avatar.quats))
    return avatar, seconds


def _motion(frames: int) -> tuple[Tensor, Tensor]:
    """Vertices [T, V, 3] on a ball of a head's size that moves a little; cameras [T, 3, 4]."""
    random = torch.Generator().manual_seed(0)
    ball = torch.randn(SIZES.lifting.vertices, 3, generator=random)
    ball = 0.5 * ball / ball.norm(dim=-1, keepdim=True)
    steps = torch.linspace(0, 1, frames)
    return ball + 0.01 * steps[:, None, None], turntable((30 * steps - 15).tolist())


@torch.inference_mode()
def _parts(
    head: Head, avatar: HeadAvatar, vertices: Tensor, cameras: Tensor
) -> tuple[float, float]:
    """Seconds of drawing and of refining these frames together, the least of a few rounds."""
    vertices = vertices.to(head.device)
    drawn = head.draw(avatar, vertices, cameras)
    refiner = head.network.upsampler
    picture, noise = drawn.image.permute(0, 3, 1, 2), refiner.stored_noise
    drawing = _least(head, lambda: head.draw(avatar, vertices, cameras))
    return drawing, _least(head, lambda: refiner(picture, noise))


def _least(head: Head, part: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        start = _now(head.device.type)
        part()
        seconds.append(_now(head.device.type) - start)
    return min(seconds)


def _now(device: str) -> float:
    """Seconds, once all that was asked of the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def _silent(done: int, total: int, note: str, picture: object = None) -> None:
    """A report nobody reads."""
