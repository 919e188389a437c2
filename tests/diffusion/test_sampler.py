"""Whole runs: parity of every stage of a run, and what a run does around the networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from svad.config.diffusion import DiffusionConfig
from svad.core.errors import SettingError, Stopped
from svad.diffusion.inputs import clip_pixels, frame_pictures, photo_pixels, skeleton_pixels
from svad.diffusion.models import build_models, load_models
from svad.diffusion.sampler import Prepared, Sampler
from svad.diffusion.windows import padded_frames, windows
from tests.diffusion.golden import CALL, RUN, Case, Golden, assert_close, silent

GREY = 1 / 255  # versions of Pillow differ by one level in a few pixels


def sampler_of(golden: Golden, case: Case, **changes: object) -> Sampler:
    entry = case.entry
    settings = DiffusionConfig(
        width=entry["width"], height=entry["height"], steps=entry["steps"],
        guidance=entry["guidance"], context=entry["context_frames"],
        overlap=entry["context_overlap"], stride=entry["context_stride"],
    )  # fmt: skip
    return Sampler(golden.models(case.config), replace(settings, **changes), golden.schedule())


def pictures(case: Case) -> tuple[np.ndarray, list[np.ndarray]]:
    x = case.arrays
    return x["ref_image"].numpy(), list(x["pose_images"].numpy())


def assert_almost(found: Tensor, want: Tensor, scale: float) -> None:
    """Equal but for one grey level in a few pixels."""
    error = (found - want).abs()
    assert error.max() <= scale * GREY * 1.01
    assert (error > 1e-5).float().mean() < 0.01


def test_inputs_of_a_run(golden: Golden) -> None:
    for case in golden.cases("e2e"):
        x, (photo, skeletons) = case.arrays, pictures(case)
        width, height = case.entry["width"], case.entry["height"]
        assert_almost(clip_pixels(photo)[..., ::8, ::8], x["clip_pixel_values"], 4)
        assert_almost(photo_pixels(photo, width, height), x["ref_pixels"], 2)
        found = torch.stack([skeleton_pixels(p, width, height) for p in skeletons], 2)
        assert_almost(found, x["pose_cond"], 1)


def prepared_from(sampler: Sampler, case: Case) -> Prepared:
    """From the stored pixels; parts are compared on the way."""
    x = case.arrays
    token = sampler.token(clip_pixels(pictures(case)[0]))
    assert_close(token[:, 0], x["clip_embeds"], CALL, "clip_embeds")
    latent = sampler.latent(x["ref_pixels"])
    assert_close(latent, x["ref_latents"], CALL, "ref_latents")
    cond = x["pose_cond"]
    features = sampler.pose_features(lambda i: cond[:, :, i], case.entry["frames"], silent)
    assert_close(features[:, :, : cond.shape[2]], x["pose_fea"], CALL, "pose_fea")
    # the stored runs are not padded, so that one of them wraps
    return Prepared(sampler.condition(token, latent), features[:, :, : cond.shape[2]])


@pytest.mark.parametrize("rows_together", [True, False])
def test_a_run_matches_step_by_step(golden: Golden, rows_together: bool) -> None:
    for case in golden.cases("e2e"):
        x, entry = case.arrays, case.entry
        sampler = sampler_of(golden, case, rows_together=rows_together)
        assert sampler.schedule.timesteps(entry["steps"]) == entry["timesteps"]
        context, overlap = entry["context_frames"], entry["context_overlap"]
        stride = entry["context_stride"]
        assert windows(entry["frames"], context, overlap, stride=stride) == entry["windows"]

        def check(k: int, prediction: Tensor, latents: Tensor, x: dict = x) -> None:
            assert_close(prediction, x["guided_pred"][k], RUN, f"prediction of step {k}")
            assert_close(latents, x["latents"][k], RUN, f"latents of step {k}")

        prepared = prepared_from(sampler, case)
        latents = sampler.denoise(prepared, x["noise"], silent, check)
        assert_close(latents, x["latents"][-1], RUN, "latents")
        video = torch.cat(list(sampler.decode(latents, entry["frames"])))
        assert_close(video.transpose(0, 1)[None], x["video"], RUN, "video")


def test_a_run_from_photo_to_frames(golden: Golden) -> None:
    """Padded frames are denoised but not decoded; the same seed gives the same frames."""
    case = golden.cases("e2e")[0]
    entry, (photo, skeletons) = case.entry, pictures(case)
    sampler = sampler_of(golden, case, steps=1)
    skeletons = skeletons[: entry["context_frames"] + 1]
    assert padded_frames(len(skeletons), entry["context_frames"], entry["context_overlap"]) > len(
        skeletons
    )
    notes: list[str] = []
    frames = sampler.run(
        photo, skeletons, lambda done, total, note, picture=None: notes.append(note)
    )
    assert frames.shape == (len(skeletons), entry["height"], entry["width"], 3)
    assert frames.dtype == np.uint8 and frames.std() > 1
    assert "step 1 of 1, window 2 of 2" in notes
    assert np.array_equal(frames, sampler.run(photo, skeletons, silent))


def test_a_run_stops_between_two_calls(golden: Golden) -> None:
    case = golden.cases("e2e")[0]
    sampler = sampler_of(golden, case)
    photo, skeletons = pictures(case)
    calls: list[int] = []
    hook = sampler.models.video_unet.register_forward_hook(lambda *_: calls.append(1))

    def report(done: int, total: int, note: str, picture: object = None) -> None:
        if note.startswith("step 1") and done == 1:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        sampler.run(photo, skeletons, report)
    hook.remove()
    assert len(calls) == 1


def test_steps_without_guidance_take_one_row(golden: Golden) -> None:
    case = golden.cases("e2e")[0]
    sampler = sampler_of(golden, case, steps=2, guided=(0.0, 0.5))
    prepared = prepared_from(sampler, case)
    rows: list[int] = []
    hook = sampler.models.video_unet.register_forward_hook(lambda _, __, out: rows.append(len(out)))
    sampler.denoise(prepared, case.arrays["noise"], silent)
    hook.remove()
    assert rows == [2] * len(case.entry["windows"]) + [1] * len(case.entry["windows"])


def test_a_run_in_half_precision_stays_close(golden: Golden) -> None:
    """Sums and steps are float32 whatever the networks' type."""
    case = golden.cases("e2e")[0]
    models = load_models(
        golden.sizes(case.config), golden.states(case.config).__getitem__, torch.bfloat16
    )
    sampler = sampler_of(golden, case, steps=1)
    noise = case.arrays["noise"]
    want = sampler.denoise(prepared_from(sampler, case), noise, silent)
    half = Sampler(models.to("cpu"), sampler.config, sampler.schedule)
    photo, skeletons = pictures(case)
    prepared = half.prepare(photo, skeletons, silent)
    assert prepared.features.dtype == half.noise(3).dtype == torch.bfloat16
    found = half.denoise(prepared, noise, silent)
    assert found.dtype == torch.float32
    assert_close(found, want, 0.1, "the run in bfloat16")  # 8 bits of mantissa, some 100 layers


