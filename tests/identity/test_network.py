"""Networks of the head against golden arrays and their published list of keys."""

from __future__ import annotations

import copy
import json
import re
from functools import lru_cache
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from svad.identity.lifting import ExpressionHead, Lifted, LocalHead
from svad.identity.network import TRAINING_ONLY, UNUSED, build_network, load_network, used
from svad.identity.pyramid import Pyramid, normalised
from svad.identity.refiner import Refiner
from svad.identity.sizes import HeadSizes, LiftingSizes, PyramidSizes, RefinerSizes, VitSizes
from svad.weights.strict import WeightsMismatch, fill
from tests.identity.golden import Case, cases, schema
from tests.identity.small import drawn_noise, small_sizes, small_state

PUBLISHED = "schema_gagavatar.json"


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


def filled(network: nn.Module, case: Case) -> nn.Module:
    """A part of the networks with the weights of a case."""
    prefix = case.config["prefix"]
    state = {key.removeprefix(prefix): value for key, value in used(case.state()).items()}
    fill(network.eval(), state, case.name)
    return network


def meta(part: type[nn.Module], *sizes: object) -> nn.Module:
    with torch.device("meta"):
        return part(*sizes)


def part_of(image: Tensor, words: str) -> Tensor:
    """The part [..., a::b, c::d] of a picture [..., H, W] that the words of a case name."""
    (top, down), (left, across) = re.findall(r"(\d+)::(\d+)", words)[-2:]
    return image[..., int(top) :: int(down), int(left) :: int(across)]


def check_lifted(case: Case, found: Lifted) -> None:
    for name in case.expected:
        part = found.distances if name == "positions" else getattr(found, name)
        case.check(name, part)


def test_backbone_and_pyramid(golden_root: Path) -> None:
    for case in cases(golden_root, "dino_tiny*"):
        given = case.config["vit"]
        vit = VitSizes(
            image=given["img_size"], width=given["dim"], depth=given["depth"], heads=given["heads"]
        )
        network = filled(meta(Pyramid, vit, PyramidSizes()), case)
        for k, tokens in enumerate(network.dino_model(normalised(case.inputs["image"]))):
            case.check(f"tokens_{k}", tokens)
        features, whole = network(case.inputs["image"])
        case.check("f1", whole)
        case.check("f0", features[:, 0::2])
        for name in case.expected:
            if name.startswith("f0_resized"):
                side = case.expected[name].shape[-1]
                sized = F.interpolate(features, (side, side), mode="bilinear", align_corners=True)
                case.check(name, sized[:, 0::2])


@pytest.mark.parametrize("pattern", ["lift_conv_l0*", "lift_conv_l1*"])
def test_local_heads(golden_root: Path, pattern: str) -> None:
    for case in cases(golden_root, pattern):
        x, code = case.inputs["x"], case.inputs["d"]
        prefix = case.config["prefix"] + "gaussian_conv."
        inner, outputs = (case.schema()[f"{prefix}{i}.bias"][0] for i in (0, 6))
        sizes = LiftingSizes(inner=inner, channels=outputs - 9)
        network = filled(meta(LocalHead, PyramidSizes(features=x.shape[1]), sizes), case)
        check_lifted(case, network(x, code))


