"""A folder with all files of the video networks, small and filled, as a person would bring them."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save_file

from svad.diffusion.generate import PARTS
from svad.weights.store import Store
from tests.diffusion.golden import Golden
from tests.pose.networks import dwpose_files


def small_config(golden: Golden) -> str:
    """A configuration of the golden data that is quick to run."""
    return golden.cases("e2e")[0].config


def write_files(folder: Path, golden: Golden) -> Path:
    """Writes them under the names the manifest gives; returns the folder."""
    config = small_config(golden)
    sizes, entries = golden.sizes(config), Store({}, folder).from_environment({}).entries
    for part, name in PARTS.items():
        target = folder / name / Path(entries[name].base).with_suffix(".safetensors")
        target.parent.mkdir(parents=True)
        save_file(dict(golden.state(config, part)), target)
    for name, values in descriptions(sizes).items():
        target = folder / name / entries[name].base
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(values), encoding="utf-8")
    dwpose_files(folder)
    return folder


def descriptions(sizes) -> dict[str, dict]:
    """What the published config files say of networks of these sizes."""
    return {
        "unet_config": {
            "_class_name": "UNet2DConditionModel",
            "block_out_channels": list(sizes.block_out_channels),
            "layers_per_block": sizes.layers_per_block,
            "attention_head_dim": sizes.heads,
            "cross_attention_dim": sizes.cross_attention_dim,
            "norm_num_groups": sizes.norm_num_groups,
        },
        "image_encoder_config": {
            "architectures": ["CLIPVisionModelWithProjection"],
            "hidden_size": sizes.clip.hidden,
            "intermediate_size": sizes.clip.intermediate,
            "num_hidden_layers": sizes.clip.layers,
            "num_attention_heads": sizes.clip.heads,
            "patch_size": sizes.clip.patch,
            "projection_dim": sizes.clip.proj,
        },
        "vae_config": {
            "_class_name": "AutoencoderKL",
            "block_out_channels": list(sizes.vae_channels),
            "layers_per_block": sizes.vae_layers,
        },
    }
