"""Published keys of the face restorer's networks for those of diffusers' modules."""

from __future__ import annotations

import re
from collections.abc import Mapping

from svad.restoration.sizes import LAYERS

RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE = {
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0.group_norm": "mid.attn_1.norm",
    "mid_block.attentions.0.to_q": "mid.attn_1.q",
    "mid_block.attentions.0.to_k": "mid.attn_1.k",
    "mid_block.attentions.0.to_v": "mid.attn_1.v",
    "mid_block.attentions.0.to_out.0": "mid.attn_1.proj_out",
    "conv_shortcut": "nin_shortcut",
    "conv_norm_out": "norm_out",
}
LEVEL = re.compile(
    r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)"
)
MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")
SQUEEZED = re.compile(r"mid_block\.attentions\.0\.to_(q|k|v|out\.0)\.weight$")  # 1 x 1 kernels


def unet_key(key: str) -> str:
    """The published name, without prefix, of a key of `UNet2DConditionModel`.

    The published file counts the blocks of all levels through, in threes: two and a downsampler on
    the way down, three on the way up, where an upsampler belongs to the last of them.
    """
    middle = MIDDLE.fullmatch(key)
    if middle and middle[1] == "attentions":
        return f"middle_block.1.{middle[3]}"
    if middle:
        return f"middle_block.{2 * int(middle[2])}.{_renamed(middle[3], RESIDUAL)}"
    found = LEVEL.fullmatch(key)
    if not found:
        return _renamed(key, UNET)
    way, level, part, slot, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
    first = level * (LAYERS + 1)
    if part == "downsamplers":
        return f"input_blocks.{1 + first + LAYERS}.0.{rest.replace('conv', 'op', 1)}"
    if part == "upsamplers":
        # behind a residual block and, at all levels but the coarsest, a transformer
        return f"output_blocks.{first + LAYERS}.{2 if level else 1}.{rest}"
    block = f"input_blocks.{1 + first + slot}" if way == "down" else f"output_blocks.{first + slot}"
    if part == "resnets":
        return f"{block}.0.{_renamed(rest, RESIDUAL)}"
    return f"{block}.1.{rest}"


def vae_key(key: str, levels: int) -> str:
    """The published name, without prefix, of a key of `AutoencoderKL`.

    The published file counts the decoder's levels, too, from the finest.
    """
    half, _, inner = key.partition(".")
    found = LEVEL.fullmatch(inner)
    if not found:
        return _renamed(key, VAE)
    way, level, part, slot, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
    level = levels - 1 - level if way == "up" else level
    inside = {
        "resnets": f"block.{slot}.{_renamed(rest, VAE)}",
        "downsamplers": f"downsample.{rest}",
        "upsamplers": f"upsample.{rest}",
    }[part]
    return f"{half}.{way}.{level}.{inside}"


def _renamed(key: str, names: Mapping[str, str]) -> str:
    """The key with the one part that `names` knows replaced."""
    for mine, published in names.items():
        if re.search(rf"(^|\.){re.escape(mine)}\.", key):
            return re.sub(rf"(^|\.){re.escape(mine)}\.", rf"\g<1>{published}.", key, count=1)
    return key
