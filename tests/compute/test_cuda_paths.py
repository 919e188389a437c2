"""Each network as it would run on a GPU: no mixed devices, no mixed types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorDeviceMismatchError

from svad.avatar.model.learned import Learned
from svad.avatar.train import poses as training
from svad.avatar.train.poses import PoseTable, picture_loss
from svad.avatar.train.smooth import Regularisers
from svad.avatar.train.views import View
from svad.body.free import load_free_body
from svad.body.poser import Poser
from svad.body.skin import pose_gaussians, unpose_points
from svad.compute.adam import Adam
from svad.compute.moved import moved, placed
from svad.config.avatar import TrainConfig
from svad.config.presets import QUICK
from svad.diffusion import sampler as sampler_module
from svad.diffusion.models import build_models
from svad.diffusion.sampler import Prepared, Sampler
from svad.diffusion.schedule import Schedule
from svad.diffusion.sizes import ClipSizes, Sizes
from svad.diffusion.solver import make_solver
from svad.identity.emica import Emica
from svad.identity.head import Head
from svad.identity.hrnet import LandmarkNet
from svad.identity.network import build_network
from svad.identity.refiner import noise_sizes
from svad.identity.stylematte import MatteSizes, StyleMatte
from svad.learn.lpips import Lpips
from svad.learn.rows import RowAdam
from svad.learn.ssim import _Convolved, photometric, target_stats
from svad.restoration import restorer as restorer_module
from svad.restoration import sizes as face_sizes
from svad.restoration.networks import build_networks
from svad.restoration.parsenet import ParseNet
from svad.restoration.restorer import Restorer
from svad.restoration.retinaface import RetinaFace
from svad.restoration.rrdb import RRDBNet, RrdbSizes
from svad.restoration.schedule import steps
from svad.restoration.upsampler import Upsampler
from svad.splat.gaussians import Gaussians
from svad.splat.render import Rendered
from svad.types import Pose
from tests.compute.fake_cuda import CUDA, MixedTypes, fake_cuda, numbers, on_device
from tests.helpers import tiny_avatar
from tests.identity.small import small_sizes
from tests.identity.whole import TRACKER

FLOAT, BFLOAT, HALF = torch.float32, torch.bfloat16, torch.float16
VIDEO = Sizes(
    block_out_channels=(32, 64), layers_per_block=1, heads=2, cross_attention_dim=32,
    norm_num_groups=8, motion_heads=2, motion_max_len=16, pose_channels=(8, 8, 8, 8),
    vae_channels=(16, 16, 16, 16), vae_layers=1,
    clip=ClipSizes(hidden=32, intermediate=64, layers=1, heads=2, proj=32),
)  # fmt: skip
FACES = face_sizes.Sizes(
    block_out_channels=(32, 64, 64, 64), head_channels=16, control_heads=(1, 2, 2, 2),
    control_time_width=32, prompt_tokens=4, prompt_width=32, prompt_hidden=32,
    vae_channels=(32, 32, 32, 32), vae_layers=1,
)  # fmt: skip


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A CUDA device without numbers."""
    with fake_cuda(monkeypatch):
        yield


