"""Blind face restoration by diffusion: soft crops in, sharp ones out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svad.core.errors import SvadError
from svad.core.progress import part
from svad.restoration.control import Modulation
from svad.restoration.networks import Networks, load_networks
from svad.restoration.schedule import Step, steps
from svad.restoration.sizes import LATENT_CHANNELS, PIXELS, Sizes
from svad.restoration.unet import Moments
from svad.types import Report

CROP = 512  # px, side of the crops the networks were trained on
MULTIPLE = 64  # px: three halvings of a latent whose pixels are eight of the picture's

OnStep = Callable[[int, Tensor, Tensor], None]  # index, latents after the step, clean latents


class FacesFailed(SvadError):
    """The networks gave no picture for some faces."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the timesteps of a run fix in the networks, computed once for all faces."""

    steps: list[Step]
    unet: Moments  # one row a step
    control: Modulation  # one row a step


@dataclass(frozen=True, kw_only=True)
class Restored:
    """Faces after a run."""

    rgb: np.ndarray  # [N, H, W, 3] uint8
    failed: tuple[int, ...]  # rows without a finite picture; they hold their crop


class Restorer:
    """BFRffusion (Chen et al. 2024) with DDIM, many faces in a call, no guidance."""

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Restorer:
        """Moves the networks; bfloat16 suits a GPU, float32 a CPU. Returns itself.

        Not float16: attention logits of Stable Diffusion 2.1 can leave its range.
        """
        self.networks.to(device, dtype)
        return self

    @property
    def weight(self) -> Tensor:
        """Any weight of the large networks: it tells device and dtype."""
        return self.networks.unet.net.conv_in.weight

    def restore(
        self,
        crops: np.ndarray,  # [N, H, W, 3] uint8
        noise: Tensor,  # [1, 4, H/8, W/8] of `start_noise`
        count: int,  # of steps
        report: Report,
        batch: int = 8,
    ) -> np.ndarray:  # [N, H, W, 3] uint8
        """The faces, restored; all must succeed. See `attempt`.

        Raises:
            FacesFailed: some rows have no finite picture.
        """
        found = self.attempt(crops, noise, count, report, batch)
        if found.failed:
            rows = ", ".join(str(row + 1) for row in found.failed)
            raise FacesFailed(
                f"{len(found.failed)} of {len(crops)} faces could not be restored (number {rows}): "
                "the networks gave numbers that are not finite. Check the weights, or run them in "
                "float32."
            )
        return found.rgb

    @torch.inference_mode()
    def attempt(
        self,
        crops: np.ndarray,  # [N, H, W, 3] uint8; H and W multiples of 64, 512 as trained
        noise: Tensor,  # [1, 4, H/8, W/8]: the same start for all faces, so nothing flickers
        count: int,  # of steps, a divisor of 1000
        report: Report,
        batch: int = 8,  # faces a call; halved as often as the device's memory asks
    ) -> Restored:
        """The faces, restored; a row without a finite picture keeps its crop and is named.

        Raises:
            ValueError: the steps cannot be spaced, or the sizes do not fit.
            Stopped: through `report`, which is called before each call of a network.
        """
        _check(crops, noise)
        plan = self.plan(count)
        rgb, failed, start = crops.copy(), [], 0
        while start < len(crops):
            part = crops[start : start + batch]
            found = None
            try:
                told = _share(report, start, len(part), len(crops), len(plan.steps) + 1)
                found = self._together(part, noise, plan, told)
            except torch.OutOfMemoryError:
                if batch == 1:
                    raise
            if found is None:  # only here is the memory of the failed batch free
                batch //= 2
                torch.cuda.empty_cache()
                continue
            pictures, fine = found
            rgb[start : start + len(part)][fine] = pictures[fine]
            failed += [start + int(i) for i in np.flatnonzero(~fine)]
            start += len(part)
        return Restored(rgb=rgb, failed=tuple(failed))

    @torch.inference_mode()
    def plan(self, count: int) -> Plan:
        """Prompt, its keys and values and all shifts of so many steps, one row each."""
        chosen = steps(count)
        times = torch.tensor([step.timestep for step in chosen], device=self.weight.device)
        n = self.networks
        return Plan(
            steps=chosen,
            unet=n.unet.moments(times, n.prompt(times)),
            control=n.control.modulation(times),
        )

    @torch.inference_mode()
    def denoise(
        self,
        faces: Tensor,  # [B, 3, H, W] in 0..1
        noise: Tensor,  # [1 or B, 4, H/8, W/8]
        plan: Plan,
        on_step: OnStep | None = None,
        before_step: Callable[[int], None] | None = None,
    ) -> Tensor:  # [B, 4, H/8, W/8] float32
        """Latents of the restored faces; steps are kept in float32."""
        hint = self.hint(faces)
        x = noise.to(self.weight.device, torch.float32).expand(len(faces), -1, -1, -1)
        for k, step in enumerate(plan.steps):
            if before_step is not None:
                before_step(k)
            x, clean = step(x, self.predict(x, hint, plan, k))
            if on_step is not None:
                on_step(k, x, clean)
        return x

    @torch.inference_mode()
    def hint(self, faces: Tensor) -> Tensor:  # [B, 3, H, W] in 0..1 -> [B, C, H/8, W/8]
        """What the control branch sees of the faces, once for all steps."""
        return self.networks.control.hint_features(self._input(faces))

    @torch.inference_mode()
    def predict(
        self,
        x: Tensor,  # [B, 4, h, w] float32
        hint: Tensor,  # [B, C, h, w] of the control branch
        plan: Plan,
        index: int,  # of the step
    ) -> Tensor:  # [B, 4, h, w] float32
        """The noise in the latents."""
        sample = self._input(x)
        modulation = {name: value[index : index + 1] for name, value in plan.control.items()}
        control = self.networks.control(sample, hint, modulation)
        return self.networks.unet(sample, plan.unet.row(index), control).float()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:  # [B, 4, h, w] -> [B, 3, 8h, 8w] float32
        """Pictures, about -1..1."""
        return self.networks.decoder(self._input(latents)).float()

    def _together(
        self, crops: np.ndarray, noise: Tensor, plan: Plan, report: Report
    ) -> tuple[np.ndarray, np.ndarray]:
        """One batch: pictures [B, H, W, 3] uint8 and which of them are finite [B]."""
        calls = len(plan.steps) + 1

        def tell(k: int) -> None:
            report(k, calls, f"step {k + 1} of {calls - 1}")

        latents = self.denoise(face_pixels(crops), noise, plan, before_step=tell)
        report(calls - 1, calls, "decoding")
        pixels = self.decode(latents)
        fine = pixels.isfinite().flatten(1).all(1).cpu().numpy()
        pictures = face_pictures(pixels.nan_to_num())
        report(calls, calls, "done", pictures[-1])
        return pictures, fine

    def _input(self, x: Tensor) -> Tensor:
        """On the networks' device, in their type and memory order."""
        x = x.to(self.weight.device, self.weight.dtype)
        return x.contiguous(memory_format=torch.channels_last)


