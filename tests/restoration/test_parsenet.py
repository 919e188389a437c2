"""The network of the parts of a face: its golden case and its key list."""

from __future__ import annotations

import pytest
import torch

from svad.restoration.parsenet import ParseNet, load_parsenet
from svad.weights.strict import WeightsMismatch
from tests.restoration.golden import Golden, assert_close, fixed

FILE = "parsing_parsenet.pth"


def test_network(golden: Golden) -> None:
    for case in golden.cases("parsenet"):
        network = load_parsenet(case.state(), torch.float64)
        x, middle, out = case.part("in")["x"].double(), case.part("mid"), case.part("out")
        with torch.no_grad():
            encoded = network.encoder(x)
            pairs = [
                (encoded, "encoder_channel_mean"),
                (network.body(encoded), "body_channel_mean"),
                (network.features(x), "decoder_channel_mean"),
            ]
            for found, name in pairs:
                assert_close(found.mean((2, 3)), middle[name], case.limit, name)
            assert_close(network(x), out["mask_logits"], case.limit, "mask_logits")
            image = network.out_img_conv(network.features(x))
            assert_close(image, out["image"], case.limit, "image")


def zeros(golden: Golden) -> dict[str, torch.Tensor]:
    shapes = golden.schema(FILE)["tensors"]
    return {key: torch.zeros(shape, dtype=torch.bfloat16) for key, shape in shapes.items()}


def test_keys_and_shapes_are_the_published_ones(golden: Golden) -> None:
    schema = golden.schema(FILE)
    with torch.device("meta"):
        found = {k: list(v.shape) for k, v in ParseNet().state_dict().items()}
    counters = {key: entry["shape"] for key, entry in schema["fixed"].items()}
    assert found == {**schema["tensors"], **counters}


def test_counters_may_stand_in_the_file(golden: Golden) -> None:
    state = zeros(golden)
    for given in (state, {**state, **fixed(golden.schema(FILE))}):
        assert load_parsenet(given, torch.bfloat16).out_mask_conv.conv2d.bias.shape == (19,)


def test_a_missing_extra_or_misshapen_key_is_named(golden: Golden) -> None:
    whole, key = zeros(golden), "body.3.conv1.norm.norm.running_var"
    lacking = {k: v for k, v in whole.items() if k != key}
    cases = [
        (lacking, f"missing: {key}"),
        ({**whole, "some.other.weight": torch.zeros(1)}, "not known: some.other.weight"),
        ({**lacking, key: torch.zeros(3, 1, 2)}, f"of another shape: {key}"),
    ]
    for state, message in cases:
        with pytest.raises(WeightsMismatch, match=FILE) as error:
            load_parsenet(state)
        assert message in str(error.value)
