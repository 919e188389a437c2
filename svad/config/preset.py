"""A preset: the settings of every stage that a run goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from svad.config.avatar import AvatarConfig
from svad.config.diffusion import DiffusionConfig
from svad.config.film import FilmConfig
from svad.config.footage import FootageConfig
from svad.config.identity import IdentityConfig
from svad.config.limits import SEEDS
from svad.config.package import PackageConfig
from svad.config.relief import ReliefConfig
from svad.config.restoration import RestorationConfig
from svad.config.subject import SubjectConfig
from svad.core.ranges import Checked, one_of, within

BUILT_IN = "default"
OWN_BODIES = ("smplx_neutral", "smplx_male", "smplx_female")  # entries of the manifest
BODIES = (BUILT_IN, *OWN_BODIES)


@dataclass(frozen=True, kw_only=True)
class Preset(Checked):
    """One way through the pipeline; a stage without settings is left out.

    Fields that are not compared are words and estimates: they change no result.
    """

    name: str
    title: str = field(default="", compare=False)  # a word for the page
    note: str = field(default="", compare=False)  # for the page: what it gives, and from what
    # Seconds asked of ZeroGPU by stage, models on their way to the GPU included. A preset that
    # says none is not offered there.
    gpu_seconds: Mapping[str, int] = field(default_factory=dict, compare=False)
    footage: FootageConfig | None = None  # with it, a clip or several photos are what is sent
    subject: SubjectConfig = field(default_factory=SubjectConfig)
    relief: ReliefConfig = field(default_factory=ReliefConfig)
    film: FilmConfig | None = None
    diffusion: DiffusionConfig | None = None
    identity: IdentityConfig | None = None
    restoration: RestorationConfig | None = None
    avatar: AvatarConfig = field(default_factory=AvatarConfig)
    package: PackageConfig = field(default_factory=PackageConfig)
    body: str = one_of(BUILT_IN, BODIES)  # one of BODIES; all stages stand on the same
    seed: int = within(0, *SEEDS)


def settings_of(preset: Preset) -> dict[str, Any]:
    """What a result depends on, as plain values: the preset without its words and estimates."""
    values = asdict(preset)
    return {f.name: values[f.name] for f in fields(preset) if f.compare}


def as_photo(preset: Preset) -> Preset:
    """The preset without what needs more than one picture: the avatar in closed form."""
    return replace(preset, film=None, avatar=replace(preset.avatar, frames=0, train=None))
