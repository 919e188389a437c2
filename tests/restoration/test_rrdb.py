"""The background network: its golden cases and its key list."""

from __future__ import annotations

import pytest
import torch

from svad.restoration.rrdb import RRDBNet, RrdbSizes, load_rrdb
from svad.weights.strict import WeightsMismatch
from tests.restoration.golden import Golden, assert_close
from tests.restoration.networks import rrdb_of, rrdb_shapes, rrdb_sizes


@pytest.mark.parametrize("kind", ["rrdb_tiny", "rrdb_full"])
def test_network(golden: Golden, kind: str) -> None:
    for case in golden.cases(kind):
        with torch.no_grad():
            found = rrdb_of(case)(case.part("in")["x"])
        assert_close(found, case.part("out")["y"], case.limit, case.name)


def test_keys_and_shapes_are_the_published_ones(golden: Golden) -> None:
    with torch.device("meta"):
        network = RRDBNet(RrdbSizes())
    found = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert found == golden.schema("RealESRGAN_x2plus.pth")["tensors"]


def test_a_missing_extra_or_misshapen_key_is_named() -> None:
    sizes = rrdb_sizes({"num_feat": 4, "num_block": 1, "num_grow_ch": 2})
    whole = {key: torch.zeros(shape) for key, shape in rrdb_shapes(sizes).items()}
    key = "body.0.rdb2.conv5.weight"
    lacking = {k: v for k, v in whole.items() if k != key}
    cases = [
        (lacking, f"missing: {key}"),
        ({**whole, "some.other.weight": torch.zeros(1)}, "not known: some.other.weight"),
        ({**lacking, key: torch.zeros(3, 1, 2)}, f"of another shape: {key}"),
    ]
    for state, message in cases:
        with pytest.raises(WeightsMismatch, match="RealESRGAN") as error:
            load_rrdb(state, sizes)
        assert message in str(error.value)
