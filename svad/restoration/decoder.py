"""Decoder of Stable Diffusion's autoencoder: latents to pictures."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from svad.restoration.sizes import LATENT_CHANNELS, Sizes


class FaceDecoder(nn.Module):
    """The half of diffusers' `AutoencoderKL` that is needed; a crop never becomes a latent."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        whole = autoencoder(sizes)
        self.factor = sizes.latent_factor
        self.post_quant_conv = cast("nn.Module", whole.post_quant_conv)
        self.decoder = cast("nn.Module", whole.decoder)

    def forward(self, latents: Tensor) -> Tensor:  # [B, 4, h, w] -> [B, 3, 8h, 8w] about -1..1
        return self.decoder(self.post_quant_conv(latents / self.factor))


def autoencoder(sizes: Sizes) -> nn.Module:
    """Both halves, as the published file holds them."""
    # imported here, since it takes seconds; diffusers exports it lazily, out of sight of types
    from diffusers import AutoencoderKL  # pyright: ignore[reportPrivateImportUsage]

    levels = len(sizes.vae_channels)
    # diffusers annotates tuples of any length as those of one element
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,  # pyright: ignore[reportArgumentType]
        up_block_types=("UpDecoderBlock2D",) * levels,  # pyright: ignore[reportArgumentType]
        block_out_channels=sizes.vae_channels,  # pyright: ignore[reportArgumentType]
        layers_per_block=sizes.vae_layers,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=sizes.norm_num_groups,
    )
