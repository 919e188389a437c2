"""Keys and shapes of the networks, and loading that takes nothing but them."""

from __future__ import annotations

import pytest
import torch

from svad.diffusion.autoencoder import published_name
from svad.diffusion.models import IGNORED, build_models, load_models
from svad.weights.strict import WeightsMismatch
from tests.diffusion.golden import Golden

NETWORKS = {
    "reference_unet": ["reference_unet"],
    "video_unet": ["denoising_unet", "motion_module"],
    "pose_guider": ["pose_guider"],
    "image_encoder": ["image_encoder"],
    "autoencoder": ["vae"],
}


def test_networks_have_the_published_keys_and_shapes(golden: Golden) -> None:
    for config in golden.index["configs"]:
        models = build_models(golden.sizes(config))
        for name, files in NETWORKS.items():
            schemas = [golden.schema(config, file) for file in files]
            want = {k: tuple(s) for schema in schemas for k, s in schema["tensors"].items()}
            network = getattr(models, name)
            assert all(value.is_meta for value in network.state_dict().values())
            rename = published_name if name == "autoencoder" else str
            found = {rename(k): tuple(v.shape) for k, v in network.state_dict().items()}
            assert found == want, (config, name)
            ignored = [key for schema in schemas for key in schema["ignored"]]
            assert all(IGNORED.search(key) for key in ignored)
            assert not any(IGNORED.search(key) for key in want)


def filled(golden: Golden) -> tuple[str, dict[str, dict[str, torch.Tensor]]]:
    """The states of a small configuration, to be changed freely."""
    config = golden.cases("reference_unet")[0].config
    return config, {name: dict(state) for name, state in golden.states(config).items()}


@pytest.mark.parametrize("file", [file for files in NETWORKS.values() for file in files])
def test_a_missing_extra_or_misshapen_key_is_named(golden: Golden, file: str) -> None:
    config, states = filled(golden)
    sizes, whole = golden.sizes(config), states[file]
    key = sorted(whole)[len(whole) // 2]
    lacking = {k: v for k, v in whole.items() if k != key}
    cases = [
        (lacking, f"missing: {key}"),
        ({**whole, "some.other.weight": torch.zeros(1)}, "not known: some.other.weight"),
        ({**lacking, key: torch.zeros(3, 1, 2)}, f"of another shape: {key}"),
    ]
    for state, message in cases:
        with pytest.raises(WeightsMismatch) as error:
            load_models(sizes, ({**states, file: state}).__getitem__)
        assert message in str(error.value) and file in str(error.value)


def test_computed_tables_in_a_file_are_left_out(golden: Golden) -> None:
    config, states = filled(golden)
    for name, state in states.items():
        for key, shape in golden.schema(config, name)["ignored"].items():
            state[key] = torch.zeros([32 if n == "N" else n for n in shape])
    models = load_models(golden.sizes(config), states.__getitem__)
    assert not any(IGNORED.search(key) for key in models.video_unet.state_dict())


def test_both_spellings_of_the_autoencoders_attention_load(golden: Golden) -> None:
    config, states = filled(golden)
    old = load_models(golden.sizes(config), states.__getitem__).autoencoder.state_dict()
    named = {key.removeprefix("net."): value for key, value in old.items()}
    assert any(".to_q." in key for key in named) and set(named) != set(states["vae"])
    new = load_models(
        golden.sizes(config), ({**states, "vae": named}).__getitem__
    ).autoencoder.state_dict()
    assert all(torch.equal(new[key], value) for key, value in old.items())


def test_the_video_file_wins_over_the_motion_file(golden: Golden) -> None:
    config, states = filled(golden)
    key = sorted(states["motion_module"])[0]
    mine = torch.full_like(states["motion_module"][key], 7.0)
    states["denoising_unet"][key] = mine
    models = load_models(golden.sizes(config), states.__getitem__)
    assert torch.equal(models.video_unet.state_dict()[key], mine)
