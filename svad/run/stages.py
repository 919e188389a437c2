"""The table of stages: each one's name, title, room, seconds, pretrained files and builder.

A stage is a row here, its settings in `svad/config/` and a room with `stage.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any, Literal, Protocol

from svad.compute import engine
from svad.config.preset import Preset
from svad.core.ahead import begin
from svad.run.imports import own_graph
from svad.run.makers import builders
from svad.run.makers.on_gpu import asked_seconds
from svad.types import Clip, Report, Subject

BODIES = ("svad.body.free", "svad.body.smplx_file")  # readers of the bodies a stage may get
Maker = Callable[[], Any]  # builds a stage; called once, when the stage is first needed


class Runnable(Protocol):
    """A stage that is built: what `run` takes and gives hangs on its place in the pipeline."""

    @property
    def run(self) -> Callable[..., Any]:
        """The work; its last argument, or the one named so, is the report of its progress."""
        ...


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One row of the table."""

    name: str  # of its settings in a preset, and of its result in the job folder
    title: str  # a few plain words
    room: str  # folder of the package
    # What builds it from a preset; None = the room's class `<Name>Stage`, from its settings alone.
    build: Callable[[Preset], Runnable] | None = None
    warm: Callable[[], None] | None = None  # begun on another thread when the stage is built
    parts: tuple[str, ...] = ()  # modules of other rooms that `build` hands to it
    takes_clip: bool = False  # run(subject, clip, report) -> another clip; they follow one another
    takes_footage: bool = False  # run(subject, footage, clip, report) of these
    optional: bool = False  # a run goes on where it finds nothing to do, or lacks its files
    skipped: str = ""  # the reason where a preset has no such settings; "" = it is not shown then
    seconds: float | None = None  # on two ordinary cores: where estimates start; None = unknown
    more_seconds: float = 0.0  # the same, of what `only_with` adds
    # Where it runs: here; here, its networks where the GPU is; or as a whole where the GPU is.
    where: Literal["here", "networks", "worker"] = "here"
    only_with: str = ""  # the field of its settings that wants the GPU; "" = the stage as such
    weights: tuple[str, ...] = ()  # groups of the manifest, read by the presets named there
    any_weights: tuple[str, ...] = ()  # groups of the manifest, read in every preset if present

    def of(self, preset: Preset) -> Any:
        """The stage's settings in a preset; None where the preset leaves it out."""
        return getattr(preset, self.name)

    def wants_gpu(self, preset: Preset) -> bool:
        """Whether the preset has that part of the stage which wants one."""
        settings = self.of(preset)
        return settings is not None and (
            not self.only_with or getattr(settings, self.only_with) is not None
        )

    def why_not(self, preset: Preset) -> str:
        """The reason, to be shown, why the preset leaves the stage out; "" = it is not shown."""
        # what takes the place of generated frames leaves nothing to be said of them
        return self.skipped if self.of(preset) is None and preset.footage is None else ""

    def typical(self, preset: Preset) -> float | None:
        """Seconds on two ordinary cores with the preset's settings; None = unknown."""
        if self.seconds is None or not self.only_with or not self.wants_gpu(preset):
            return self.seconds
        return self.seconds + self.more_seconds

    def made(self, preset: Preset) -> Runnable:
        """The stage itself, with all that it needs."""
        if self.warm is not None:
            begin(self.warm)
        if self.build is not None:
            return self.build(preset)
        module = import_module(f"{__name__.partition('.')[0]}.{self.room}.stage")
        words = self.name.split("_")
        return getattr(module, f"{''.join(map(str.title, words))}Stage")(self.of(preset))

    def code(self) -> str:
        """Changes whenever the code or data that the stage runs on changes."""
        return _code(self.room, self.parts)


