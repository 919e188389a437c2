"""The network that finds faces: its golden case and its key list."""

from __future__ import annotations

import pytest
import torch

from svad.restoration.retinaface import MEAN_BGR, RetinaFace, load_retinaface
from svad.weights.strict import WeightsMismatch
from tests.restoration.golden import Golden, assert_close, fixed

FILE = "detection_Resnet50_Final.pth"


def test_network(golden: Golden) -> None:
    for case in golden.cases("retinaface"):
        network = load_retinaface(case.state(), torch.float64)
        mean = torch.tensor(MEAN_BGR, dtype=torch.float64)[:, None, None]
        x = case.part("in")["image_bgr"].double() - mean
        middle, out = case.part("mid"), case.part("out")
        with torch.no_grad():
            levels = network.fpn(network.body(x))
            contexts = network.features(x)
            heads = network(x)
        for i in range(3):
            pairs = [(levels[i], f"fpn{i}_channel_mean"), (contexts[i], f"ssh{i + 1}_channel_mean")]
            for found, name in pairs:
                assert_close(found.mean((2, 3)), middle[name], case.limit, name)
        assert_close(heads.boxes, out["loc"], case.limit, "boxes")
        assert_close(heads.logits, out["logits"], case.limit, "logits")
        assert_close(heads.landmarks, out["landmarks"], case.limit, "landmarks")


def zeros(golden: Golden) -> dict[str, torch.Tensor]:
    shapes = golden.schema(FILE)["tensors"]
    return {key: torch.zeros(shape, dtype=torch.bfloat16) for key, shape in shapes.items()}


def test_keys_and_shapes_are_the_published_ones(golden: Golden) -> None:
    schema = golden.schema(FILE)
    with torch.device("meta"):
        found = {k: list(v.shape) for k, v in RetinaFace().state_dict().items()}
    counters = {key: entry["shape"] for key, entry in schema["fixed"].items()}
    assert found == {**schema["tensors"], **counters}


def test_prefix_and_counters_may_stand_in_the_file(golden: Golden) -> None:
    state = zeros(golden)
    state["BboxHead.1.conv1x1.bias"] += 3
    prefixed = {f"module.{k}": v for k, v in {**state, **fixed(golden.schema(FILE))}.items()}
    for given in (state, prefixed):
        network = load_retinaface(given, torch.bfloat16)
        assert (network.BboxHead[1].conv1x1.bias == 3).all()


def test_a_missing_extra_or_misshapen_key_is_named(golden: Golden) -> None:
    whole, key = zeros(golden), "ssh2.conv7x7_3.0.weight"
    lacking = {k: v for k, v in whole.items() if k != key}
    cases = [
        (lacking, f"missing: {key}"),
        ({**whole, "some.other.weight": torch.zeros(1)}, "not known: some.other.weight"),
        ({**lacking, key: torch.zeros(3, 1, 2)}, f"of another shape: {key}"),
    ]
    for state, message in cases:
        with pytest.raises(WeightsMismatch, match=FILE) as error:
            load_retinaface(state)
        assert message in str(error.value)
