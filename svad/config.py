"""The settings of every stage, and the table of presets with their texts and GPU seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from svad.core.errors import SettingError
from svad.core.ranges import Checked, one_of, shown, within

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")
Plain = bool | int | float | str  # a setting, if it is no tuple of these
BUILT_IN = "default"
OWN_BODIES = ("smplx_neutral", "smplx_male", "smplx_female")  # entries of the manifest
BODIES = (BUILT_IN, *OWN_BODIES)
STARTS = ("relief", "body")  # first guesses of a training
SOLVERS = ("ddim", "dpm2m")  # of the video diffusion model
TURNS = ("paper", "even")  # schedules of the driving sequence
FITS = ("keypoints", "body")  # ways to bring the driving sequence onto the person
# Ends of ranges that many fields share. They keep out what cannot work or would never end; what a
# machine has memory and patience for is for its owner to say.
SEEDS = (0, 2**31 - 1)
SHARE = (0.0, 1.0)
RATE = (0.0, 1.0)  # Adam's, a step
HEAVIEST = 1e6  # weight of a term
WEIGHT = (0.0, HEAVIEST)
SIDE = (32, 4096)  # px


@dataclass(frozen=True, kw_only=True)
class SubjectConfig(Checked):
    """Photo checks, matte, landmarks and body fit."""

    person_height: int = within(
        640, 128, 2048
    )  # px, height of the person at the working size (never enlarged)
    head_density: int = within(
        2, 1, 4
    )  # pixels of the head close-up per working pixel, along each axis


@dataclass(frozen=True, kw_only=True)
class ReliefConfig(Checked):
    """The clip without weights, from the photo on the fitted body."""

    views: int = within(8, 0, 360)  # frames around the person
    seed: int = within(0, *SEEDS)  # of the grain on unseen cloth and hair


@dataclass(frozen=True, kw_only=True)
class FootageConfig(Checked):
    """Which pictures of a clip, or of several photos, an avatar is made from."""

    frames: int = within(60, 2, 1000)  # chosen of a clip, evenly over the sides that are seen
    height: int = within(540, *SIDE)  # px of the frames, never enlarged
    candidates: int = within(240, 8, 5000)  # frames of a clip that are looked at


@dataclass(frozen=True, kw_only=True)
class FilmConfig(Checked):
    """The person's pose in every picture."""

    holdout: int = within(
        0, 2, 1000, or_zero=True
    )  # every so many frames are kept from the training, to measure it; 0 = none

    def held_out(self, count: int) -> list[int]:
        """Which of `count` frames are kept from the training; never the first, the front."""
        return list(range(self.holdout, count, self.holdout)) if self.holdout else []


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig(Checked):
    """The turning person from the video diffusion model; the defaults are SVAD's settings."""

    frames: int = within(189, 1, 2000)  # length of SVAD's driving clip
    turn: str = one_of(
        "paper", TURNS
    )  # the clip's yaw schedule, or "even": once around at an even pace
    fit: str = one_of(
        "keypoints", FITS
    )  # figures aligned in the picture (SVAD section 3.1), or "body"
    squash: bool = False  # True: the photo stretched to the canvas, as the published program does
    width: int = within(1024, *SIDE)  # px of the frames, a multiple of 64
    height: int = within(1024, *SIDE)  # px of the frames, a multiple of 64
    steps: int = within(20, 1, 1000)
    solver: str = one_of("ddim", SOLVERS)  # or "dpm2m" (DPM-Solver++, Lu et al. 2022)
    guidance: float = within(3.5, 0, 100)  # classifier-free guidance, SVAD's value
    guided: tuple[float, float] = within((0.0, 1.0), *SHARE)  # the part of the steps that is guided
    context: int = within(
        48, 1, 1000
    )  # frames of a window: those the temporal modules were trained on
    overlap: int = within(4, 0, 999)  # frames that neighbouring windows share
    stride: int = within(1, 1, 16)  # 2^(stride - 1) is the widest spacing of frames in a window
    seed: int = within(99, *SEEDS)  # SVAD's value; a run's own seed is added
    rows_together: bool = True  # both rows of the guidance in one call; half the memory if not
    decode_chunk: int = within(4, 1, 1000)  # frames decoded at a time

    def guides(self, step: int) -> bool:
        """Whether a step computes the unconditional row too."""
        first, end = self.guided
        return self.guidance != 1 and first <= step / self.steps < end

    def require_valid(self) -> None:
        """Raises `SettingError` for values that the networks cannot work with."""
        if self.width % 8 or self.height % 8:
            wrong = f"width and height must divide by 8, not {self.width}x{self.height}"
        elif self.overlap >= self.context:
            wrong = f"an overlap of 0 to {self.context - 1} is needed, not {self.overlap}"
        else:
            return
        raise SettingError(f"These settings do not work: {wrong}.")