def _share(report: Report, start: int, faces: int, total: int, calls: int) -> Report:
    """Progress of one batch among all faces, each of which takes so many calls of a network."""
    name = f"faces {start + 1} to {start + faces} of {total}"
    return part(report, start * calls, (start + faces) * calls, total * calls, name)


def load_restorer(
    state: Mapping[str, Any],  # of the published file, by key
    sizes: Sizes | None = None,
    dtype: torch.dtype = torch.float32,
) -> Restorer:
    """The restorer with the tensors of the published file, on their device. See `load_networks`.

    Raises:
        WeightsMismatch: a key is missing, not known or of another shape.
    """
    return Restorer(load_networks(state, sizes, dtype))


def start_noise(seed: int, height: int = CROP, width: int = CROP) -> Tensor:  # [1, 4, H/8, W/8]
    """The start of all faces of a person, drawn on the CPU: the same on every device."""
    shape = (1, LATENT_CHANNELS, height // PIXELS, width // PIXELS)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def face_pixels(crops: np.ndarray) -> Tensor:  # [B, H, W, 3] uint8 -> [B, 3, H, W] in 0..1
    """The condition: divided in double precision, as the networks were trained."""
    return torch.from_numpy((crops / 255.0).astype(np.float32)).permute(0, 3, 1, 2)


def face_pictures(pixels: Tensor) -> np.ndarray:  # [B, 3, H, W] -> [B, H, W, 3] uint8
    """Decoded values, -1..1, to levels; halves go to even ones, as published."""
    levels = ((pixels.clamp(-1, 1) + 1) / 2 * 255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).cpu().numpy()


def _check(crops: np.ndarray, noise: Tensor) -> None:
    if crops.ndim != 4 or crops.shape[3] != 3 or crops.dtype != np.uint8:
        raise ValueError(f"crops [N, H, W, 3] uint8 are needed, not {crops.shape} {crops.dtype}")
    height, width = crops.shape[1:3]
    if height % MULTIPLE or width % MULTIPLE:
        raise ValueError(f"crops must be multiples of {MULTIPLE} px, not {width}x{height}")
    want = (1, LATENT_CHANNELS, height // PIXELS, width // PIXELS)
    if tuple(noise.shape) != want:
        raise ValueError(f"noise {list(want)} is needed for these crops, not {list(noise.shape)}")
