"""The counted operations are those that torch counts, and the published ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from svad.config.restoration import RestorationConfig
from svad.pose.drive import even_turn, paper_turn
from svad.restoration.networks import build_networks
from svad.restoration.restorer import Restorer
from svad.restoration.sizes import LATENT_CHANNELS, Sizes
from tests.restoration.golden import Golden
from tests.restoration.tiny import sizes
from tools.bench import restoration_cost as counted_by_hand
from tools.bench.restoration_cost import ClipSize, cost, published_cost, turning_clip

# GFLOP a call of the published configuration
PUBLISHED = {
    "unet": 804, "control": 218, "hint": 14.7, "prompt": 0.42, "decode": 2515,
    "parse": 469, "detect": 254, "enlarge": 8966,
}  # fmt: skip
PUBLISHED_TOTAL = 12.4e15


def flops(function: Callable, *arguments: object) -> int:
    """Operations that torch counts; attention as plain matrix products, so that they count."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        function(*arguments)
    return counter.get_total_flops()


def empty(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def test_the_networks_cost_what_torch_counts(golden: Golden) -> None:
    for size, h, w in ((sizes(golden.cases("apply")[0]), 8, 16), (Sizes(), 64, 64)):
        n, c = build_networks(size), counted_by_hand
        plan = Restorer(n).plan(2)
        x, faces = empty(3, LATENT_CHANNELS, h, w), empty(3, 3, 8 * h, 8 * w)
        hint = empty(3, size.block_out_channels[0], h, w)
        times = torch.zeros(2, device="meta")
        prompt = empty(2, size.prompt_tokens, size.prompt_width)
        row = {name: value[:1] for name, value in plan.control.items()}
        control = n.control(x, hint, row)
        assert flops(n.unet, x, plan.unet.row(0), control) == 3 * c.unet_flops(size, h, w)
        assert flops(n.unet.moments, times, prompt) == 2 * c.moments_flops(size)
        assert flops(n.control, x, hint, row) == 3 * c.control_flops(size, h, w)
        assert flops(n.control.hint_features, faces) == 3 * c.hint_flops(size, h, w)
        assert flops(n.control.modulation, times) == 2 * c.modulation_flops(size)
        assert flops(n.prompt, times) == c.prompt_flops(size, 2)
        assert flops(n.decoder, x) == 3 * c.decode_flops(size, h, w)


def test_the_published_figures_come_out() -> None:
    size, c = Sizes(), counted_by_hand
    once = c.moments_flops(size)
    hint = c.hint_flops(size, 64, 64)
    found = {
        "unet": c.unet_flops(size, 64, 64) + once,
        "control": c.control_flops(size, 64, 64) + hint + c.modulation_flops(size),
        "hint": hint,
        "prompt": c.prompt_flops(size, 1, lean=False),
        "decode": c.decode_flops(size, 64, 64),
        "parse": c.parse_flops(512, 512),
        "detect": c.detect_flops(1080, 1080),
        "enlarge": c.enlarge_flops(1000, 1000),
    }
    assert {k: v / 1e9 for k, v in found.items()} == pytest.approx(PUBLISHED, rel=0.01)
    assert published_cost().total == pytest.approx(PUBLISHED_TOTAL, rel=0.01)


def test_only_frames_that_show_the_face_count() -> None:
    clip = turning_clip(RestorationConfig(max_yaw=60.0), paper_turn(189))
    assert clip.frames == 189
    # 60 of 95 degrees of the first part, 60 of 85 of the second, none of the third
    assert clip.faces == pytest.approx(86 * 60 / 95 + 62 * 60 / 85, abs=2)
    assert turning_clip(RestorationConfig(max_yaw=180.0), even_turn(88)).faces == 88


def test_a_clip_is_the_sum_of_its_calls() -> None:
    config, size, c = RestorationConfig(steps=20), Sizes(), counted_by_hand
    one, three = (cost(config, ClipSize(frames=5, faces=n, width=512)) for n in (1, 3))
    step = c.unet_flops(size, 64, 64) + c.control_flops(size, 64, 64)
    assert three.sampling == 3 * one.sampling == 3 * 20 * step
    assert three.decoding == 3 * one.decoding and three.detection == 3 * one.detection
    # the steps' share is paid once, the hints by the face
    assert three.once - one.once == 2 * c.hint_flops(size, 64, 64)
    assert three.background == one.background == round(2.5 * c.enlarge_flops(768, 512))
    parts = (three.sampling, three.once, three.decoding, three.parsing, three.detection)
    assert three.total == sum(parts) + three.background


@pytest.mark.parametrize(("steps", "frames", "share"), [(50, 189, 0.60), (20, 88, 0.12)])
def test_presets_cost_a_fraction_of_the_published_run(
    steps: int, frames: int, share: float
) -> None:
    config = RestorationConfig(steps=steps)
    clip = turning_clip(config, paper_turn(frames))
    assert cost(config, clip).total <= share * PUBLISHED_TOTAL