@dataclass(frozen=True, kw_only=True)
class HeadFitConfig(Checked):
    """The fit of camera and eyes to a tracked head, as published (GAGAvatar tracker)."""

    steps: int = within(300, 1, 10_000)
    rotation_rate: float = within(5e-4, *RATE)  # Adam, of the first two rows
    translation_rate: float = within(0.1, *RATE)  # FLAME metres times 5
    eyes_rate: float = within(1e-3, *RATE)  # radians
    mesh: float = within(25.0, *WEIGHT)  # weights of the terms
    inner: float = within(10.0, *WEIGHT)
    points: float = within(80.0, *WEIGHT)
    eyes: float = within(25.0, *WEIGHT)


@dataclass(frozen=True, kw_only=True)
class IdentityConfig(Checked):
    """The photo's face, as a turning Gaussian head, in the frames that show it."""

    max_yaw: float = within(
        75.0, 0, 180
    )  # degrees between camera and face; frames beyond it keep their face
    fade: int = within(3, 0, 1000)  # frames before that limit over which the new face fades out
    # Procrustes disparity of the two sets of 68 landmarks; SVAD: 0.01, with one detector for both.
    # Between two kinds of landmarks a face differs from itself by up to 0.02, and by 0.05 from
    # itself turned by 20 degrees.
    max_disparity: float = within(0.03, 0, 10)
    batch: int = within(8, 1, 1000)  # heads drawn together
    fit: HeadFitConfig = HeadFitConfig()  # of the tracked head's camera and eyes
    strict: bool = False  # True = selection and blending exactly as published, losses included


@dataclass(frozen=True, kw_only=True)
class TileConfig(Checked):
    """How a picture is cut when it is larger than what the background network may see at once."""

    pixels: int = within(
        2**20, 1, 2**31
    )  # of the input, in one call; half precision takes about 2 kB each
    tile: int = within(512, 32, 4096)  # px, side of a tile
    overlap: int = within(96, 0, 4095)  # px that neighbours share
    blind: int = within(
        16, 0, 2047
    )  # px at an inner edge of a tile that count nothing; then the weight rises

    def require_valid(self) -> None:
        """Raises `SettingError` for tiles that do not cover a picture without a seam."""
        if not 2 * self.blind < self.overlap < self.tile:
            raise SettingError(
                "These settings do not work: of a tile, twice blind must be less than overlap and "
                f"overlap less than tile, not {self.blind}, {self.overlap} and {self.tile}."
            )


