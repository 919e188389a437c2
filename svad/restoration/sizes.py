"""Sizes of the diffusion face restorer; the defaults are those of the published file."""

from __future__ import annotations

from dataclasses import dataclass

LATENT_CHANNELS = 4
PIXELS = 8  # a latent pixel's side in picture pixels
LAYERS = 2  # residual blocks of a down level of the UNet, which control counts on; up: one more


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """UNet and autoencoder of Stable Diffusion 2.1, control branch and prompt of BFRffusion."""

    block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280)  # of UNet and control branch
    head_channels: int = 64  # of the UNet's attentions
    norm_num_groups: int = 32
    control_heads: tuple[int, ...] = (1, 2, 4, 8)  # by level
    control_time_width: int = 1280
    ffn_expansion: float = 2.66  # of the control branch; the product is cut to a whole number
    prompt_tokens: int = 77
    prompt_width: int = 1024  # of a token: the UNet's cross-attention width
    prompt_hidden: int = 512
    vae_channels: tuple[int, ...] = (128, 256, 512, 512)
    vae_layers: int = 2
    latent_factor: float = 0.18215  # latents are the autoencoder's mean times this

    @property
    def time_width(self) -> int:
        """Of the UNet."""
        return 4 * self.block_out_channels[0]

    @property
    def attention_levels(self) -> int:
        """So many of the finest levels have attention: all but the coarsest."""
        return len(self.block_out_channels) - 1