def test_expression_head(golden_root: Path) -> None:
    for case in cases(golden_root, "lift_linear_g*"):
        x, code = case.inputs["x"], case.inputs["d"]
        sizes = LiftingSizes()
        vit = VitSizes(width=x.shape[-1] - sizes.base)
        network = filled(meta(ExpressionHead, vit, sizes), case)
        check_lifted(case, network(x, code))
        # its rotations know of all rows, so it must not be run on a part of them
        half = network(x[:, : x.shape[1] // 2], code)
        assert (half.rotations - network(x, code).rotations[:, : half.rotations.shape[1]]).any()


def test_picture_to_gaussians_at_published_size(golden_root: Path) -> None:
    for case in cases(golden_root, "gaga_full*"):
        network = build_network(HeadSizes())
        network.upsampler = nn.Identity()
        fill(network, used(case.state()), case.name)
        seen = []
        network.base_model.register_forward_hook(lambda *call, seen=seen: seen.append(call[-1]))
        found = network.lift(case.inputs["image"], case.inputs["transform_source"])
        (features, whole) = seen[0]
        case.check("f0_sub", part_of(features, case.config["outs"]["f0_sub"]))
        case.check("f1", whole)
        attributes = {
            **{name: getattr(found, name) for name in ("colors", "opacities", "scales")},
            "rotations": found.rotations,
            "xyz": torch.cat([case.inputs["points"][0], found.plane]),
        }
        index = case.expected["index"].long()
        sizes = [HeadSizes().lifting.vertices, HeadSizes().plane ** 2, HeadSizes().plane ** 2]
        for name, values in attributes.items():
            assert len(values) == case.config["n_gaussians"] == HeadSizes().gaussians
            case.check(name, values[index])
            means = [part.abs().mean(0) for part in values.split(sizes)]
            case.check(f"meanabs_{name}", torch.stack(means))


@lru_cache
def refiner(case: Case) -> Refiner:
    """The refiner of a case; nobody may change it."""
    sizes = RefinerSizes(image=case.config.get("size", RefinerSizes().image))
    return filled(meta(Refiner, sizes, case.inputs["x"].shape[1]), case)


def test_refiner_at_small_sizes(golden_root: Path) -> None:
    found = [c for c in cases(golden_root, "styleunet*") if "stored_noise" in c.expected]
    assert found
    for case in found:
        network, x = refiner(case), case.inputs["x"]
        case.check("stored_noise", network(x, network.stored_noise).sigmoid())
        case.check("no_noise", network(x, None).sigmoid())
        words = case.config["outs"]["drawn_noise"]
        random = torch.Generator().manual_seed(int(re.search(r"seed\((\d+)\)", words).group(1)))
        sizes = RefinerSizes(image=case.config["size"])
        case.check("drawn_noise", network(x, drawn_noise(sizes, random, len(x))).sigmoid())


def test_refiner_at_published_size(golden_root: Path) -> None:
    found = [c for c in cases(golden_root, "styleunet*") if "logits_sub" in c.expected]
    assert found
    for case in found:
        network = copy.deepcopy(refiner(case))
        network.convolutions_to(torch.float32)
        logits, words = network(case.inputs["x"], network.stored_noise), case.config["outs"]["sub"]
        case.check("logits_sub", part_of(logits, words))
        picture = logits.sigmoid()
        case.check("sub", part_of(picture, words))
        values = picture.flatten(2)[0]
        case.check("mean_std", torch.stack([values.mean(1), values.std(1)]))


def published(golden_root: Path) -> dict[str, tuple[int, ...]]:
    return schema(golden_root / "head", PUBLISHED)


def on_meta(keys: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    return {key: torch.empty(shape, device="meta") for key, shape in keys.items()}


def test_published_keys_fit(golden_root: Path) -> None:
    keys = published(golden_root)
    network = load_network(on_meta(keys), HeadSizes())
    left = set(keys) - set(network.state_dict())
    assert set(network.state_dict()) <= set(keys)
    assert left == {key for key in keys if TRAINING_ONLY.search(key) or UNUSED.search(key)}
    groups = json.loads((golden_root / "head" / PUBLISHED).read_text())["groups"]
    training = [key for key in keys if TRAINING_ONLY.search(key)]
    assert len(training) == groups["training_only"]["n_keys"]
    assert sum(bool(UNUSED.search(key)) for key in keys) == len(left) - len(training)


def test_backbone_is_the_one_of_the_key_table(golden_root: Path) -> None:
    """The published names that stand for DINOv2's tensors elsewhere are exactly our module's."""
    table = json.loads((golden_root / "head" / "keymap_dinov2_transformers5.json").read_text())
    named = {entry["from"] for entry in table["map"].values()}
    prefix = "base_model.dino_model."
    ours = {prefix + key for key in build_network(HeadSizes()).base_model.dino_model.state_dict()}
    assert {key for key in named if not UNUSED.search(key)} == ours
    vit, config = VitSizes(), table["config"]
    assert (vit.width, vit.depth) == (config["hidden_size"], config["num_hidden_layers"])
    assert (vit.image, vit.patch) == (config["image_size"], config["patch_size"])
    assert (vit.heads, vit.ratio) == (config["num_attention_heads"], config["mlp_ratio"])


def test_keys_that_do_not_fit_are_named(golden_root: Path) -> None:
    state = on_meta(published(golden_root))
    lost, bent = "gs_generator_l1.gaussian_conv.6.bias", "upsampler.final_linear.bias"
    del state[lost]
    state[bent] = torch.empty(7, device="meta")
    state["upsampler.extra"] = torch.empty(1, device="meta")
    with pytest.raises(WeightsMismatch) as error:
        load_network(state, HeadSizes())
    message = str(error.value)
    assert all(key in message for key in (lost, bent, "upsampler.extra", "GAGAvatar.pt"))
    assert "missing" in message and "not known" in message and "another shape" in message


def test_networks_are_built_without_memory() -> None:
    assert all(p.is_meta for p in build_network(HeadSizes()).state_dict().values())


def test_small_networks_need_every_key() -> None:
    state = small_state()
    for key in list(state)[::17]:
        with pytest.raises(WeightsMismatch, match=key.replace(".", r"\.")):
            load_network({k: v for k, v in state.items() if k != key}, small_sizes())