class Planted(nn.Module):
    """A network with what each test plants in it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)
        self.convolution = nn.Conv1d(4, 4, 1)
        self.forgotten = torch.ones(4)  # no buffer: it stays where it is

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.convolution(self.norm(self.linear(x))[..., None])[..., 0]


def test_a_planted_device_is_found(cuda: None) -> None:
    network, x = placed(Planted(), CUDA, BFLOAT), numbers(2, 4, dtype=BFLOAT)
    on_device(network(x), dtype=BFLOAT)
    with pytest.raises(FakeTensorDeviceMismatchError):
        network(x) + network.forgotten
    network.linear.bias = nn.Parameter(torch.ones(4, dtype=BFLOAT), requires_grad=False)
    with pytest.raises(FakeTensorDeviceMismatchError):
        network(x)


def test_a_constant_that_nobody_places_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Planted()
    with (
        fake_cuda(monkeypatch),
        pytest.raises(AssertionError, match="convert all Tensors to FakeTensors"),
    ):
        placed(network, CUDA)(numbers(2, 4)) + network.forgotten


@pytest.mark.parametrize("part", ["linear", "norm", "convolution"])
def test_a_planted_type_is_found(cuda: None, part: str) -> None:
    network, x = placed(Planted(), CUDA, BFLOAT), numbers(2, 4, dtype=BFLOAT)
    placed(getattr(network, part), dtype=FLOAT)
    with pytest.raises((MixedTypes, RuntimeError)):
        network(x)


@pytest.mark.parametrize("rows_together", [True, False])
def test_video_diffusion(monkeypatch: pytest.MonkeyPatch, rows_together: bool) -> None:
    config = replace(
        QUICK.diffusion, frames=6, width=64, height=64, context=4, overlap=2, steps=2,
        rows_together=rows_together,
    )  # fmt: skip
    models, solver = build_models(VIDEO), make_solver(config.solver, Schedule(), config.steps)
    monkeypatch.setattr(sampler_module, "make_solver", lambda *_: solver)  # needs numbers
    with fake_cuda(monkeypatch):
        sampler = Sampler(models.to(CUDA, BFLOAT), config)
        token = sampler.token(torch.empty(1, 3, 224, 224))
        latent = sampler.latent(torch.empty(1, 3, 64, 64))
        on_device(token, latent, dtype=BFLOAT)
        features = sampler.pose_features(lambda _: torch.empty(1, 3, 64, 64), 6, lambda *_: None)
        prepared = Prepared(sampler.condition(token, latent), features)
        latents = sampler.denoise(prepared, sampler.noise(6), lambda *_: None)
        on_device(latents, dtype=FLOAT)
        pictures = list(sampler.decode(latents, 6))
    assert sum(map(len, pictures)) == 6 and all(p.dtype == FLOAT for p in pictures)


@pytest.mark.parametrize("half", [HALF, FLOAT])
def test_head_and_refiner(cuda: None, half: torch.dtype) -> None:
    sizes = small_sizes()
    head = Head(build_network(sizes)).to(CUDA, half)
    found = head.network.lift(numbers(1, 3, sizes.vit.image, sizes.vit.image), numbers(3, 4))
    parts = (getattr(found, f.name) for f in fields(found))
    on_device(*parts, dtype=FLOAT)
    side, refiner = sizes.refiner.image, head.network.upsampler
    maps = [numbers(1, 1, px, px) for px in noise_sizes(sizes.refiner)]
    assert refiner.is_half == (half == HALF)
    picture = refiner(numbers(2, sizes.lifting.channels, side, side), maps)
    on_device(picture, dtype=FLOAT)


def test_head_tracker(cuda: None) -> None:
    emica, landmarks = (
        placed(net.eval(), CUDA) for net in (Emica(TRACKER.emica), LandmarkNet(TRACKER.landmarks))
    )
    face = emica(numbers(1, 3, 224, 224), numbers(1, 3, 112, 112))
    on_device(*(getattr(face, name) for name in ("shape", "expression", "jaw")), dtype=FLOAT)
    on_device(landmarks(numbers(1, 3, 256, 256)), dtype=FLOAT)


def test_matting(cuda: None) -> None:
    network = placed(StyleMatte(MatteSizes()).eval(), CUDA)
    on_device(network(numbers(1, 3, 64, 64)), dtype=FLOAT)


def test_face_restoration(monkeypatch: pytest.MonkeyPatch) -> None:
    restorer, chosen = Restorer(build_networks(FACES)), steps(2)
    monkeypatch.setattr(restorer_module, "steps", lambda _: chosen)  # needs numbers
    with fake_cuda(monkeypatch):
        restorer.to(CUDA, BFLOAT)
        plan = restorer.plan(2)
        latents = restorer.denoise(torch.empty(2, 3, 64, 64), torch.empty(1, 4, 8, 8), plan)
        on_device(latents, dtype=FLOAT)
        on_device(restorer.decode(latents), dtype=FLOAT)


def test_background_and_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        rrdb = RRDBNet(RrdbSizes(features=8, blocks=1, growth=4)).eval()
        parser, detector = ParseNet().eval(), RetinaFace().eval()
    with fake_cuda(monkeypatch):
        upsampler = Upsampler(placed(rrdb, CUDA, HALF, channels_last=True), QUICK.restoration.tiles)
        on_device(upsampler.double(numbers(1, 3, 32, 24, dtype=HALF)), dtype=FLOAT)
        placed(parser, CUDA, HALF, channels_last=True)
        on_device(parser(numbers(1, 3, 512, 512, dtype=HALF)), dtype=HALF)
        placed(detector, CUDA, channels_last=True)
        on_device(*detector(numbers(1, 3, 64, 64)), dtype=FLOAT)


def test_body_and_gaussians(monkeypatch: pytest.MonkeyPatch) -> None:
    body, avatar = load_free_body(), tiny_avatar(200)
    poser = Poser.of(avatar)
    with fake_cuda(monkeypatch):
        body, poser = body.to(CUDA), moved(poser, CUDA)
        avatar, frame = poser.avatar, poser.avatar.pose[0]
        # which expressions are in use depends on numbers; with gradients all of them count
        pose = replace(avatar.pose, expression=numbers(1, 4).requires_grad_())
        for posed in (pose_gaussians(avatar, pose), pose_gaussians(avatar, pose[0]), poser(pose)):
            on_device(posed.means, posed.quats, posed.scales, posed.opacities, dtype=FLOAT)
        binding = (avatar.joint_ids, avatar.joint_weights, avatar.joints, avatar.parents)
        on_device(unpose_points(numbers(200, 3), *binding, frame), dtype=FLOAT)
        rest = body.rest(numbers(body.shape_dirs.shape[-1]))
        vertices = body.pose_vertices(rest, pose.rotations, pose.translation)
        on_device(rest.vertices, rest.joints, vertices, dtype=FLOAT)


def test_losses_and_their_gradients(cuda: None) -> None:
    image, target = numbers(2, 30, 20, 3), numbers(2, 30, 20, 3)
    stats = target_stats(target)
    on_device(photometric(image, target, stats=stats), dtype=FLOAT)
    # autograd itself asks for a real device; its parts do not
    saved: list[torch.Tensor] = []
    context = SimpleNamespace(save_for_backward=lambda *tensors: saved.extend(tensors))
    _Convolved.forward(context, image, target, stats.mean, stats.square, 0.8, 0.2, None)
    context.saved_tensors = saved
    on_device(_Convolved.backward(context, numbers())[0], dtype=FLOAT)
    lpips = placed(Lpips((4, 4, 4, 4, 4)).eval(), CUDA, BFLOAT, channels_last=True)
    picture = numbers(2, 3, 32, 32)
    on_device(lpips(picture, picture), dtype=FLOAT)


def test_adam_with_rows(cuda: None) -> None:
    table = numbers(5, 3)
    adam = RowAdam({"shift": table}, {"shift": 1e-3})
    adam.step([1, 4], {"shift": numbers(2, 3)})
    on_device(table, *(adam.state[f"shift.{name}"] for name in ("mean", "square")), dtype=FLOAT)


@pytest.mark.parametrize("rows", [[1], [3, 0, 2]])
def test_a_step_of_the_training(monkeypatch: pytest.MonkeyPatch, rows: list[int]) -> None:
    avatar, config = tiny_avatar(200), TrainConfig()
    start = Pose.cat([avatar.pose] * 4)
    regularisers = Regularisers(avatar, config)  # whose neighbours need numbers
    sizes, camera = (40, 24), replace(avatar.camera, width=24, height=40)
    asked: list[int] = []

    def render(posed: Gaussians, cameras: list) -> Rendered:  # a rasteriser needs numbers, too
        on_device(*(getattr(posed, f.name) for f in fields(posed)), dtype=FLOAT)
        asked.append(len(cameras))
        return Rendered(numbers(len(cameras), *sizes, 3), numbers(len(cameras), *sizes))

    monkeypatch.setattr(training, "render", render)
    with fake_cuda(monkeypatch):
        learned = Learned.of(avatar.to(CUDA), config.coefficients)
        on_device(*learned.values.values(), dtype=FLOAT)
        table = PoseTable(start.to(CUDA), config.rotation_rate, config.shift_rate)
        pose, leaves = table.leaves(rows)
        posed = learned.posed(pose)
        on_device(*(getattr(posed, f.name) for f in fields(posed)), dtype=FLOAT)
        assert posed.means.shape == (len(rows), 200, 3) and posed.means.requires_grad
        parts = numbers(*sizes, 3), numbers(*sizes, 1), numbers(*sizes, 1)
        views, weight = [View(camera, *parts)] * len(rows), numbers(1, *sizes, 1)
        found = picture_loss(learned, pose, views, numbers(len(rows), 3), weight)
        on_device(*found, dtype=FLOAT)
        _place(regularisers)
        pulls = regularisers.gradients(learned)
        on_device(*pulls.values(), dtype=FLOAT)
        assert all(pull.shape == learned.values[name].shape for name, pull in pulls.items())
        rates = learned.rates(config)
        adam = Adam([learned.values[name] for name in rates], list(rates.values()))
        adam.step([torch.empty_like(value) for value in adam.values])
        learned.keep_valid()
        on_device(*adam.values, *(part for pair in adam.moments for part in pair), dtype=FLOAT)
        table.step(rows, [torch.empty_like(leaf) for leaf in leaves])
        on_device(*table.changes.values(), table.poses.rotations, dtype=FLOAT)
    assert asked == [len(rows)]


def _place(owner: object) -> None:
    """Whatever tensors an object has, and those of its parts, on the device."""
    for name, value in vars(owner).items():
        if isinstance(value, torch.Tensor):
            setattr(owner, name, placed(value, CUDA))
        elif isinstance(value, list):
            setattr(owner, name, [placed(part, CUDA) for part in value])
        elif hasattr(value, "__dict__"):
            _place(value)
