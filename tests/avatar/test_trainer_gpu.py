"""A small training, on the CPU and on a GPU: it comes nearer to its frames, and as near on both."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from svad.avatar.model.thin import thinned
from svad.avatar.train import poses as poses_module
from svad.avatar.train.trainer import Trained, Trainer
from svad.body.skin import pose_gaussians
from svad.config.avatar import TrainConfig
from svad.core.errors import Stopped
from svad.learn.lpips import Lpips
from svad.media.images import to_float, to_uint8
from svad.splat import rasterisers
from svad.splat.render import render
from svad.splat.render_warp import draws_on_cuda
from svad.types import Avatar, Clip, Photo, Pose, Subject
from tests.helpers import tiny_avatar, tiny_subject

WIDTH, HEIGHT, COUNT, FRAMES = 96, 128, 1500, 8
CONFIG = TrainConfig(
    coefficients=2,
    steps=120, height=HEIGHT, gaussians=COUNT, first_gaussians=600, grow_at=0.4, small_until=0.3,
    holdout=0, lpips=0.02,
)  # fmt: skip
GAIN = 4.0  # dB that so short a training brings at least; the CPU's brings twice that
ALIKE = 1.0  # dB between two devices, whose sums are rounded in other orders
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@cache
def made() -> tuple[Avatar, Subject, Clip]:
    """A first guess, and photo and frames of somebody shifted and of other colours."""
    guess = tiny_avatar(COUNT, width=WIDTH, height=HEIGHT)
    g, wave = guess.gaussians, torch.sin(guess.gaussians.means[:, [1, 2, 0]] * 15)
    person = replace(
        guess,
        gaussians=replace(
            g, means=g.means + 0.01 * wave, colors=(g.colors * 0.6 + 0.2 * wave + 0.2).clamp(0, 1)
        ),
    )
    yaw = torch.linspace(-1.5, 1.5, FRAMES)
    pose = guess.pose
    rotations = pose.rotations.repeat(FRAMES, 1, 1)
    rotations[:, 0, 1] = yaw
    poses = Pose(rotations, pose.translation.repeat(FRAMES, 1), pose.expression.repeat(FRAMES, 1))
    photo, *pictures = [drawn(person, one) for one in (pose[0], *poses)]
    rgb, matte = (np.stack(parts) for parts in zip(*pictures, strict=True))
    weight = np.full(FRAMES, 0.6, np.float32)
    clip = Clip(rgb, matte, poses, (guess.camera,) * FRAMES, weight, yaw.numpy(), None)
    subject = replace(tiny_subject(WIDTH, HEIGHT), photo=Photo(photo[0], None), matte=photo[1])
    return guess, subject, clip


def drawn(avatar: Avatar, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """Over white [H, W, 3] and coverage [H, W], uint8."""
    with torch.no_grad():
        picture = render(pose_gaussians(avatar, pose), avatar.camera)
    image, alpha = picture.image[0].numpy(), picture.alpha[0].numpy()
    return to_uint8(image + 1 - alpha[..., None]), to_uint8(alpha)


def decibels(avatar: Avatar, poses: Pose) -> float:
    """PSNR over all frames of the clip."""
    clip = made()[2]
    errors = [
        np.square(to_float(drawn(avatar, poses[i])[0]) - to_float(clip.rgb[i])).mean()
        for i in range(FRAMES)
    ]
    return float(-10 * np.log10(np.mean(errors)))


def begin(device: str, config: TrainConfig, **options) -> Trainer:
    guess, subject, clip = made()
    return Trainer(guess.to(device), subject, clip, config, **options)


def learned(device: str, config: TrainConfig = CONFIG, **options) -> float:
    """PSNR of a training with the poses it found, once its result lies where it should."""
    trained = begin(device, config, **options).run()
    assert trained.finished
    lies_on_the_cpu(trained)
    return decibels(trained.avatar, trained.poses)


def lies_on_the_cpu(trained: Trained) -> None:
    avatar = trained.avatar
    assert avatar.correctives is not None
    for part in (avatar, avatar.gaussians, avatar.pose, avatar.correctives, trained.poses):
        for field in fields(part):
            value = getattr(part, field.name)
            if isinstance(value, torch.Tensor):
                assert value.device.type == "cpu" and not value.requires_grad, field.name


@cache
def before() -> float:
    guess, _, clip = made()
    return decibels(guess, clip.poses)


@cache
def on_the_cpu(batch: int) -> float:
    return learned("cpu", replace(CONFIG, batch=batch))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch", [1, 4])
def test_it_comes_nearer_to_its_frames(device: str, batch: int) -> None:
    found = on_the_cpu(batch) if device == "cpu" else learned(device, replace(CONFIG, batch=batch))
    assert found > before() + GAIN
    assert found > on_the_cpu(batch) - ALIKE


@pytest.mark.gpu
@pytest.mark.parametrize("backend", ["gsplat", "warp"])
def test_every_rasteriser_of_a_gpu_trains(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = rasterisers._gsplat_draws() if backend == "gsplat" else draws_on_cuda()
    if not here:
        pytest.skip(f"{backend} does not draw on this card")
    asked = []

    def drawing(gaussians, cameras):
        asked.append(gaussians.means.device.type)
        return render(gaussians, cameras, backend=backend)

    monkeypatch.setattr(poses_module, "render", drawing)
    assert learned("cuda", replace(CONFIG, batch=4)) > on_the_cpu(4) - ALIKE
    assert asked == ["cuda"] * CONFIG.steps


@pytest.mark.parametrize("device", DEVICES)
def test_the_perceptual_loss_takes_part(device: str) -> None:
    torch.manual_seed(0)
    network = Lpips((4, 4, 4, 4, 4)).eval().requires_grad_(False)
    with torch.no_grad():
        for head in network.heads.parameters():
            head.abs_()
    half = torch.bfloat16 if device == "cuda" else torch.float32
    there = deepcopy(network).to(device, half, memory_format=torch.channels_last)
    # Colours alone, slower and slower: what a random network says of shapes leads nowhere.
    config = replace(
        CONFIG, steps=60, batch=4, lpips=3.0, slow_from=0.3, slowest_from=0.6, offset_rate=0.0,
        size_rate=0.0, opacity_rate=0.0, joint_rate=0.0, corrective_rate=0.0, rotation_rate=0.0,
        shift_rate=0.0,
    )  # fmt: skip
    apart = []
    for given in (None, there):
        trained = begin(device, config, lpips=given).run()
        picture, _ = drawn(trained.avatar, trained.poses[FRAMES])
        apart.append(network.of_pictures(picture, made()[1].photo.rgb))
    assert apart[1] < 0.97 * apart[0], apart


def test_all_pictures_are_cut_at_once_where_a_gpu_would_wait() -> None:
    pictures, told = begin("cpu", CONFIG).pictures, []
    pictures.cut_all(told.append)
    rows = len(pictures.frames)
    cuts = 2 * rows + 3  # the photo also at its own size
    assert len(told) == cuts and told[0].endswith(f"0 of {rows}")
    assert pictures._view.cache_info().currsize == cuts
    pictures.views([*pictures.frames[:2]], 0)
    assert pictures._view.cache_info().misses == cuts  # found, not cut again

    def stop(_: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        begin("cpu", CONFIG).pictures.cut_all(stop)


@pytest.mark.parametrize("device", DEVICES)
def test_a_stopped_training_goes_on(device: str, tmp_path: Path) -> None:
    file, config = tmp_path / "training.safetensors", replace(CONFIG, batch=4)
    trainer = begin(device, config, checkpoint=file, key="one")
    for _ in range(70):  # after it has grown
        trainer._once()

    def stop(*_: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        trainer.run(stop)
    again = begin(device, config, checkpoint=file, key="one")
    assert (again.step, again.grown, again.note) == (70, True, "")
    for name, value in trainer.learned.values.items():
        assert again.learned.values[name].device.type == device
        torch.testing.assert_close(again.learned.values[name], value, rtol=0, atol=0)
    trained = again.run()
    assert trained.finished
    lies_on_the_cpu(trained)
    assert decibels(trained.avatar, trained.poses) > on_the_cpu(4) - ALIKE


@pytest.mark.gpu
def test_a_gpu_thins_the_same() -> None:
    guess = made()[0]
    here, there = thinned(guess, 400), thinned(guess.to("cuda"), 400)
    assert there.gaussians.means.is_cuda
    for field in fields(here.gaussians):  # sums of a few in another order
        pair = (getattr(part.gaussians, field.name).cpu() for part in (there, here))
        torch.testing.assert_close(*pair, rtol=0, atol=1e-5)
