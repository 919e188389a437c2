"""Builds the networks that a golden case means, through the real loader."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from svad.restoration.networks import Networks, load_networks
from svad.restoration.restorer import Restorer
from svad.restoration.sizes import LATENT_CHANNELS, LAYERS, Sizes
from tests.restoration.golden import Case, Golden


def sizes(case: Case) -> Sizes:
    """The sizes of a case; what they cannot express must be as expected."""
    unet, control, prompt, vae = (case.config[k] for k in ("unet", "control", "prompt", "vae"))
    first, widths = unet["model_channels"], _widths(unet["model_channels"], unet["channel_mult"])
    assert control["control_channels"] == prompt["model_channels"] == first
    assert prompt["dim"] == unet["context_dim"] and not control["bias"]
    assert unet["attention_levels"] == [1] * (len(widths) - 1) + [0]
    assert unet["num_res_blocks"] == LAYERS and unet["transformer_depth"] == 1
    assert unet["linear_projection"]
    channels = (unet["in_channels"], unet["out_channels"], control["in_channels"])
    assert {*channels, vae["z_channels"]} == {LATENT_CHANNELS}
    return Sizes(
        block_out_channels=widths,
        head_channels=unet["head_channels"],
        control_heads=tuple(control["heads"]),
        control_time_width=control["time_embed_dim"],
        ffn_expansion=control["ffn_expansion"],
        prompt_tokens=prompt["tokens"],
        prompt_width=prompt["dim"],
        prompt_hidden=prompt["hidden"],
        vae_channels=_widths(vae["ch"], vae["ch_mult"]),
        vae_layers=vae["num_res_blocks"],
        latent_factor=vae["scale_factor"],
    )


def networks(case: Case) -> Networks:
    """The networks of a case with its filled weights; nobody may change them."""
    return _networks(case.folder, case.name)


def restorer(golden: Golden) -> Restorer:
    """A tiny restorer; nobody may change it."""
    return Restorer(networks(golden.cases("ddim")[0]))


@lru_cache(maxsize=16)
def _networks(folder: Path, name: str) -> Networks:
    case = Case(folder, name)
    return load_networks(case.state(), sizes(case))


def _widths(first: int, times: list[int]) -> tuple[int, ...]:
    return tuple(first * n for n in times)
