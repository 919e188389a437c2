"""The UNet with its control, against golden arrays and diffusers' own forward pass."""

from __future__ import annotations

import re
from contextlib import ExitStack

import torch
from torch import Tensor

from svad.restoration.keys import unet_key
from svad.restoration.unet import FaceUNet
from tests.fill import tensor
from tests.restoration.golden import NETWORK, Golden, assert_close
from tests.restoration.tiny import networks

# behind what the nine tensors are added, in diffusers' names
PLACES = (
    *("down_blocks.0.attentions.1", "down_blocks.1.attentions.1", "down_blocks.2.attentions.1"),
    *("down_blocks.3.resnets.1", "mid_block", "up_blocks.0.resnets.1"),
    *("up_blocks.1.attentions.1", "up_blocks.2.attentions.1", "up_blocks.3.attentions.1"),
)
PARTS = re.compile(r"conv_in|.*\.(resnets|attentions|downsamplers|upsamplers)\.\d+")


def nine(arrays: dict[str, Tensor]) -> list[Tensor]:
    return [arrays[f"control{i}"] for i in range(9)]


def hooked(
    unet: FaceUNet, x: Tensor, t: Tensor, prompt: Tensor, control: list[Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """diffusers' own forward, control added by hooks; and what each published block gives."""
    seen: dict[str, Tensor] = {}

    def record(name: str):
        where = re.match(r"(input|output|middle)_blocks?\.(\d+)", unet_key(f"{name}.x"))
        block = "middle" if where[1] == "middle" else f"{where[1]}{where[2]}"

        def hook(module: object, inputs: object, output: Tensor | tuple[Tensor]) -> None:
            seen[block] = output[0] if isinstance(output, tuple) else output

        return hook

    def add(value: Tensor):
        def hook(module: object, inputs: object, output: Tensor | tuple[Tensor]):
            return (output[0] + value,) if isinstance(output, tuple) else output + value

        return hook

    with ExitStack() as stack:
        for name, module in unet.net.named_modules():
            if PARTS.fullmatch(name):
                handle = module.register_forward_hook(record(name))
                stack.callback(handle.remove)
        for name, value in zip(PLACES, control, strict=True):
            handle = unet.net.get_submodule(name).register_forward_hook(add(value))
            stack.callback(handle.remove)
        return unet.net(x, t, prompt).sample, seen


def test_without_control_it_is_the_golden_one(golden: Golden) -> None:
    for case in golden.cases("unet_plain"):
        unet, x = networks(case).unet, case.part("in")
        found = unet(x["x"], unet.moments(x["t"], x["context"]))
        assert_close(found, case.part("out")["eps"], case.limit, case.name)


def test_with_control_it_is_the_golden_one(golden: Golden) -> None:
    for case in golden.cases("unet_controlled"):
        unet, x = networks(case).unet, case.part("in")
        found = unet(x["x"], unet.moments(x["t"], x["context"]), nine(x))
        assert_close(found, case.part("out")["eps"], case.limit, case.name)


def test_every_block_of_the_plain_reference_is_golden(golden: Golden) -> None:
    for case in golden.cases("unet_controlled"):
        x = case.part("in")
        _, seen = hooked(networks(case).unet, x["x"], x["t"], x["context"], nine(x))
        for name, want in case.part("mid").items():
            assert_close(seen[name], want, case.limit, f"{case.name}: {name}")


def test_each_control_tensor_acts_where_the_plain_reference_has_it(golden: Golden) -> None:
    case = golden.cases("unet_controlled")[0]
    unet, x = networks(case).unet, case.part("in")
    moments = unet.moments(x["t"], x["context"])
    for i in range(9):
        control = [value * (j == i) for j, value in enumerate(nine(x))]
        want, _ = hooked(unet, x["x"], x["t"], x["context"], control)
        found = unet(x["x"], moments, control)
        assert_close(found, want, case.limit, f"with tensor {i} alone")
        assert (found - unet(x["x"], moments)).abs().max() > 0.01 * want.std()


def test_one_timestep_for_all_faces(golden: Golden) -> None:
    case = golden.cases("unet_plain")[0]
    unet = networks(case).unet
    width = case.part("in")["context"].shape[1:]
    x, prompt = tensor("x", (3, 4, 8, 16), 0), tensor("prompt", (1, *width), 0)
    shared = unet.moments(torch.tensor([21]), prompt)
    each = unet.moments(torch.full((3,), 21), prompt.expand(3, -1, -1))
    assert_close(unet(x, shared), unet(x, each), NETWORK, "with one row")
    rows = unet.moments(torch.tensor([1, 21]), prompt.expand(2, -1, -1))
    assert_close(unet(x, rows.row(1)), unet(x, shared), NETWORK, "with the second of two rows")


def test_prompt_branch_and_unet_together(golden: Golden) -> None:
    for case in golden.cases("apply"):
        n, x = networks(case), case.part("in")
        hint = n.control.hint_features(x["hint"])
        control = n.control(x["x"], hint, n.control.modulation(x["t"]))
        found = n.unet(x["x"], n.unet.moments(x["t"], n.prompt(x["t"])), control)
        assert_close(found, case.part("out")["eps"], case.limit, case.name)
