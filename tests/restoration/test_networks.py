"""Keys and shapes of the networks, and loading that takes nothing but them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from torch import Tensor

from svad.restoration.networks import (
    PREFIXES,
    Networks,
    load_networks,
    published_key,
    unused_keys,
)
from svad.restoration.sizes import Sizes
from svad.weights.convert import convert, read_checkpoint
from svad.weights.manifest import load_manifest
from svad.weights.strict import WeightsMismatch
from tests.restoration.golden import Golden, fixed
from tests.restoration.tiny import sizes

FILE = "BFRffusion.ckpt"


def published_state(golden: Golden) -> dict[str, Tensor]:
    """The published file's keys and shapes without memory; its schedule with values."""
    schema = golden.schema(FILE)
    shapes = {k: torch.empty(v, device="meta") for k, v in schema["tensors"].items()}
    return shapes | fixed(schema, golden.table("schedule"))


def test_rules_give_the_published_key_map(golden: Golden) -> None:
    table, size = golden.json("keymap.json"), Sizes()
    for network, part, start in (("unet", "unet", "net."), ("decoder", "vae", "")):
        found = {published_key(network, start + key, size): key for key in table[part].values()}
        assert found == {PREFIXES[network] + key: own for key, own in table[part].items()}


def test_every_published_key_is_used_or_knowingly_not(golden: Golden) -> None:
    size, state = Sizes(), published_state(golden)
    networks = load_networks(state, size)
    used = {
        published_key(name, key, size)
        for name in PREFIXES
        for key in getattr(networks, name).state_dict()
    }
    unused = unused_keys(size)
    assert not used & unused.keys()
    assert used | unused.keys() == state.keys()
    assert {key: tuple(state[key].shape) for key in unused} == unused
    squeezed = {key for key in state if not key.startswith(PREFIXES["unet"]) and ".attn_1." in key}
    kernels = {PREFIXES["decoder"] + key for key in golden.json("keymap.json")["squeeze"]}
    assert kernels == {key for key in squeezed if state[key].ndim == 4}


def tiny(golden: Golden) -> tuple[dict[str, Tensor], Sizes]:
    case = golden.cases("apply")[0]
    return case.state(), sizes(case)


def values(networks: Networks) -> dict[str, Tensor]:
    return {
        f"{field.name}.{key}": value
        for field in fields(networks)
        for key, value in getattr(networks, field.name).state_dict().items()
    }


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"state_dict": {"state_dict": state}},
        lambda state: {f"state_dict.{key}": v for key, v in state.items()} | {"other": state},
    ],
)
def test_wrapped_files_are_unwrapped(golden: Golden, wrap: Callable[[dict], dict]) -> None:
    state, size = tiny(golden)
    found, want = values(load_networks(wrap(state), size)), values(load_networks(state, size))
    assert found.keys() == want.keys()
    assert all(torch.equal(found[key], value) for key, value in want.items())


def test_both_published_forms_come_through_the_weights_room(golden: Golden, tmp_path: Path) -> None:
    entry = load_manifest()["bfrffusion"]
    state, size = tiny(golden)
    want = values(load_networks(state, size))
    for name, tree in (("flat", state), ("wrapped", {"state_dict": state, "epoch": 3})):
        file, target = tmp_path / f"{name}.ckpt", tmp_path / f"{name}.safetensors"
        torch.save(tree, file)
        convert(file, target, entry.root)
        found = values(load_networks(read_checkpoint(target), size))
        assert all(torch.equal(found[key], value) for key, value in want.items())


@pytest.mark.parametrize("network", PREFIXES)
def test_a_missing_extra_or_misshapen_key_is_named(golden: Golden, network: str) -> None:
    state, size = tiny(golden)
    keys = [k for k in state.keys() - unused_keys(size).keys() if k.startswith(PREFIXES[network])]
    key = sorted(keys)[len(keys) // 2]
    lacking = {k: v for k, v in state.items() if k != key}
    strange = f"{PREFIXES[network]}other.weight"
    for wrong, message in (
        (lacking, f"missing: {key}"),
        ({**state, strange: torch.zeros(1)}, f"not known: {strange}"),
        ({**lacking, key: torch.zeros(3, 1, 2)}, f"of another shape: {key} (expected"),
    ):
        with pytest.raises(WeightsMismatch) as error:
            load_networks(wrong, size)
        assert message in str(error.value) and FILE in str(error.value)


def test_strange_and_misshapen_unused_keys_are_named(golden: Golden) -> None:
    state, size = tiny(golden)
    with pytest.raises(WeightsMismatch, match="not known: model_ema.decay"):
        load_networks({**state, "model_ema.decay": torch.zeros(())}, size)
    for key in ("first_stage_model.encoder.conv_in.weight", "logvar"):
        with pytest.raises(WeightsMismatch, match=f"another shape: {key} "):
            load_networks({**state, key: torch.zeros(2)}, size)
    strange = "first_stage_model.encoder.other.weight"
    with pytest.raises(WeightsMismatch, match=f"not known: {strange}"):
        load_networks({**state, strange: torch.zeros(2)}, size)


def test_a_file_without_what_is_unused_loads(golden: Golden) -> None:
    state, size = tiny(golden)
    unused = unused_keys(size)
    load_networks({key: value for key, value in state.items() if key not in unused}, size)


def test_another_noise_schedule_is_refused(golden: Golden) -> None:
    state, size = tiny(golden)
    table = golden.table("schedule")
    load_networks(state | table, size)
    for key in ("betas", "alphas_cumprod"):
        with pytest.raises(WeightsMismatch, match=f"noise schedule \\({key}\\)"):
            load_networks(state | table | {key: table[key] * 1.001}, size)


def test_half_precision_leaves_the_prompt_alone(golden: Golden) -> None:
    state, size = tiny(golden)
    for networks in (
        load_networks(state, size, torch.bfloat16),
        load_networks(state, size).to("cpu", torch.bfloat16),
    ):
        types = {key: value.dtype for key, value in values(networks).items()}
        for key, dtype in types.items():
            assert dtype == (torch.float32 if key.startswith("prompt.") else torch.bfloat16), key
