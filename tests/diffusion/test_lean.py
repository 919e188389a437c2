"""The savings change nothing but the cost; the counted operations are those computed."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from svad.config.diffusion import DiffusionConfig
from svad.diffusion import layers
from svad.diffusion.models import build_models
from svad.diffusion.sampler import Sampler
from svad.diffusion.sizes import LATENT_CHANNELS, Sizes
from svad.diffusion.spatial import Condition
from svad.diffusion.unet import UNet
from tests.diffusion.golden import CALL, Golden, assert_close
from tests.fill import tensor
from tools.bench.diffusion_cost import Cost, call_flops, cost
from tools.bench.plain_diffusion import make_plain

FRAMES, SIDE = 2, 40


def lean_and_published(place: str) -> tuple[UNet, UNet, tuple]:
    """The video network and its published form with the same weights, and a call for both.

    Few channels and one temporal head, so that spatial attention weighs as much as at full size.
    """
    sizes = Sizes(
        block_out_channels=(32,) * 4, layers_per_block=1, motion_heads=1, cross_attention_dim=16
    )
    torch.manual_seed(0)
    with torch.device(place):
        writer = UNet(sizes, motion=False, head=False).requires_grad_(False)
        unet = UNet(sizes, motion=True, head=True).requires_grad_(False)
    token, latent, pose, sample = (
        tensor(name, shape, 0).to(place)
        for name, shape in (
            ("token", (1, 1, sizes.cross_attention_dim)),
            ("latent", (1, LATENT_CHANNELS, SIDE, SIDE)),
            ("pose", (1, sizes.block_out_channels[0], FRAMES, SIDE, SIDE)),
            ("sample", (1, LATENT_CHANNELS, FRAMES, SIDE, SIDE)),
        )
    )
    tokens = torch.cat([torch.zeros_like(token), token])
    condition = unet.condition(tokens, writer.write_bank(latent, token))
    plain = make_plain(deepcopy(unet), tokens, writer.write_bank(latent, token))
    return unet, plain, (sample, unet.time_shifts(499), condition, pose)


def test_the_lean_call_is_cheaper_and_equal() -> None:
    unet, plain, call = lean_and_published("cpu")
    assert_close(unet(*call), plain(*call), CALL, "the lean prediction")
    # seconds are for the bench; operations are the same on every machine, and need no numbers
    unet, plain, call = lean_and_published("meta")
    assert counted(plain, *call) > 1.25 * counted(unet, *call)


def test_few_frames_at_a_time_change_nothing(
    golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = golden.cases("denoising_unet_reference")[0]
    models, x = golden.models(case.config), case.arrays
    bank = models.reference_unet.write_bank(x["ref_latent"], x["clip_token"])
    tokens = torch.cat([torch.zeros_like(x["clip_token"]), x["clip_token"]])
    unet = models.video_unet
    condition, shifts = unet.condition(tokens, bank), unet.time_shifts(751)
    whole = unet(x["sample"], shifts, condition, x["pose_fea"])
    monkeypatch.setattr(layers, "CHUNK_ELEMENTS", 4000)
    parts = unet(x["sample"], shifts, condition, x["pose_fea"])
    assert_close(parts, whole, CALL, "the prediction in chunks")


def counted(function, *arguments: object) -> int:
    """Operations that torch counts; attention as plain matrix products, so that they count."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        function(*arguments)
    return counter.get_total_flops()


def empty(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def test_the_cost_is_what_torch_counts(golden: Golden) -> None:
    height = 96
    sizes = golden.sizes(golden.cases("reference_unet")[0].config)
    settings = DiffusionConfig(
        width=128, height=height, context=6, overlap=2, steps=4, guided=(0.0, 0.5)
    )
    sampler = Sampler(build_models(sizes), settings)
    models, h, w = sampler.models, height // 8, 16
    found = cost(settings, 9, sizes)
    token, latent = empty(1, 1, sizes.cross_attention_dim), empty(1, LATENT_CHANNELS, h, w)
    condition = sampler.condition(token, latent)
    unet = models.video_unet
    shifts, sample = unet.time_shifts(0), empty(1, LATENT_CHANNELS, 6, h, w)
    assert counted(unet, sample, shifts, condition) == found.guided_call
    assert counted(unet, sample, shifts, condition.row(1)) == found.free_call
    assert counted(unet.time_shifts, 5) == found.time_step
    assert counted(sampler.condition, token, latent) == found.condition
    assert counted(sampler.token, empty(1, 3, 224, 224)) == found.image_token
    assert counted(models.pose_guider, empty(1, 3, height, 128)) == found.pose_picture
    assert counted(sampler.latent, empty(1, 3, height, 128)) == found.encode
    assert counted(models.autoencoder.decode_raw, latent) == found.decode_frame
    assert (found.guided_calls, found.free_calls) == (4, 4)  # two windows, half of four steps
    assert (found.pose_pictures, found.decoded_frames) == (9, 9)  # the tenth is padding


def test_the_published_cost_is_what_torch_counts(golden: Golden) -> None:
    sizes = golden.sizes(golden.cases("reference_unet")[0].config)
    models = build_models(sizes)
    tokens = empty(2, 1, sizes.cross_attention_dim)
    latent = empty(1, LATENT_CHANNELS, 8, 16)
    bank = models.reference_unet.write_bank(latent, tokens[:1])
    condition = models.video_unet.condition(tokens, bank)
    unet = make_plain(models.video_unet, tokens, bank)
    sample = empty(2, LATENT_CHANNELS, 6, 8, 16)
    found = counted(unet, sample, unet.time_shifts(0), condition)
    timing = counted(unet.time_shifts, 0)
    expected = call_flops(sizes, 6, 8, 16, rows=2, lean=False)
    assert found == expected - 2 * timing  # the published program embeds the time in both rows


@pytest.mark.parametrize(
    ("side", "published", "lean"), [(512, 129, 110), (768, 372, 296), (1024, 868, 650)]
)
def test_full_size_calls_cost_what_is_known(side: int, published: int, lean: int) -> None:
    """Tera-operations of a call on 48 frames, counted once on the published graph."""
    latent = side // 8
    assert call_flops(Sizes(), 48, latent, latent, rows=2) / 1e12 == pytest.approx(lean, abs=0.6)
    assert call_flops(Sizes(), 48, latent, latent, rows=2, lean=False) / 1e12 == pytest.approx(
        published, abs=0.6
    )


def test_the_published_settings_make_a_hundred_calls() -> None:
    found = cost(DiffusionConfig(), 189)
    assert isinstance(found, Cost) and found.guided_calls == 100 and found.free_calls == 0
    assert found.loop / 1e15 == pytest.approx(65.0, abs=0.1)
    assert found.decode_frame / 1e12 == pytest.approx(10.5, abs=0.1)
    assert found.total > found.loop


def test_less_guidance_costs_less() -> None:
    half = cost(DiffusionConfig(guided=(0.0, 0.5)))
    whole = cost(DiffusionConfig())
    assert half.total < whole.total
    assert half.guided_calls + half.free_calls == whole.guided_calls
    none = cost(DiffusionConfig(guidance=1.0))
    assert none.guided_calls == 0


def test_rows_of_a_condition() -> None:
    both = Condition(
        vectors={"a": torch.tensor([[1.0], [2.0]])}, bank={"a": (torch.ones(1), torch.ones(1))}
    )
    assert both.row(0).plain_rows == 1 and not both.row(0).bank
    assert both.row(1).plain_rows == 0 and both.row(1).bank
    assert both.row(1).vectors["a"].item() == 2