STAGES = (  # in the order in which they run
    Stage(
        name="footage",
        title="Look through the pictures",
        room="footage",
        build=builders.footage,
        parts=("svad.subject.eyes",),
        seconds=25.0,
        any_weights=("pose",),
    ),
    Stage(
        name="subject",
        title="Understand the photo",
        room="subject",
        build=builders.subject,
        warm=builders.warm_up,
        parts=BODIES,
        seconds=5.0,
        weights=("subject",),
        any_weights=("pose",),
    ),
    Stage(
        name="relief",
        title="Shape from the photo",
        room="relief",
        build=builders.relief,
        parts=BODIES,
        seconds=5.5,
    ),
    Stage(
        name="film",
        title="Follow the person",
        room="film",
        build=builders.film,
        parts=(*BODIES, "svad.avatar.train.poses", "svad.avatar.train.together"),
        takes_clip=True,
        takes_footage=True,
        seconds=45.0,
    ),
    Stage(
        name="diffusion",
        title="Turn the person around",
        room="diffusion",
        build=builders.diffusion,
        parts=(*BODIES, "svad.subject.frames", "svad.weights"),
        takes_clip=True,
        where="networks",
        weights=("diffusion",),
        any_weights=("pose",),
    ),
    Stage(
        name="identity",
        title="Keep the face",
        room="identity",
        build=builders.identity,
        parts=(*BODIES, "svad.subject.landmarker", "svad.weights"),
        takes_clip=True,
        optional=True,
        skipped="Not needed: the preview takes the face straight from the photo.",
        where="worker",
        weights=("identity",),
    ),
    Stage(
        name="restoration",
        title="Restore detail",
        room="restoration",
        build=builders.restoration,
        parts=(*BODIES, "svad.weights"),
        takes_clip=True,
        optional=True,
        skipped="Not needed: the preview makes no frames that would have to be restored.",
        where="worker",
        weights=("restoration",),
    ),
    Stage(
        name="avatar",
        title="Match the photo",
        room="avatar",
        build=builders.avatar,
        parts=(*BODIES, "svad.weights"),
        seconds=2.5,
        more_seconds=170.0,
        where="networks",
        only_with="train",
        weights=("avatar",),
    ),
    Stage(name="package", title="Turntable and files", room="export", seconds=7.0),
)


def stage(name: str) -> Stage:
    """The row of a name."""
    return next(row for row in STAGES if row.name == name)


def shown(preset: Preset) -> tuple[Stage, ...]:
    """The stages that a run of the preset shows, in order."""
    return tuple(row for row in STAGES if row.of(preset) is not None or row.why_not(preset))


def titles(preset: Preset) -> tuple[tuple[str, str], ...]:
    """(name, title) of the stages that a run of the preset shows, in order."""
    return tuple((row.name, row.title) for row in shown(preset))


def on_gpu(preset: Preset) -> tuple[Stage, ...]:
    """The stages of a preset that want a GPU."""
    return tuple(row for row in STAGES if row.where != "here" and row.wants_gpu(preset))


def needs_gpu(preset: Preset) -> bool:
    """Whether a preset takes hours without a GPU; a training alone takes minutes."""
    return any(not row.only_with for row in on_gpu(preset))


def asked(preset: Preset) -> int:
    """Seconds of a visitor's quota that a run asks for in all; 0 where the preset says none."""
    if not preset.gpu_seconds:
        return 0
    own = sum(asked_seconds(row.name, preset) for row in on_gpu(preset))
    return round(own * engine.ASKED_FACTOR)


def stage_makers(preset: Preset) -> dict[str, Maker]:
    """How the stages of a preset are built; nothing heavy is imported before one is."""
    made = {row.name: partial(_maker, row, preset) for row in STAGES}
    return made | {
        "look": partial(builders.look, preset),
        "strip": builders.strip,
        "refine": builders.refine,
        "follow": partial(builders.follow, preset),
    }


def _maker(row: Stage, preset: Preset) -> Runnable:
    return InWorker(row.name, preset) if row.where == "worker" else row.made(preset)


@dataclass(frozen=True)
class InWorker:
    """A stage that takes a clip and runs as a whole where the GPU is."""

    name: str
    preset: Preset

    def run(self, subject: Subject, clip: Clip, report: Report) -> Clip:
        """What the stage makes of the clip."""
        return engine.run(
            _run_there, self.name, self.preset, subject, clip,
            seconds=asked_seconds(self.name, self.preset), report=report,
        )  # fmt: skip


def _run_there(name: str, preset: Preset, subject: Subject, clip: Clip, *, report: Report) -> Clip:
    return _made_there(name, preset).run(subject, clip, report)


@cache
def _made_there(name: str, preset: Preset) -> Runnable:
    """The stage of the process that has the GPU."""
    return stage(name).made(preset)


@cache
def _code(room: str, parts: tuple[str, ...]) -> str:
    return own_graph().fingerprint(room, parts)