@dataclass(frozen=True, kw_only=True)
class RestorationConfig(Checked):
    """Detail for faces and for the rest of the frames."""

    steps: int = within(50, 1, 500)  # of the face sampler, a divisor of 1000 (BFRffusion: 50)
    scale: float = within(1.5, 0.25, 4)  # output size over input size (SVAD section 3.3)
    max_yaw: float = within(
        60.0, 0, 180
    )  # degrees; faces seen from farther aside are left as they are
    batch: int = within(8, 1, 1000)  # faces restored together
    # px, side of the square around a face; smaller ones are left as they are. (The published limit,
    # 5 px between the eyes, is a square of 20.)
    smallest_face: float = within(40.0, 1, 4096)
    seed: int = within(
        42, *SEEDS
    )  # of the start noise, one for all faces of the person (BFRffusion: 42)
    tiles: TileConfig = TileConfig()  # of the background network on a GPU
    cpu_tiles: TileConfig = TileConfig(pixels=2**17, tile=320)  # Stop waits for a call
    strict: bool = False  # alignment, pasting and background tiles with the published faults

    def require_valid(self) -> None:
        """Raises `SettingError` for steps that cannot be spaced evenly, and for tiles."""
        super().require_valid()
        if 1000 % self.steps:
            raise SettingError(
                "These settings do not work: the steps of the face sampler must divide 1000, as "
                f"10, 20, 25, 40 and 50 do; {self.steps} do not."
            )


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Checked):
    """The training of an avatar on frames and photo; rates are Adam's, a step each.

    The defaults are for frames that are to be believed; `GENERATED` is for those of a video model.
    """

    steps: int = within(2000, 1, 1_000_000)
    batch: int = within(1, 1, 256)  # pictures a step
    seed: int = within(0, *SEEDS)
    height: int = within(540, 32, 4096)  # px, of the frames
    small_until: float = within(0.35, *SHARE)  # part of the steps at half that size
    start: str = one_of(
        "relief", STARTS
    )  # the first guess: "relief" = the preview's cloud, "body" = the body
    first_gaussians: int = within(60_000, 1, 10_000_000)  # until `grow_at`
    gaussians: int = within(
        60_000, 1, 10_000_000
    )  # at most, in the end: what is more goes where the photo shows it
    grow_at: float = within(0.5, *SHARE)  # part of the steps
    slow_from: float = within(0.6, *SHARE)  # part of the steps after which rates are a third
    slowest_from: float = within(0.85, *SHARE)  # a tenth
    photo: float = within(0.2, 0, 0.99)  # part of the steps that draw the photo
    closing_rounds: int = within(0, 0, 1000)  # of the photo's own colours and outline in the end
    photo_band: float = within(
        0.003, *SHARE
    )  # of the photo's height: so near its outline it moves the avatar less
    photo_outline: float = within(0.1, *SHARE)  # by this factor
    tint: bool = True  # frames first get the photo's colour balance
    offset_rate: float = within(5e-4, *RATE)  # metres
    color_rate: float = within(8e-3, *RATE)
    size_rate: float = within(8e-3, *RATE)  # of the logarithm
    opacity_rate: float = within(8e-3, *RATE)
    joint_rate: float = within(3e-4, *RATE)  # metres, of the rest joints
    # Of the network of what poses change (SVAD, Eq. 10); 0 = none. Over one turn it learns what
    # photo and frames differ in, and costs 0.8 dB in held-out views and 1.2 in new poses.
    coefficients: int = within(0, 0, 64)
    corrective_rate: float = within(2e-4, *RATE)  # of that network
    rotation_rate: float = within(4e-3, *RATE)  # radians, of each frame's pose
    shift_rate: float = within(2e-3, *RATE)  # metres
    # Weights of the mean squares of Laplacians (SVAD, Eq. 11) and of the distance to the first
    # guess, next to .8 L1 + .2 (1 - SSIM) of a picture.
    smooth_offsets: float = within(1e3, *WEIGHT)
    head_smooth: float = within(4.0, *WEIGHT)  # times as much on the head
    smooth_sizes: float = within(0.02, *WEIGHT)
    smooth_colors: float = within(0.02, *WEIGHT)
    stay: float = within(0.5, *WEIGHT)
    stay_head: float = within(2.0, *WEIGHT)
    stay_hands: float = within(20.0, *WEIGHT)
    stay_joints: float = within(0.1, *WEIGHT)
    stay_correctives: float = within(1e-3, *WEIGHT)
    hand_colour: float = within(0.02, *WEIGHT)  # of a hand's colours to their mean
    lpips: float = within(0.1, *WEIGHT)  # of the perceptual loss, where its files are here
    holdout: int = within(
        12, 2, 1000, or_zero=True
    )  # every so many frames only tell when to stop; 0 = none
    few: int = within(0, 0, 1000)  # of fewer frames less is learned: `for_frames`
    robust: float = within(
        1.8, 1, 1000
    )  # times the median error: frames that miss the avatar by more are given up

    def for_frames(self, count: int) -> TrainConfig:
        """The settings for so many frames.

        A few photos leave most of the sides unseen. What is not seen must not be pulled along:
        shorter, slower in shape, and held more to the first guess and to the neighbours.
        """
        if count >= self.few:
            return self
        return replace(
            self,
            steps=min(self.steps, 400),
            offset_rate=self.offset_rate / 5,
            size_rate=0.0,
            opacity_rate=0.0,
            color_rate=self.color_rate / 2,
            joint_rate=0.0,
            smooth_offsets=min(4 * self.smooth_offsets, HEAVIEST),
            smooth_colors=min(4 * self.smooth_colors, HEAVIEST),
            stay=min(4 * self.stay, HEAVIEST),
            photo=0.4,
            gaussians=max(self.gaussians, 180_000),
        )

    def falling(self, part: float) -> float:
        """The factor on all rates after a part of the steps."""
        return 1.0 if part < self.slow_from else 0.3 if part < self.slowest_from else 0.1


# Generated frames do not know the person: the photo is drawn as often as all of them together
# (PERSONA, section 3.3), with Gaussians as fine as its pixels, and has the last word.
GENERATED = TrainConfig(steps=1200, photo=0.5, gaussians=180_000, closing_rounds=2)


