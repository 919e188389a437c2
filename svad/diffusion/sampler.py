"""Sampling of the video diffusion networks: photo and skeletons in, frames out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from svad.config.diffusion import DiffusionConfig
from svad.diffusion.inputs import (
    clip_pixels,
    frame_pictures,
    photo_pixels,
    skeleton_pixels,
)
from svad.diffusion.models import Models
from svad.diffusion.schedule import Schedule
from svad.diffusion.sizes import LATENT_CHANNELS
from svad.diffusion.solver import make_solver
from svad.diffusion.spatial import Condition
from svad.diffusion.windows import padded_frames, windows
from svad.types import Report

OnStep = Callable[[int, Tensor, Tensor], None]  # index of the step, prediction, latents after it


@dataclass(frozen=True)
class Prepared:
    """What a run computes once."""

    condition: Condition  # rows: unconditional, conditional
    features: Tensor  # [1, C0, F, h, w] of the skeletons, on the CPU; moved by window


class Sampler:
    """The run of MusePose (Tong et al. 2024), with savings that leave its result as it is."""

    def __init__(
        self, models: Models, config: DiffusionConfig, schedule: Schedule | None = None
    ) -> None:
        self.models = models
        config.require_valid()
        self.config = config
        self.schedule = schedule or Schedule()
        weight = models.video_unet.conv_in.weight
        self.device, self.dtype = weight.device, weight.dtype

    @torch.inference_mode()
    def run(
        self,
        photo: np.ndarray,  # [H, W, 3] uint8
        skeletons: Sequence[np.ndarray],  # T x [H, W, 3] uint8
        report: Report,
    ) -> np.ndarray:  # [T, height, width, 3] uint8
        """Frames of the person in the poses of the skeletons.

        Raises:
            Stopped: through `report`, which is called before each call of a network.
        """
        prepared = self.prepare(photo, skeletons, report)
        latents = self.denoise(prepared, self.noise(len(skeletons)), report)
        pictures = []
        for part in self.decode(latents, len(skeletons)):
            pictures.append(frame_pictures(part))
            done = sum(map(len, pictures))
            report(done, len(skeletons), f"frame {done} of {len(skeletons)}", pictures[-1][-1])
        return np.concatenate(pictures)

    def prepare(
        self,
        photo: np.ndarray,  # [H, W, 3] uint8
        skeletons: Sequence[np.ndarray],  # T x [H, W, 3] uint8
        report: Report,
    ) -> Prepared:
        """Image token, bank and skeleton features."""
        c = self.config
        report(0, 3, "reading the photo")
        condition = self.condition(
            self.token(clip_pixels(photo)), self.latent(photo_pixels(photo, c.width, c.height))
        )
        report(1, 3, "reading the skeletons")
        features = self.pose_features(
            lambda i: skeleton_pixels(skeletons[i], c.width, c.height), len(skeletons), report
        )
        return Prepared(condition, features)

    def token(self, pixels: Tensor) -> Tensor:  # [1, 3, 224, 224] -> [1, 1, token width]
        return self.models.image_encoder(pixels.to(self.device, self.dtype))[:, None]

    def latent(self, pixels: Tensor) -> Tensor:  # [1, 3, H, W] in -1..1 -> [1, 4, H/8, W/8]
        return self.models.autoencoder.encode(pixels.to(self.device, self.dtype))

    def condition(
        self,
        token: Tensor,  # [1, 1, token width]
        latent: Tensor,  # [1, 4, h, w], of the photo
    ) -> Condition:
        """Both rows of guidance; the appearance UNet runs once, for the conditional row alone."""
        bank = self.models.reference_unet.write_bank(latent, token)
        tokens = torch.cat([torch.zeros_like(token), token])
        return self.models.video_unet.condition(tokens, bank)

    def pose_features(
        self, skeleton: Callable[[int], Tensor], frames: int, report: Report
    ) -> Tensor:  # [1, C0, F, h, w]
        """Features of each skeleton, the last one repeated for the padded frames."""
        c = self.config
        found = []
        for i in range(frames):
            report(i, frames, f"skeleton {i + 1} of {frames}")
            picture = skeleton(i).to(self.device, self.dtype)
            found.append(self.models.pose_guider(picture).cpu())
        found += found[-1:] * (padded_frames(frames, c.context, c.overlap) - frames)
        return torch.stack(found, 2)

    def noise(self, frames: int) -> Tensor:  # [1, 4, F, h, w]
        """Drawn on the CPU in the run's type, as the published program does."""
        c = self.config
        length = padded_frames(frames, c.context, c.overlap)
        shape = (1, LATENT_CHANNELS, length, c.height // 8, c.width // 8)
        generator = torch.Generator().manual_seed(c.seed)
        return torch.randn(shape, generator=generator, dtype=self.dtype)

    @torch.inference_mode()
    def denoise(
        self,
        prepared: Prepared,
        noise: Tensor,  # [1, 4, F, h, w]
        report: Report,
        on_step: OnStep | None = None,
    ) -> Tensor:  # [1, 4, F, h, w] float32
        """All steps on all windows; sums and steps are kept in float32."""
        c = self.config
        latents = noise.to(self.device, torch.float32)
        parts = windows(latents.shape[2], c.context, c.overlap, stride=c.stride)
        timesteps = self.schedule.timesteps(c.steps)
        solver = make_solver(c.solver, self.schedule, c.steps)
        for k, t in enumerate(timesteps):
            shifts = self.models.video_unet.time_shifts(t)
            total = torch.zeros_like(latents)
            count = torch.zeros(latents.shape[2], device=self.device)
            for j, part in enumerate(parts):
                done, calls = k * len(parts) + j, len(timesteps) * len(parts)
                report(done, calls, f"step {k + 1} of {c.steps}, window {j + 1} of {len(parts)}")
                index = torch.tensor(part, device=self.device)
                total[:, :, index] += self.predict(latents, part, shifts, prepared, c.guides(k))
                count[index] += 1
            prediction = total / count[:, None, None]
            latents = solver.step(k, latents, prediction)
            if on_step is not None:
                on_step(k, prediction, latents)
        return latents

    def predict(
        self,
        latents: Tensor,  # [1, 4, F, h, w]
        part: list[int],  # frames of the window, all different
        shifts: dict[str, Tensor],  # [1, Cout] per residual block, of `time_shifts`
        prepared: Prepared,
        guided: bool,
    ) -> Tensor:  # [1, 4, len(part), h, w] float32
        """The prediction for one window, with guidance (Ho & Salimans 2022, equation 6)."""
        unet, condition = self.models.video_unet, prepared.condition
        sample = latents[:, :, part].to(self.dtype)
        pose = prepared.features[:, :, part].to(self.device, non_blocking=True)
        if not guided:
            return unet(sample, shifts, condition.row(1), pose).float()
        if self.config.rows_together:
            free, bound = unet(sample, shifts, condition, pose).float().split(1)
        else:
            free, bound = (unet(sample, shifts, condition.row(i), pose).float() for i in range(2))
        return free + self.config.guidance * (bound - free)

    def decode(
        self,
        latents: Tensor,  # [1, 4, F, h, w]
        frames: int,  # the padded ones behind them are left out
    ) -> Iterator[Tensor]:  # [<= chunk, 3, H, W] in 0..1
        """The frames, few at a time."""
        kept = latents[0, :, :frames].transpose(0, 1)
        return self.models.autoencoder.decode(kept, self.config.decode_chunk)
