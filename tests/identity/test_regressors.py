"""The regressors and the landmark net against the golden runs; strict loading of their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from svad.identity.emica import Emica, EmicaSizes, load_emica
from svad.identity.geometry import FROM_98
from svad.identity.hrnet import HRNetSizes, LandmarkNet, decode, load_landmark_net
from svad.weights.strict import WeightsMismatch
from tests.identity.golden import cases, schema


def test_parity_of_the_regressors(golden_root: Path) -> None:
    for case in cases(golden_root, "emica*"):
        network = load_emica(case.state(), EmicaSizes())
        face, aligned = case.inputs["warped"], case.inputs["mica"]
        with torch.no_grad():
            found = network(face, aligned)
            vector = network.mica_encoder.E_mica.arcface(aligned)
            features = network.expression_encoder.encoder.encoder(face)
            codes = network.deca_encoder.encoder(face)
        case.check("shapecode", found.shape)
        case.check("expcode", found.expression)
        case.check("jawpose", found.jaw)
        case.check("globalpose", found.turn)
        case.check("code86", codes)
        case.check("arcface", vector / vector.norm(dim=1, keepdim=True))
        case.check("expr_features", features)


def test_parity_of_the_landmark_net(golden_root: Path) -> None:
    for case in cases(golden_root, "lmks*"):
        network = load_landmark_net(case.state(), HRNetSizes())
        with torch.no_grad():
            maps = network.maps(case.inputs["x"])
        case.check("heatmap_sub", maps[:, ::7, 1::4, 2::4])
        case.check("points", decode(maps))
        case.check("decode_points", decode(case.inputs["decode"][:, -1]))


def test_the_published_keys_are_the_networks_own(golden_root: Path) -> None:
    with torch.device("meta"):
        networks = {"schema_emica.json": Emica(EmicaSizes())}
        networks["schema_lmks_2d.json"] = LandmarkNet(HRNetSizes())
    for file, network in networks.items():
        wanted = schema(golden_root / "head", file)
        assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == wanted


def test_a_file_with_other_keys_is_refused() -> None:
    small = EmicaSizes(arcface_blocks=(1, 1), arcface_width=4, resnet_blocks=(1,), resnet_width=4)
    state = Emica(small).state_dict()
    assert isinstance(load_emica(state, small), Emica)
    key = "deca_encoder.encoder.layers.2.bias"
    with pytest.raises(WeightsMismatch, match=key):
        load_emica({k: v for k, v in state.items() if k != key}, small)
    with pytest.raises(WeightsMismatch, match="another shape"):
        load_emica(state, replace(small, hidden=7))


def test_a_lone_peak_is_decoded_where_it_is() -> None:
    maps = torch.zeros(1, 2, 16, 16)
    maps[0, 0, 3, 5] = maps[0, 1, 12, 1] = 50.0
    assert torch.allclose(decode(maps)[0], torch.tensor([[20.0, 12.0], [4.0, 48.0]]))


def test_each_of_the_98_points_serves_once() -> None:
    assert len(FROM_98) == 70 and len(set(FROM_98)) == 70 and max(FROM_98) == 97
