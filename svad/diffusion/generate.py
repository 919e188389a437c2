"""Video generation: the published networks, loaded once, turn photo and figures into frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from svad.config.diffusion import DiffusionConfig
from svad.config.limits import SEEDS
from svad.diffusion.models import Models, load_models
from svad.diffusion.sampler import Sampler
from svad.diffusion.sizes import ClipSizes, Sizes
from svad.pose.draw import pose_frames
from svad.pose.keypoints import Figure
from svad.types import Report
from svad.weights.lazy import LazyNetworks, PartFiles, Resolve
from svad.weights.strict import State, WeightsMismatch

# part of `load_models` -> entry of the manifest
PARTS = {
    "reference_unet": "musepose_reference_unet",
    "denoising_unet": "musepose_denoising_unet",
    "motion_module": "musepose_motion_module",
    "pose_guider": "musepose_pose_guider",
    "image_encoder": "image_encoder",
    "vae": "vae",
}


@dataclass(frozen=True)
class Request:
    """What frames are made from."""

    photo: np.ndarray  # [H, W, 3] uint8, at the frames' size
    figures: tuple[Figure, ...]  # T, normalised to the frames
    drawn_on: tuple[int, int]  # height, width of the pictures the figures come from


class Skeletons(Sequence[np.ndarray]):
    """The pictures that drive the video model, drawn when they are asked for."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def __len__(self) -> int:
        return len(self.request.figures)

    def __getitem__(self, index: int) -> np.ndarray:  # [768, W, 3] uint8
        r = self.request
        height, width = r.photo.shape[:2]
        return next(pose_frames([r.figures[index]], r.drawn_on, (height, width)))


def lazy_models(
    resolve: Resolve,
    device: torch.device | str,
    dtype: torch.dtype = torch.float32,
) -> LazyNetworks[Models]:
    """The networks on a device, loaded at the first call; they stay for all presets.

    Calling it raises `MissingWeights` for an absent file, `WeightsMismatch` for a wrong one.
    """

    def build(files: PartFiles, device: torch.device, dtype: torch.dtype) -> Models:
        sizes = read_sizes(resolve, files.state("pose_guider"))
        models = load_models(sizes, files.state, dtype).to(device)
        if device.type == "cuda":  # every window has the same shapes
            torch.backends.cudnn.benchmark = True
        return models

    return LazyNetworks(PARTS, build, resolve, device, dtype)


def generate(
    networks: LazyNetworks[Models],
    config: DiffusionConfig,
    request: Request,
    report: Report,
    seed: int = 0,
) -> np.ndarray:  # [T, H, W, 3] uint8
    """The person of the photo in the poses of the figures; `seed` is added to the preset's.

    Raises what loading the networks raises, and `Stopped` through `report`.
    """
    sampler = Sampler(networks(report), replace(config, seed=(config.seed + seed) % (SEEDS[1] + 1)))
    return sampler.run(request.photo, Skeletons(request), report)


def read_sizes(resolve: Resolve, pose_guider: State) -> Sizes:
    """Sizes from the files that describe the networks; the pose guider's from its own tensors.

    Raises `MissingWeights`, and `WeightsMismatch` for a file that describes something else.
    """
    unet = _description(resolve("unet_config"), "block_out_channels", "cross_attention_dim")
    clip = _description(resolve("image_encoder_config"), "hidden_size", "num_hidden_layers")
    vae = _description(resolve("vae_config"), "block_out_channels")
    inner = ("conv_in", "blocks.1", "blocks.3", "blocks.5")
    lacking = [key for key in inner if f"{key}.weight" not in pose_guider]
    if lacking:
        raise WeightsMismatch(
            f"The weights of pose_guider do not fit the network. Keys missing: {lacking[0]}.weight."
        )
    published = ClipSizes()
    return Sizes(
        block_out_channels=tuple(unet["block_out_channels"]),
        layers_per_block=unet.get("layers_per_block", 2),
        heads=unet.get("attention_head_dim", 8),
        cross_attention_dim=unet["cross_attention_dim"],
        norm_num_groups=unet.get("norm_num_groups", 32),
        pose_channels=tuple(len(pose_guider[f"{key}.weight"]) for key in inner),
        vae_channels=tuple(vae["block_out_channels"]),
        vae_layers=vae.get("layers_per_block", 1),
        clip=ClipSizes(
            hidden=clip["hidden_size"],
            intermediate=clip.get("intermediate_size", published.intermediate),
            layers=clip["num_hidden_layers"],
            heads=clip.get("num_attention_heads", published.heads),
            patch=clip.get("patch_size", published.patch),
            proj=clip.get("projection_dim", published.proj),
        ),
    )


def _description(path: Path, *needed: str) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsMismatch(f"{path.name} is damaged ({error}). Fetch it again.") from error
    lacking = [key for key in needed if not isinstance(values, dict) or key not in values]
    if lacking:
        raise WeightsMismatch(
            f"{path} does not describe the network: it has no {', '.join(lacking)}. Use the file "
            "the manifest names."
        )
    return values
