"""The stages in order, from a photo to the finished files: the only place that knows the order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svad import weights
from svad.compute.device import device
from svad.config import (
    PREVIEW,
    PackageConfig,
    Preset,
    SettingError,
    as_photo,
    with_video,
)
from svad.core.errors import JobError
from svad.core.files import in_short
from svad.core.given import is_file
from svad.core.progress import part, silent
from svad.export.formats import FORMATS
from svad.media.shot import STILL, Shot
from svad.run import holdout
from svad.run.board import Board, Listener, first_state
from svad.run.bodies import limits, own_body
from svad.run.jobs import Job, is_own, open_job, read_card, require_finished
from svad.run.makers import read_photo
from svad.run.sources import Sent, preset_for, read_source, require_fitting, source_hash
from svad.run.stages import STAGES, Maker, Stage, needs_gpu, on_gpu, shown, stage_makers
from svad.run.steps import Steps, no_weights
from svad.storage import load
from svad.types import (
    Avatar,
    Clip,
    Footage,
    Report,
    Result,
    Source,
    StageState,
    Subject,
)

if TYPE_CHECKING:
    import numpy as np

    from svad.motion.motion import Motion
    from svad.subject.look import Look

REPLACES = "{folder} holds the avatar of {other}; it stays until the new one is ready."
NO_TURN = "Nobody turns around in the pictures: the best of them is used as a photo."
SLOW = "There is no GPU here. {preset} computes for many hours on a CPU; preview takes seconds."
DEFAULT_SHOT = Shot()
KEPT = Path("stages", "avatar.safetensors")  # the avatar as the last stage but one left it
STRIP = "stages/footage.jpg"  # the chosen pictures beside each other


class Pipeline:
    """The stages of a preset; keeps them, and with them the loaded models, between runs."""

    def __init__(self, preset: Preset = PREVIEW, makers: Mapping[str, Maker] | None = None) -> None:
        preset.require_valid()
        self.preset = preset
        self._own_makers = makers is None
        self._makers = dict(makers or stage_makers(preset))
        self._stages: dict[str, Any] = {}
        self._building = threading.RLock()

    def look(self, photo: Path | bytes) -> Look:
        """What is understood of a photo at a glance; raises `PhotoError` if it cannot be used."""
        return self._stage("look")(read_photo(photo))

    def glance(self, source: Sent | Sequence[Sent], report: Report = silent) -> Footage:
        """Which pictures of a clip, or of several photos, are used, and what is seen in each.

        A single one: nobody turns, and it is used as a photo. Raises what `run` raises for a source
        that cannot be used. `run` takes what is given here, to save its seconds.
        """
        require_fitting(self.preset, photo=False)
        return self._stage("footage").run(read_source(source), report)

    def strip(self, footage: Footage) -> np.ndarray:  # [h, w, 3] uint8
        """The chosen pictures beside each other, with matte, skeleton and yaw."""
        return self._stage("strip")(footage)

    def run(
        self,
        source: Sent | Sequence[Sent] | None,
        folder: Path,
        *,
        listener: Listener | None = None,
        stop: threading.Event | None = None,
        look: Look | None = None,
        footage: Footage | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Result:
        """Makes the avatar of a source in `folder`, or goes on with the job begun there.

        A finished stage is kept when its inputs, settings, code and pretrained files are unchanged.
        `source`: a photo, two to four photos, or a clip; None: go on from the files in the folder.
        `look`, `footage`: what `look` and `glance` gave for the same source, to save their seconds.
        `say` gets what a person should know before the first stage runs.
        Raises `MissingWeights` when the preset or its body needs a file that is not here,
        `SourceError`, `PhotoError`, `VideoError`, `SettingError` for a preset that takes something
        else, `OutputError`, `JobError`, and `Stopped` soon after `stop` is set; what is finished
        then is kept.
        """
        if self._own_makers:
            weights.require(self.preset.name)
            if say is not None and needs_gpu(self.preset) and device().type == "cpu":
                say(SLOW.format(preset=self.preset.name))
        own = own_body(self.preset.body)
        read = None if source is None else read_source(source)
        if read is not None:
            require_fitting(self.preset, photo=len(read.photos) == 1)
        sent = None if read is None else source_hash(read)
        with open_job(folder, sent) as job:
            if job.replaces and say is not None:
                other = "another photo" if self.preset.footage is None else "other pictures"
                say(REPLACES.format(folder=folder, other=other))
            job.begin(self.preset, sent or job.card["source"])
            if on_gpu(self.preset):
                job.card["weights"] = list(weights.read_by(self.preset.name))
            if own is not None:
                job.card["body"] = own.notice
            typical = {row.name: row.typical(self.preset) for row in STAGES}
            known = {name: seconds for name, seconds in typical.items() if seconds is not None}
            board = Board(stages(self.preset), known, job.folder / "stages", listener, stop)
            with board.running():
                found = self._weights() if self._own_makers else no_weights
                body = own.sha256 if own is not None else ""
                self._run(Steps(job, board, self.preset, found, body), read, look, footage)
            job.publish()
            return read_result(job.folder)

    def _run(
        self, steps: Steps, source: Source | None, look: Look | None, seen: Footage | None
    ) -> None:
        """All stages in order. The source is needed only where there is no finished subject."""
        job, stage = steps.job, self._stage
        footage = self._footage(steps, source, seen)
        more: list[Path] = []  # files beside those of the formats

        def understand(report: Report) -> Subject:
            if footage is not None:
                photo, told = footage().photo, footage().warnings
            elif source is not None:
                photo, told = source.photos[0], ()
            else:
                raise JobError("This job stopped before the photo was understood. Start it again.")
            found = stage("subject").run(photo, report, look if footage is None else None)
            warnings = [*photo.warnings, *told, *found.warnings, *limits(self.preset.body)]
            job.card["warnings"] = list(dict.fromkeys(warnings))
            return found

        def make(report: Report) -> Avatar:
            if footage is not None and steps.preset.film is None:
                return stage("avatar").closed(subject(), clip(), report)
            kept = holdout.learnable(clip(), steps.preset.film)
            return stage("avatar").run(subject(), kept, report, steps.checkpoint("avatar"))

        def pack(report: Report) -> Result:
            card, film = steps.card_when_done("package"), steps.preset.film
            if footage is None or film is None or not film.holdout:
                return stage("package").run(subject(), avatar(), job.folder, report, card)
            told = part(report, 0, 200, 1000)
            result = stage("package").run(subject(), avatar(), job.folder, told, card)
            rows, told = film.held_out(len(clip().rgb)), part(report, 200, 1000, 1000)
            target, refine = job.folder / holdout.FOLDER, stage("refine")
            more.extend(holdout.measure(avatar(), clip(), footage(), rows, target, refine, told))
            return result

        def list_all(job: Job, result: Result) -> list[Path]:
            return [*list_files(job, result, self.preset.package), *more]

        subject = steps.do("subject", Subject, understand, _save_input)
        clip = steps.do("relief", Clip, lambda report: stage("relief").run(subject(), report))
        for row in STAGES:
            if row.takes_clip:
                clip = self._next_clip(steps, row, subject, footage, clip)
        avatar = steps.do("avatar", Avatar, make)
        steps.do("package", Result, pack, list_all)
        steps.finish()

    def _footage(
        self, steps: Steps, source: Source | None, seen: Footage | None
    ) -> Callable[[], Footage] | None:
        """The chosen pictures; None where one photo is all there is.

        Where it is a single picture, nobody turns: the rest of the run takes it as a photo.
        """
        if self.preset.footage is None:
            return None
        job = steps.job

        def choose(report: Report) -> Footage:
            if seen is not None:
                report(1, 1, "looked through before")
                return seen
            if source is None:
                raise JobError(
                    "This job stopped before its pictures were looked through. Start it again."
                )
            return self._stage("footage").run(source, report)

        def note(job: Job, found: Footage) -> list[Path]:
            from svad.media.images import save_jpg

            job.card["pictures"] = described(found)
            save_jpg(job.folder / STRIP, self.strip(found), quality=85)
            return [job.folder / STRIP]

        footage = steps.do("footage", Footage, choose, note)
        frames = (job.card.get("pictures") or {}).get("frames") or len(footage().rgb)
        if frames == 1:
            steps.preset = as_photo(self.preset)
        return footage

    def _next_clip(
        self,
        steps: Steps,
        row: Stage,
        subject: Callable[[], Subject],
        footage: Callable[[], Footage] | None,
        clip: Callable[[], Clip],
    ) -> Callable[[], Clip]:
        """The clip that a stage makes of another, or that one where the stage is left out."""
        if row.of(steps.preset) is None:
            why = NO_TURN if row.of(self.preset) is not None else row.why_not(self.preset)
            if why:
                steps.skip(row.name, why)
            return clip

        def run(report: Report) -> Clip:
            more = [footage()] if row.takes_footage and footage is not None else []
            return self._stage(row.name).run(subject(), *more, clip(), report)

        return steps.do(
            row.name,
            Clip,
            run,
            instead=clip if row.optional else None,
        )

    def _weights(self) -> Callable[[Stage], list[tuple[str, int]]]:
        """The pretrained files that a stage finds on this machine as it is now."""
        store, preset = weights.Store.from_environment(), self.preset.name
        return lambda row: weights.found_by(store, preset, row.weights, row.any_weights)

    def motion_video(
        self,
        folder: Path,
        motion: str,
        output: Path,
        *,
        report: Report | None = None,
        shot: Shot = DEFAULT_SHOT,
    ) -> Path:
        """Writes a video of the avatar in `folder`; see the function of the same name."""
        return motion_video(folder, motion, output, report=report, shot=shot)

    def _stage(self, name: str) -> Any:
        with self._building:
            if name not in self._stages:
                self._stages[name] = self._makers[name]()
            return self._stages[name]


def look(photo: Path | bytes, preset: Preset = PREVIEW) -> Look:
    """What is understood of a photo at a glance; raises `PhotoError` if it cannot be used."""
    return Pipeline(preset).look(photo)


def run(
    source: Sent | Sequence[Sent],
    folder: Path,
    preset: Preset | None = None,
    *,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
) -> Result:
    """Makes the avatar of a source in `folder`; see `Pipeline.run`.

    Without a preset, one photo takes the preview, a clip or several photos take `clip`.
    """
    chosen = preset or preset_for(source)
    return Pipeline(chosen).run(source, folder, listener=listener, stop=stop)


def stages(preset: Preset) -> tuple[tuple[str, str], ...]:
    """(name, title) of the stages a preset shows, in order."""
    return tuple((row.name, row.title) for row in shown(preset))


def waiting(preset: Preset = PREVIEW) -> tuple[StageState, ...]:
    """The stages before anything runs."""
    return tuple(first_state(row.name, row.title, row.typical(preset)) for row in shown(preset))


def load_avatar(folder: Path) -> Avatar:
    """The trained avatar of a job, or of its archive, packed or unpacked.

    Raises `JobError` if there is none (yet).
    """
    kept, rig = Path(folder) / KEPT, Path(folder) / FORMATS["rig"].file
    packed = Path(folder) if is_file(folder) else rig if is_file(rig) else None
    if packed is None or (packed == rig and is_file(kept)):
        read_card(folder)
        require_finished(kept)
        return load(Avatar, kept)
    from svad.export.rig_reader import read_rig

    return read_rig(packed)


def read_result(folder: Path) -> Result:
    """The files of a finished job; raises `JobError` if it is not finished."""
    listed = read_card(folder).get("result") or {}
    names = {name: file for name, file in listed.items() if name in FORMATS}
    files = {name: Path(folder) / file for name, file in names.items() if is_own(file)}
    whole = "archive" in files and len(files) == len(names)
    if not whole or not all(path.exists() for path in files.values()):
        raise JobError(f"The avatar in {folder} is not finished. Run it again to go on.")
    return Result(files)


def motion_video(
    folder: Path,
    motion: str,
    output: Path,
    *,
    report: Report | None = None,
    shot: Shot = DEFAULT_SHOT,
) -> Path:
    """Writes a video of a finished avatar in one of the bundled motions, or standing.

    `output`: .mp4, .webm, .zip (the frames as pictures) or .png (one of them); of .npz or .bvh it
    gets the motion on the avatar's skeleton instead. Short motions that close are played several
    times. `folder` may be the avatar's archive, too, packed or unpacked. Raises `JobError` for a
    folder without an avatar or an unknown motion, `SettingError` for a shot that cannot be,
    `OutputError` if the video cannot be written.
    """
    _require_shot(shot, Path(output))
    avatar = load_avatar(folder)
    from svad.motion.authored import authored
    from svad.motion.standing import STAND, standing

    table = {name: one.for_avatar for name, one in authored().items()} | {STAND: standing}
    chosen = _named(table, motion, "motion")(avatar)
    return _filmed(avatar, chosen, output, shot, report)


def clip_motion(
    folder: Path,
    clip: Path,
    output: Path,
    *,
    report: Report | None = None,
    shot: Shot = DEFAULT_SHOT,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Writes a video of a finished avatar that moves as the person in a clip does.

    `clip`: any video of a person, or a file of a motion (`svad.motion.readers.formats`). The
    motion of a video is kept beside what is written, under its name with the ending .npz. An
    `output` of .npz or .bvh gets the avatar's motion on its own skeleton instead of a video, one of
    .rig the same for the viewer. `say` gets what a person should know of the motion. Raises what
    `motion_video` raises, and `VideoError`, `SourceError`, `MotionError` for the clip.
    """
    from svad.motion.readers.formats import is_motion
    from svad.run.motions import NPZ, PLAYED, keep_motion, read_motion

    output = Path(output)
    _require_shot(shot, output)
    avatar, told = load_avatar(folder), report or silent
    found = read_motion(Path(clip), part(told, 0, 500, 1000))
    if not is_motion(Path(clip)) and output.suffix.lower() not in PLAYED:
        keep_motion(found, output.with_suffix(NPZ))
    _say_all(found.warnings, say)
    motion = found.for_avatar(avatar, "clip", "As in the clip")
    return _filmed(avatar, motion, output, shot, part(told, 500, 1000, 1000))