def test_the_noise_is_that_of_the_published_run(golden: Golden) -> None:
    """189 frames at 1024 x 1024 in float16, seed 99: the first numbers are known."""
    models = build_models(golden.sizes(golden.cases("e2e")[0].config)).to("meta", torch.float16)
    noise = Sampler(models, DiffusionConfig()).noise(189)
    assert noise.shape == (1, 4, 224, 128, 128)
    want = torch.tensor([0.2996, -2.6426, 0.7231, 0.8389])
    torch.testing.assert_close(noise.flatten()[:4].float(), want, atol=5e-4, rtol=5e-4)


def test_frames_are_rounded() -> None:
    grey = torch.full((1, 3, 1, 1), 99.6 / 255)
    assert frame_pictures(grey).tolist() == [[[[100, 100, 100]]]]


def test_settings_that_cannot_work_are_refused(golden: Golden) -> None:
    models = build_models(golden.sizes(golden.cases("e2e")[0].config))
    for wrong, words in (
        (DiffusionConfig(width=1001), "divide by 8"),
        (DiffusionConfig(context=4, overlap=4), "overlap of 0 to 3"),
    ):
        with pytest.raises(SettingError, match=words):
            Sampler(models, wrong)


@pytest.mark.gpu
def test_a_run_on_a_gpu_stays_close(golden: Golden) -> None:
    """In bfloat16 there, in float32 here: 8 bits of mantissa, some 100 layers."""
    case = golden.cases("e2e")[0]
    state = golden.states(case.config).__getitem__
    models = load_models(golden.sizes(case.config), state, torch.bfloat16).to("cuda")
    here = sampler_of(golden, case, steps=1)
    there = Sampler(models, here.config, here.schedule)
    photo, skeletons = pictures(case)
    noise = here.noise(len(skeletons))
    want = here.denoise(here.prepare(photo, skeletons, silent), noise, silent)
    found = there.denoise(there.prepare(photo, skeletons, silent), noise, silent)
    assert found.is_cuda and found.dtype == torch.float32
    assert_close(found.cpu(), want, 0.1, "the latents")
    frames = len(skeletons)
    seen, expected = (
        torch.cat(list(s.decode(x, frames))) for s, x in ((there, found), (here, want))
    )
    assert (seen.float().cpu() - expected).abs().mean() < 0.02  # 5 grey levels
