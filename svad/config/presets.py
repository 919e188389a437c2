"""The table of presets, with their words for the page and their GPU seconds."""

from __future__ import annotations

from dataclasses import replace

from svad.config.avatar import GENERATED, AvatarConfig, TrainConfig
from svad.config.diffusion import DiffusionConfig
from svad.config.film import FilmConfig
from svad.config.footage import FootageConfig
from svad.config.identity import IdentityConfig
from svad.config.preset import Preset
from svad.config.restoration import RestorationConfig
from svad.config.subject import SubjectConfig

PREVIEW = Preset(
    name="preview",
    title="Preview",
    note="From the photo alone. Sides and back are guessed.",
)
# Within a visitor's GPU minutes: two windows of frames on a canvas that fits a standing person, as
# high as those MusePose was trained on, and half of SVAD's steps. A second-order solver needs no
# more for guided sampling (Lu et al. 2022, section 7), and guidance does its good at the middle
# noise levels (Kynkaanniemi et al. 2024).
QUICK = Preset(
    name="quick",
    title="Quick",
    note="A video model turns the person around: 92 frames, so that sides and back look real.",
    # Estimates: the counted operations at 60 tera-operations a second, a careful guess for half
    # an RTX PRO 6000.
    gpu_seconds={"diffusion": 55, "identity": 20, "restoration": 30, "avatar": 25},
    subject=SubjectConfig(person_height=768),
    diffusion=DiffusionConfig(
        frames=92,
        turn="even",
        fit="body",
        width=448,
        height=768,
        steps=10,
        solver="dpm2m",
        guided=(0.1, 0.7),
    ),
    identity=IdentityConfig(),
    restoration=RestorationConfig(steps=20),
    avatar=AvatarConfig(train=replace(GENERATED, steps=400, batch=6, height=768)),
)
PAPER = Preset(
    name="paper",
    title="Paper",
    note="The paper's own settings: 189 frames at full size.",
    subject=SubjectConfig(person_height=1024),
    diffusion=DiffusionConfig(),
    identity=IdentityConfig(),
    restoration=RestorationConfig(),
    # about 12,000 pictures, as many as the published training draws (ExAvatar)
    avatar=AvatarConfig(
        train=replace(GENERATED, steps=3400, batch=6, height=1024, first_gaussians=167_000)
    ),
)
# What is seen in the frames is the person, so nothing is generated and nothing restored; no
# pretrained file is read but those that find the person, the perceptual loss's not either.
CLIP = Preset(
    name="clip",
    title="Clip",
    note="From a clip of somebody turning around once, or from two to four photos: sides and back "
    "are the person's own where they are seen, and guessed where they are not.",
    gpu_seconds={"avatar": 25},
    footage=FootageConfig(),
    film=FilmConfig(),
    avatar=AvatarConfig(
        frames=4,
        # film evens the exposure, and found the poses with the photo's head as it is; no frame need
        # be kept from the training to tell when it starts to invent, as it must with generated
        # ones; the photo is a frame, hardly finer than the others
        train=TrainConfig(lpips=0.0, tint=False, head_steps=0, few=12, holdout=0, gaussians=60_000),
    ),
)
PRESETS: dict[str, Preset] = {
    **{preset.name: preset for preset in (PREVIEW, QUICK, PAPER)},
    CLIP.name: CLIP,  # chosen by itself when a clip or several photos come
}
PHOTO_PRESETS = {name: preset for name, preset in PRESETS.items() if preset.footage is None}


def training(preset: Preset, gpu: bool) -> TrainConfig | None:
    """How a preset trains: on a GPU, `clip` draws as many pictures together as `quick` does.

    Numbers that somebody changed stay as they are.
    """
    train, usual, quick = preset.avatar.train, CLIP.avatar.train, QUICK.avatar.train
    assert usual is not None and quick is not None
    own = train is None or (train.steps, train.batch) != (usual.steps, usual.batch)
    if not gpu or preset.footage is None or train is None or own:
        return train
    return replace(train, steps=quick.steps, batch=quick.batch)


def with_video() -> list[str]:
    """The names of the presets that have a video model."""
    return [name for name, preset in PRESETS.items() if preset.diffusion is not None]
