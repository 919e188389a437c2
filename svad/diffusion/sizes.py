"""Sizes of the video diffusion networks; the defaults are those of the published files."""

from __future__ import annotations

from dataclasses import dataclass, field

LATENT_CHANNELS = 4
LATENT_FACTOR = 0.18215  # latents are the autoencoder's mean times this (Stable Diffusion 1.5)
CLIP_IMAGE = 224  # px, side of the image encoder's input


@dataclass(frozen=True, kw_only=True)
class ClipSizes:
    """The image encoder: CLIP ViT-L/14, vision tower with projection."""

    hidden: int = 1024
    intermediate: int = 4096
    layers: int = 24
    heads: int = 16
    patch: int = 14  # px
    proj: int = 768  # width of the image token


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """All networks of the video diffusion stage (MusePose on Stable Diffusion 1.5)."""

    block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280)  # one level each
    layers_per_block: int = 2  # residual blocks of a down level; an up level has one more
    heads: int = 8  # of the spatial attentions, at every level
    cross_attention_dim: int = 768  # width of the image token
    norm_num_groups: int = 32
    motion_heads: int = 8  # of the temporal attentions
    motion_max_len: int = 128  # frames the position code can tell apart
    pose_channels: tuple[int, ...] = (16, 32, 96, 256)  # inner widths of the pose guider
    vae_channels: tuple[int, ...] = (128, 256, 512, 512)
    vae_layers: int = 2
    clip: ClipSizes = field(default_factory=ClipSizes)

    @property
    def time_width(self) -> int:
        return 4 * self.block_out_channels[0]
