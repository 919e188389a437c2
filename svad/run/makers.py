"""Builders of the stages: what of other rooms each gets, and its networks on the GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from svad.compute import engine
from svad.compute.device import device, half, on_zero
from svad.config import BUILT_IN, DiffusionConfig, PackageConfig, Preset, TrainConfig, training
from svad.core.errors import MissingFile
from svad.run.bodies import bodies_here, load_body, own_body
from svad.run.learned import MACHINE, call_name, to_ask
from svad.types import Avatar, Clip, Footage, Photo, Pose, Report, Subject

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from svad.avatar.published.layer import BodyLayer
    from svad.avatar.published.snapshot import Snapshot
    from svad.avatar.stage import AvatarStage
    from svad.avatar.train.trainer import Trained
    from svad.body.model import BodyModel
    from svad.diffusion.follow import FollowStage
    from svad.diffusion.generate import Request
    from svad.diffusion.models import Models
    from svad.export.row import Format
    from svad.film.stage import FilmStage
    from svad.footage.follow import Follower
    from svad.footage.stage import FootageStage
    from svad.identity.models import Models as HeadModels
    from svad.identity.stage import IdentityStage
    from svad.learn.lpips import Perceptual
    from svad.motion.recorded import Recorded
    from svad.relief.stage import ReliefStage
    from svad.restoration.models import RestorationModels
    from svad.restoration.stage import RestorationStage
    from svad.subject.closer import Closer
    from svad.subject.look import Look
    from svad.subject.stage import SubjectStage
    from svad.weights.lazy import LazyNetworks

Settings = TypeVar("Settings")
REFINING = 1.0  # seconds of a GPU for the pose of one frame
FILLS = ("avatar",)  # stages that go on for as long as their call may take
MARGIN = 8  # seconds of a GPU call that a training leaves for its last checkpoint and the way back


STILL_VIEWS = 8  # around the person, where somebody asks for them later
STRIP = 1600  # px, width of the picture of all chosen frames


class VideoStage(Protocol):
    """A stage that makes a clip of the first guess of the avatar, if there is one."""

    def run(self, subject: Subject, start: Avatar | None, report: Report, /) -> Clip:
        """The clip; raises `MissingFile`."""
        ...


def look(preset: Preset) -> Callable[[Photo], Look]:
    """The quick look at a photo that comes before any stage."""
    from svad.subject.dwpose import best_detector
    from svad.subject.look import look

    detector = cache(best_detector)
    return lambda photo: look(photo, preset.subject, detector())


def read_photo(photo: Path | bytes) -> Photo:
    """A decoded photo; raises `PhotoError` if it cannot be used."""
    from svad.subject.checks import read_photo

    return read_photo(photo)


def footage(preset: Preset) -> FootageStage:
    """The stage that chooses pictures of a clip, or of several photos, and looks at each."""
    from svad.footage.stage import FootageStage
    from svad.subject.eyes import Eyes

    return FootageStage(_given(preset.footage), Eyes)


def strip() -> Callable[[Footage], np.ndarray]:
    """What draws the chosen pictures beside each other, with what is seen in them."""
    from svad.footage.strip import strip

    return partial(strip, width=STRIP)


def film(preset: Preset) -> FilmStage:
    """The stage that follows the person through the pictures."""
    from svad.avatar.train.poses import refine_poses
    from svad.avatar.train.together import poses_together
    from svad.film.stage import FilmStage

    body = load_body(preset.body)
    return FilmStage(_given(preset.film), body, refine_poses, poses_together)


def motion_watcher() -> tuple[Follower, Closer, Callable]:
    """What follows a person through a clip, looks at hands and face, and reads the fingers."""
    from svad.footage.follow import Follower
    from svad.subject.closer import closer, finger_reader
    from svad.subject.eyes import Eyes

    return Follower(Eyes()), closer(), finger_reader


def motion_body() -> BodyModel:
    """The body on which motions are tracked: the built-in one, of mean shape."""
    return load_body(BUILT_IN)


def subject(preset: Preset) -> SubjectStage:
    """The stage that finds the person in the photo."""
    from svad.subject.dwpose import best_detector
    from svad.subject.stage import SubjectStage

    return SubjectStage(preset.subject, load_body(preset.body), best_detector)


def relief(preset: Preset) -> ReliefStage:
    """The stage that makes the first clip and the first guess of the avatar."""
    from svad.relief.stage import ReliefStage

    return ReliefStage(replace(preset.relief, seed=preset.seed), load_body(preset.body))


@dataclass(frozen=True)
class FromGuess:
    """The video stage among the stages that take a clip: it starts from the clip's first guess."""

    stage: VideoStage

    def run(self, subject: Subject, clip: Clip, report: Report) -> Clip:
        """The generated frames take the place of the clip's."""
        return self.stage.run(subject, clip.start, report)


def diffusion(preset: Preset) -> FromGuess:
    """The stage that turns the person around; its networks run where the GPU is."""
    from svad.diffusion.stage import DiffusionStage
    from svad.subject.frames import frame_reader

    frames = partial(generate_on_gpu, preset)
    body = load_body(preset.body)
    return FromGuess(DiffusionStage(_given(preset.diffusion), body, frames, frame_reader()))


