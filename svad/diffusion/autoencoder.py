"""Autoencoder: photo to latent and latents to frames, on diffusers' `AutoencoderKL`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from torch import Tensor, nn

from svad.diffusion.sizes import LATENT_CHANNELS, LATENT_FACTOR, Sizes

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vae import DecoderOutput
    from diffusers.models.modeling_outputs import AutoencoderKLOutput
    from torch import FloatTensor

# the middle attention's projections, in files saved before and since diffusers 0.17
KEYS = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


class Autoencoder(nn.Module):
    """Stable Diffusion's autoencoder under its published names; no sampling."""

    def __init__(self, sizes: Sizes) -> None:
        # imported here, since it takes seconds; diffusers exports it lazily, out of sight of types
        from diffusers import AutoencoderKL  # pyright: ignore[reportPrivateImportUsage]

        super().__init__()
        levels = len(sizes.vae_channels)
        # diffusers annotates tuples of any length as those of one element
        self.net = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * levels,  # pyright: ignore[reportArgumentType]
            up_block_types=("UpDecoderBlock2D",) * levels,  # pyright: ignore[reportArgumentType]
            block_out_channels=sizes.vae_channels,  # pyright: ignore[reportArgumentType]
            layers_per_block=sizes.vae_layers,
            latent_channels=LATENT_CHANNELS,
            norm_num_groups=sizes.norm_num_groups,
        )

    def moments(
        self,
        pixels: Tensor,  # [B, 3, H, W] in -1..1
    ) -> tuple[Tensor, Tensor]:  # [B, 4, H/8, W/8] each
        """Mean and log-variance of the latents."""
        found = cast("AutoencoderKLOutput", self.net.encode(pixels)).latent_dist
        return found.mean, found.logvar

    def encode(self, pixels: Tensor) -> Tensor:  # [B, 3, H, W] in -1..1 -> [B, 4, H/8, W/8]
        return self.moments(pixels)[0] * LATENT_FACTOR

    def decode_raw(self, mean: Tensor) -> Tensor:  # [B, 4, h, w] -> [B, 3, 8h, 8w] in -1..1
        return cast("DecoderOutput", self.net.decode(cast("FloatTensor", mean))).sample

    def decode(
        self,
        latents: Tensor,  # [T, 4, h, w]
        chunk: int = 4,  # frames decoded together
    ) -> Iterator[Tensor]:  # [<= chunk, 3, 8h, 8w] in 0..1
        """The frames, few at a time, so that memory does not grow with the clip."""
        weight = next(self.parameters())
        for part in latents.split(chunk):
            pixels = self.decode_raw((part / LATENT_FACTOR).to(weight))
            yield (pixels.float() / 2 + 0.5).clamp(0, 1)


def module_names(
    state: Mapping[str, Tensor],  # by published key, of any shapes [...]
) -> dict[str, Tensor]:  # the same, by key of the module tree
    """Published keys, old or new, to those of the module tree."""
    named = {}
    for key, value in state.items():
        parts = key.split(".")
        if "mid_block.attentions" in key and parts[-2] in KEYS:
            parts[-2] = KEYS[parts[-2]]
        named["net." + ".".join(parts)] = value
    return named


def published_name(key: str) -> str:
    """The key that the published file has for one of the module tree."""
    key = key.removeprefix("net.")
    if "mid_block.attentions" in key:
        for old, new in KEYS.items():
            key = key.replace(f".{new}.", f".{old}.")
    return key
