"""The five networks of the video diffusion stage: built empty, filled strictly.

Weights come in as mappings from published key to tensor, one per published file, whoever read
them; the networks are built on the meta device, so nothing is initialised in vain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from svad.compute.moved import placed
from svad.diffusion.autoencoder import Autoencoder, module_names, published_name
from svad.diffusion.image_encoder import ImageEncoder
from svad.diffusion.pose_guider import PoseGuider
from svad.diffusion.sizes import Sizes
from svad.diffusion.unet import UNet
from svad.weights.strict import State, fill

# keys that files may hold and that are computed instead
IGNORED = re.compile(r"(\.pos_encoder\.pe|^vision_model\.embeddings\.position_ids)$")


@dataclass(frozen=True, kw_only=True)
class Models:
    """The networks of one run."""

    reference_unet: UNet  # appearance of the photo
    video_unet: UNet
    pose_guider: PoseGuider
    image_encoder: ImageEncoder
    autoencoder: Autoencoder

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Models:
        """Moves all networks, convolutions in channels-last order; returns itself."""
        for field in fields(self):
            network: nn.Module = getattr(self, field.name)
            placed(network, device, dtype, channels_last=True)
        return self


def build_models(sizes: Sizes) -> Models:
    """All networks without weights, on the meta device."""
    with torch.device("meta"):
        models = Models(
            reference_unet=UNet(sizes, motion=False, head=False),
            video_unet=UNet(sizes, motion=True, head=True),
            pose_guider=PoseGuider(sizes),
            image_encoder=ImageEncoder(sizes.clip),
            autoencoder=Autoencoder(sizes),
        )
    for field in fields(models):
        getattr(models, field.name).eval().requires_grad_(False)
    return models


def load_models(
    sizes: Sizes,
    read: Callable[[str], State],
    dtype: torch.dtype = torch.float32,
) -> Models:
    """The networks with the tensors of the six published files; each key must fit.

    `read` gives the tensors of one file: reference_unet, denoising_unet, motion_module,
    pose_guider, image_encoder or vae. Each is asked for when its network is filled, so that no
    two networks' files lie in memory together. The two files of the video UNet are joined; where
    both have a key, denoising_unet wins, because the published program reads it last.

    Raises:
        WeightsMismatch: a key is missing, not known, or of another shape.
    """
    models = build_models(sizes)

    def load(network: nn.Module, name: str) -> None:
        fill(network, used(read(name)), name, dtype)

    load(models.reference_unet, "reference_unet")
    video = used({**read("motion_module"), **read("denoising_unet")})
    fill(models.video_unet, video, "denoising_unet with motion_module", dtype)
    del video
    load(models.pose_guider, "pose_guider")
    load(models.image_encoder, "image_encoder")
    fill(models.autoencoder, module_names(read("vae")), "vae", dtype, published_name)
    return models


def used(state: State) -> dict[str, Tensor]:
    """The tensors of a file without those that are computed instead."""
    return {key: value for key, value in state.items() if not IGNORED.search(key)}