def follow(preset: Preset) -> FollowStage:
    """The video model moved by a clip of the person's own."""
    from svad.diffusion.follow import FollowStage
    from svad.pose.detect import DwPose
    from svad.subject.dwpose import shared_dwpose

    network = shared_dwpose() or DwPose.load()  # the latter says which file is missing
    frames = partial(generate_on_gpu, preset)
    return FollowStage(_given(preset.diffusion), frames, network.follow)


def identity(preset: Preset) -> IdentityStage:
    """The stage that keeps the photo's face."""
    from svad.identity.stage import IdentityStage
    from svad.subject.landmarker import shared_landmarker

    points = shared_landmarker().face_points
    settings, body = _given(preset.identity), load_body(preset.body)
    return IdentityStage(settings, head_networks(), body, points)


def restoration(preset: Preset) -> RestorationStage:
    """The stage that restores detail."""
    from svad.restoration.stage import RestorationStage

    settings, body = _given(preset.restoration), load_body(preset.body)
    return RestorationStage(settings, body, face_networks())


def packed_avatar(rig: bytes, glb: bytes) -> Avatar:
    """The avatar in the files of an archive; raises `AvatarFileError`."""
    from svad.export.reading import read_avatar

    return read_avatar(rig, glb)


def write_format(
    row: Format,
    avatar: Avatar,
    path: Path,
    report: Report,
    *,
    subject: Subject | None,
    card: dict,
    folder: Path,  # with what the run wrote
    bones: str,
    triangles: int,
    motions: Mapping[str, Recorded],
    lit: bool,
) -> None:
    """Writes one row of the table of export formats; raises what its writer does."""
    import torch

    from svad.export.context import ExportContext, ExportProgress

    settings = PackageConfig(views=STILL_VIEWS)
    context = ExportContext(
        avatar=avatar,
        size=(avatar.camera.width, avatar.camera.height),
        settings=settings,
        card=card,
        folder=folder,
        progress=ExportProgress(report, row.count(settings)),
        subject=subject,
        bones=bones,
        triangles=triangles,
        motions=motions,
        lit=lit,
    )
    with torch.inference_mode(), context.progress.of(row.note, row.count(settings)):
        report(0, row.count(settings), row.note)
        row.write(context, path)


def trained_avatar(
    snapshot: Path,
    face_offset: Path,
    own: Path | None,  # a person's own SMPL-X file; None = the body stored in the snapshot
    report: Report,
) -> Avatar:
    """The avatar of a published training, on the body it was trained on.

    Where the snapshot holds none that fits, the SMPL-X files on this machine are tried. Raises
    `SnapshotError`, `UnsafeFile`, `OtherBody` and `MissingFile`.
    """
    from svad.avatar.published.adopt import adopted
    from svad.avatar.published.fit import OtherBody, plans_for
    from svad.avatar.published.snapshot import read_face_offset
    from svad.body.smplx_file import SOURCE, TERMS

    report(0, 100, "reading the snapshot")
    read = read_snapshot(snapshot)
    refused: OtherBody | None = None
    for layer in [own_layer(own)] if own else _layers(read.layer):
        report(0, 100, "comparing the body")
        try:
            plans = plans_for(read.buffers, layer)
        except OtherBody as error:
            refused = refused or error
            continue
        offset = read_face_offset(face_offset, len(layer.template))
        return adopted(read, layer, plans, offset, report)
    if refused is not None:
        raise refused
    advice = f"{read.name} does not hold the body that it was trained on. Set SVAD_WEIGHTS"
    raise MissingFile(
        "SMPLX_NEUTRAL.npz (or _MALE, _FEMALE)", SOURCE, TERMS,
        f"{advice} to the folder that holds yours.",
    )  # fmt: skip


def read_snapshot(path: Path) -> Snapshot:
    """A published avatar; nothing in its file is run, and the optimiser's numbers are not kept.

    Raises `SnapshotError` for a file of another network, `UnsafeFile` for one that is damaged or
    holds code.
    """
    from svad.avatar.published.snapshot import ADVICE, snapshot_of
    from svad.weights.convert import read_checkpoint
    from svad.weights.errors import UnsafeFile

    try:
        return snapshot_of(read_checkpoint(path, "network", numpy_scalars=True), path.name)
    except UnsafeFile as error:
        raise UnsafeFile(f"{error} {ADVICE}") from error


def own_layer(path: Path) -> BodyLayer:
    """The published body of an SMPL-X file: with 50 expressions, its hands curled."""
    from svad.avatar.published.layer import BodyLayer
    from svad.body.smplx_file import load_smplx_body, mean_hands

    return BodyLayer.of(load_smplx_body(path), mean_hands(path))


def _layers(stored: BodyLayer | None) -> Iterator[BodyLayer]:
    """The bodies that a snapshot may have been trained on, the likeliest first."""
    if stored is not None:
        yield stored
    for name in bodies_here():
        own = own_body(name)
        if own is not None:
            yield own_layer(own.path)


