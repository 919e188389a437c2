"""Pose guider, autoencoder and image encoder: parity of calls."""

from __future__ import annotations

import re

import torch

from svad.diffusion.models import build_models
from svad.diffusion.sizes import LATENT_FACTOR
from svad.diffusion.unet import fold
from svad.weights.strict import fill
from tests.diffusion.golden import CALL, Golden, assert_close
from tests.fill import tensor


def test_the_pose_guider_at_all_sizes(golden: Golden) -> None:
    for case in golden.cases("pose_guider"):
        network = build_models(golden.sizes(case.config)).pose_guider
        fill(network, golden.state(case.config, "pose_guider"), "pose_guider")
        pictures = case.arrays["cond"]
        found = network(fold(pictures)).unflatten(0, (len(pictures), -1)).transpose(1, 2)
        assert_close(found, case.arrays["out"], CALL, case.entry["name"])


def test_the_autoencoder(golden: Golden) -> None:
    for case in golden.cases("vae"):
        network, x = golden.models(case.config).autoencoder, case.arrays
        mean, logvar = network.moments(x["image"])
        assert_close(mean, x["mean"], CALL, "mean")
        assert_close(logvar, x["logvar"], CALL, "logvar")
        assert_close(network.decode_raw(x["latent"]), x["decoded"], CALL, "decoded")
        assert_close(network.encode(x["image"]), x["mean"] * LATENT_FACTOR, CALL, "latent")


def test_decoding_in_pieces_changes_nothing(golden: Golden) -> None:
    for case in golden.cases("vae"):
        network, x = golden.models(case.config).autoencoder, case.arrays
        latents = torch.cat([x["latent"], x["latent"].flip(-1), x["latent"] / 2]) * LATENT_FACTOR
        pieces = list(network.decode(latents, chunk=2))
        assert [len(piece) for piece in pieces] == [2, 1]
        want = (network.decode_raw(latents / LATENT_FACTOR) / 2 + 0.5).clamp(0, 1)
        assert_close(torch.cat(pieces), want, CALL, "pieces")


def test_the_image_encoder(golden: Golden) -> None:
    for case in golden.cases("image_encoder"):
        text = case.entry["inputs"]["pixel_values"]
        name, numbers = re.search(r'tensor\("(.+?)", \((.+?)\)', text).groups()
        pixels = tensor(name, tuple(int(n) for n in numbers.split(",")), 0)
        corner = case.arrays["pixel_values_sub"]
        assert_close(pixels[..., : corner.shape[-2], : corner.shape[-1]], corner, 0, "input")
        found = golden.models(case.config).image_encoder(pixels)
        assert_close(found, case.arrays["image_embeds"], CALL, "image_embeds")
