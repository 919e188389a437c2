"""The autoencoder: its decoder as used, its encoder as named in the file."""

from __future__ import annotations

import torch

from svad.restoration.decoder import autoencoder
from svad.restoration.keys import vae_key
from svad.restoration.networks import PREFIXES
from tests.restoration.golden import Golden, assert_close
from tests.restoration.tiny import networks, sizes


def test_decoded_latents_are_the_golden_ones(golden: Golden) -> None:
    for case in golden.cases("vae"):
        found = networks(case).decoder(case.part("in")["z"])
        assert_close(found, case.part("out")["decoded"], case.limit, case.name)


def test_the_unused_encoder_is_the_one_of_the_file(golden: Golden) -> None:
    """Its keys are known by rule, so they must mean what the file means by them."""
    for case in golden.cases("vae"):
        size, state = sizes(case), case.state()
        whole = autoencoder(size).eval()
        named = {
            key: state[PREFIXES["decoder"] + vae_key(key, len(size.vae_channels))].view(value.shape)
            for key, value in whole.state_dict().items()
        }
        whole.load_state_dict(named)
        with torch.no_grad():
            found = whole.quant_conv(whole.encoder(case.part("in")["image"]))
        assert_close(found, case.part("out")["moments"], case.limit, case.name)