def track(
    clip: Path,
    output: Path,
    report: Report | None = None,
    *,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Keeps the motion of the person in a clip as .npz (AMASS, SMPL-X) or .bvh.

    `clip` may also be a file of a motion, which is then written anew. `say` gets what a person
    should know of it. Raises `JobError` for another ending, `VideoError`, `SourceError`,
    `MotionError`, `OutputError`.
    """
    from svad.run.motions import keep_motion, read_motion, require_kept

    require_kept(Path(output))
    found = read_motion(Path(clip), report or silent)
    _say_all(found.warnings, say)
    return keep_motion(found, Path(output))


def _say_all(sentences: Iterable[str], say: Callable[[str], None] | None) -> None:
    for sentence in sentences:
        if say is not None:
            say(f"Note: {sentence}")


def _require_shot(shot: Shot, output: Path) -> None:
    """Raises `SettingError` for a shot that cannot be, unless no video is asked for."""
    from svad.run.motions import PLAYED

    if output.suffix.lower() not in PLAYED:
        shot.require_valid(output)


def _filmed(
    avatar: Avatar, motion: Motion, output: Path, shot: Shot, report: Report | None
) -> Path:
    """The video of a motion; under the ending of a motion's file it is kept as data instead."""
    from svad.run.motions import KEPT, VIEWED, VRMA, keep_motion

    output = Path(output)
    if output.suffix.lower() == VIEWED:
        from svad.export.viewer_motions import write_viewer_motion

        return write_viewer_motion(output, avatar, motion)
    if output.suffix.lower() == VRMA:
        from svad.export.vrma import write_vrma

        return write_vrma(output, avatar, motion)
    if output.suffix.lower() in KEPT:
        from svad.motion.recorded import Recorded

        return keep_motion(Recorded.of(motion, avatar), output)
    from svad.avatar.shots import film
    from svad.media.movie import write_movie

    made = film(avatar, motion, shot, report, still=output.suffix.lower() == STILL)
    write_movie(output, made.frames, made.fps)
    return output


def drive(
    photo: Path | bytes, clip: Path, output: Path, preset: Preset, report: Report | None = None
) -> Path:
    """Writes a video (.mp4) of the photo's person in the movements of a clip.

    As many frames as the preset has are taken from the clip. Raises `MissingWeights` when the
    preset needs a file that is not here, `SettingError` for a preset without a video model or
    with settings that do not go together, `PhotoError`, `VideoError`, `OutputError`.
    """
    preset.require_valid()
    if preset.diffusion is None:
        able = " or ".join(with_video())
        raise SettingError(f"{preset.name} has no video model. Choose {able}.")
    weights.require(preset.name)
    from svad.media.video import read_frames, write_mp4

    told = report or (lambda *_: None)
    frames, fps = read_frames(clip, preset.diffusion.frames)
    stages = stage_makers(preset)
    decoded = read_photo(photo)
    subject = stages["subject"]().run(decoded, lambda *_: told(0, 1000, "looking at the photo"))
    write_mp4(output, stages["follow"]().run(subject, frames, told), fps)
    return output


def _named(table: Mapping[str, Any], name: str, kind: str) -> Any:
    if name not in table:
        raise JobError(
            f"There is no {kind} named {in_short(name)}. Choose one of: {', '.join(table)}."
        )
    return table[name]


def described(footage: Footage) -> dict[str, Any]:
    """What the job card says of the pictures."""
    import numpy as np

    filmed = bool(np.isfinite(footage.time).any())
    return {
        "kind": "clip" if filmed else "photos",
        "frames": len(footage.rgb),
        "front": int(footage.front),
        "seconds": round(float(np.nanmax(footage.time)), 2) if filmed else None,
    }


def _save_input(job: Job, subject: Subject) -> list[Path]:
    """The photo and the matte as the later stages see them."""
    from svad.media.images import save_png

    save_png(job.folder / "input.png", subject.photo.rgb)
    save_png(job.folder / "matte.png", subject.matte)
    return [job.folder / "input.png", job.folder / "matte.png"]


def list_files(job: Job, result: Result, settings: PackageConfig) -> list[Path]:
    """What the last stage wrote; notes in the card under which names the result is found."""
    job.card["result"] = {name: path.name for name, path in result.files.items()}
    return [job.folder / file for name in result.files for file in FORMATS[name].files(settings)]