@dataclass(frozen=True, kw_only=True)
class AvatarConfig(Checked):
    """From the clip to the finished Gaussians."""

    silhouette_rounds: int = within(20, 0, 1000)  # rim splats move to the matte's edge
    colour_rounds: int = within(9, 0, 1000)  # colours take the photo's
    frames: int = within(
        0, 0, 1000
    )  # generated frames that what the photo does not show takes its colours from
    frame_rounds: int = within(3, 0, 1000)
    train: TrainConfig | None = None  # what follows the closed form


@dataclass(frozen=True, kw_only=True)
class PackageConfig(Checked):
    """The files a person takes home."""

    turntable_frames: int = within(80, 1, 10_000)  # at 24 frames/s: 3.3 s
    turntable_height: int = within(720, *SIDE)  # px
    views: int = within(0, 0, 360)  # still views around the A-pose; 0 = none
    view_height: int = within(720, *SIDE)  # px, of the still views and poses
    viewer_limit: int = within(
        240_000, 1000, 10_000_000
    )  # Gaussians in the copy for the page: 32 bytes each, under 8 MB


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


PREVIEW = Preset(
    name="preview",
    title="Preview",
    note="From the photo alone, in about half a minute. Sides and back are guessed.",
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
    "are the person's own where they are seen, and guessed where they are not. Takes minutes "
    "without a GPU.",
    gpu_seconds={"avatar": 25},
    footage=FootageConfig(),
    film=FilmConfig(),
    avatar=AvatarConfig(
        frames=4,
        # film evens the exposure; no frame need be kept from the training to tell when it starts to
        # invent, as it must with generated ones
        train=TrainConfig(lpips=0.0, tint=False, few=12, holdout=0),
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


def as_photo(preset: Preset) -> Preset:
    """The preset without what needs more than one picture: the avatar in closed form."""
    return replace(preset, film=None, avatar=replace(preset.avatar, frames=0, train=None))


def settings_of(preset: Preset) -> dict[str, Any]:
    """What a result depends on, as plain values: the preset without its words and estimates."""
    values = asdict(preset)
    return {f.name: values[f.name] for f in fields(preset) if f.compare}


def with_video() -> list[str]:
    """The names of the presets that have a video model."""
    return [name for name, preset in PRESETS.items() if preset.diffusion is not None]


def changed(preset: Preset, setting: str) -> Preset:
    """The preset with one setting changed, written as `stage.field=value`.

    A field that is a group of settings takes one more name: `stage.group.field=value`.

    Raises `SettingError` for a stage or field that is not there, and for a value that does not fit.
    """
    place, equals, text = setting.partition("=")
    stage, _, name = place.strip().partition(".")
    stages = {f.name: getattr(preset, f.name) for f in fields(preset)}
    have = [key for key, value in stages.items() if is_dataclass(value)]
    if not equals or stage not in have:
        raise SettingError(
            f"{setting} is no setting of the preset {preset.name}. Write stage.field=value, "
            f"with one of these stages: {', '.join(have)}."
        )
    return replace(preset, **{stage: _changed(stages[stage], stage, name, text.strip())})


def _changed(group: Settings, place: str, path: str, text: str) -> Settings:
    """The group that stands at `place` with one of its settings, or of those below, changed."""
    name, _, rest = path.partition(".")
    known = {f.name: getattr(group, f.name) for f in fields(group)}
    if rest and known.get(name, "") is None:
        raise SettingError(f"This preset does without {place}.{name}, so there is none to change.")
    if name not in known or (rest and not is_dataclass(known[name])):
        raise SettingError(f"{place} has no setting {path}. It has: {', '.join(known)}.")
    inner, old = f"{place}.{name}", known[name]
    if not is_dataclass(old):
        value = _parsed(text, old, inner)
        try:
            return replace(group, **{name: value})
        except SettingError as error:  # which knows the field's name only
            raise SettingError(f"{place}.{error}") from error
    if not rest:
        names = ", ".join(f.name for f in fields(old))
        raise SettingError(f"{inner} is a group of settings. Write {inner}.field=value: {names}.")
    return replace(group, **{name: _changed(known[name], inner, rest, text)})


def _parsed(text: str, like: Plain | tuple[Plain, ...], place: str) -> object:
    """A value of the same kind as the present one."""
    try:
        if isinstance(like, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(like, tuple):
            parts = [type(a)(b) for a, b in zip(like, text.split(","), strict=True)]
            return tuple(parts)
        return type(like)(text)
    except (ValueError, KeyError, TypeError) as error:
        now = ",".join(map(str, like)) if isinstance(like, tuple) else str(like).lower()
        raise SettingError(
            f"{place} is {now} in this preset; {shown(text)} does not fit it."
        ) from error