def avatar(preset: Preset) -> AvatarStage:
    """The stage that makes the avatar; its training runs where the GPU is."""
    from svad.avatar.stage import AvatarStage

    settings = preset.avatar
    if settings.train is None:
        return AvatarStage(settings)
    body = load_body(preset.body) if settings.train.start == "body" else None
    return AvatarStage(settings, partial(train_on_gpu, preset), body)


def train_on_gpu(
    preset: Preset,
    avatar: Avatar,
    subject: Subject,
    clip: Clip,
    report: Report,
    checkpoint: Path | None,
    key: str,
) -> Trained:
    """A training, or as much of it as fits in the seconds that are asked for."""
    seconds = asked_seconds("avatar", preset)
    return engine.run(
        _train, preset, avatar, subject, clip, checkpoint, key, seconds,
        seconds=seconds, report=report,
    )  # fmt: skip


def refine() -> Callable[[Avatar, Clip, Report], Pose]:
    """What brings a clip's poses nearer to its frames, the avatar left as it is."""
    return refine_on_gpu


def refine_on_gpu(avatar: Avatar, clip: Clip, report: Report) -> Pose:
    """The refined poses of a clip, computed where the GPU is; for measuring."""
    seconds = MARGIN + round(REFINING * len(clip.rgb))
    return engine.run(_refine, avatar, clip, seconds=seconds, report=report)


def _refine(avatar: Avatar, clip: Clip, *, report: Report) -> Pose:
    from svad.avatar.train.poses import refine_poses

    return refine_poses(avatar.to(device()), clip, report).to("cpu")


def _train(
    preset: Preset,
    avatar: Avatar,
    subject: Subject,
    clip: Clip,
    checkpoint: Path | None,
    key: str,
    seconds: int,
    *,
    report: Report,
) -> Trained:
    from svad.avatar.train.trainer import Trainer

    place, started = device(), time.monotonic()
    config = _training_here(preset, place.type == "cuda")
    wanted = config.lpips > 0 and place.type == "cuda"  # on a CPU it would take most of the time
    loss = perceptual()(report) if wanted else None
    trainer = Trainer(
        avatar.to(place), subject, clip, config, checkpoint=checkpoint, key=key,
        lpips=None if loss is None else loss.network,
    )  # fmt: skip
    limited = on_zero() and checkpoint is not None
    trained = trainer.run(report, started + seconds - MARGIN if limited else None)
    return trained if loss is None else replace(trained, note=trained.note or loss.note)


def _training_here(preset: Preset, gpu: bool) -> TrainConfig:
    return replace(_given(training(preset, gpu)), seed=preset.seed)


@cache
def perceptual() -> LazyNetworks[Perceptual]:
    """The network of the perceptual loss, if its files are on this machine."""
    from svad import weights
    from svad.learn.lpips import lazy_lpips

    return lazy_lpips(weights.resolve, device())


def _given(settings: Settings | None) -> Settings:
    assert settings is not None  # a preset without them leaves the stage out: nobody builds it
    return settings


@cache
def head_networks() -> LazyNetworks[HeadModels]:
    """The head's networks; float16 holds for them where bfloat16 is too coarse."""
    import torch

    from svad import weights
    from svad.identity.models import lazy_models

    on_gpu = device().type == "cuda"
    return lazy_models(weights.resolve, device(), torch.float16 if on_gpu else torch.float32)


@cache
def face_networks() -> LazyNetworks[RestorationModels]:
    """The restoration networks."""
    from svad import weights
    from svad.restoration.models import lazy_models

    return lazy_models(weights.resolve, device())


def generate_on_gpu(
    preset: Preset, request: Request, report: Report
) -> np.ndarray:  # [T, H, W, 3] uint8
    """The frames; only the networks' part of the stage costs GPU seconds."""
    return engine.run(
        _generate, preset.diffusion, preset.seed, request,
        seconds=asked_seconds("diffusion", preset), report=report,
    )  # fmt: skip


def _generate(
    config: DiffusionConfig, seed: int, request: Request, *, report: Report
) -> np.ndarray:
    from svad.diffusion.generate import generate

    return generate(video_networks(), config, request, report, seed)


@cache
def video_networks() -> LazyNetworks[Models]:
    """The video networks of this process, on its device."""
    from svad import weights
    from svad.diffusion.generate import lazy_models

    return lazy_models(weights.resolve, device(), half())


def asked_seconds(stage: str, preset: Preset) -> int:
    """GPU seconds that a stage of a preset asks for in one call, as this machine has learned."""
    usual = preset.gpu_seconds.get(stage, engine.DEFAULT_SECONDS)
    return to_ask(MACHINE.runs(call_name(preset.name, stage)), usual, stage in FILLS)


def preload(preset: Preset) -> None:
    """Loads what every run of the preset needs on the GPU; before the page is launched.

    Raises `MissingWeights`.
    """
    if preset.diffusion is not None:
        video_networks()()
