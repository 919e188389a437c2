"""Makes a job of an avatar that the published program trained, as if it had been made here."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from svad.config.preset import OWN_BODIES
from svad.config.presets import PREVIEW
from svad.core.errors import SvadError
from svad.core.given import is_file, require_file
from svad.media.video import ffmpeg_path
from svad.run.board import Board, Listener
from svad.run.bodies import COVERS, OwnBody, limits, own_body
from svad.run.jobs import open_job
from svad.run.makers.trained import trained_avatar
from svad.run.results import list_files, read_result
from svad.run.stages import stage_makers
from svad.run.steps import Steps, no_weights
from svad.types import Avatar, Report, Result

STAGES = (("avatar", "Read the avatar"), ("package", "Turntable and files"))
SECONDS = {"avatar": 10.0, "package": 15.0}  # on two ordinary cores
SETTINGS = replace(PREVIEW, name="import")
FACE_FILE = "face_offset.json"  # looked for beside a snapshot
STORED = (
    "SMPL-X, as the trained avatar holds it (SMPL-X model licence, "
    "https://smpl-x.is.tue.mpg.de/modellicense.html): non-commercial research only; may not be "
    f"redistributed. {COVERS.replace('this file', 'it')}"
)
TRAINED = "{name}, trained elsewhere: under the terms of whoever trained it"


@dataclass(frozen=True)
class Trained:
    """The files of a trained avatar."""

    snapshot: Path  # snapshot_4.pth
    face_offset: Path | None = None  # face_offset.json; None = the one beside the snapshot
    body: str | None = None  # one of `OWN_BODIES`; None = the one stored in it, or one that fits

    @property
    def offsets(self) -> Path:
        """Where the face offsets should be."""
        return self.face_offset or self.snapshot.with_name(FACE_FILE)


def adopt(
    trained: Trained,
    folder: Path,
    *,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
) -> Result:
    """Makes the job of a trained avatar in `folder`; unchanged files go on where they were.

    Raises `SvadError` for a snapshot that cannot be read or was trained on another body,
    `MissingFile` for the face offsets or a body, `OutputError`, `JobError` and `Stopped` as any
    run does.
    """
    own = own_body(trained.body) if trained.body else None
    source = _source(trained)
    ffmpeg_path()  # of the turntable, which is drawn last
    with open_job(folder, source) as job:
        job.begin(SETTINGS, source)
        job.card["imported"] = trained.snapshot.name
        job.card["body"] = own.notice if own else STORED
        job.card["weights"] = [TRAINED.format(name=trained.snapshot.name)]
        job.card["warnings"] = list(limits(OWN_BODIES[0]))
        board = Board(STAGES, SECONDS, job.folder / "stages", listener, stop)
        with board.running():
            steps = Steps(job, board, SETTINGS, no_weights, own.sha256 if own else "")
            _run(steps, trained, own)
        job.publish()
        return read_result(job.folder)


def _run(steps: Steps, trained: Trained, own: OwnBody | None) -> None:
    job = steps.job

    def read(report: Report) -> Avatar:
        return trained_avatar(trained.snapshot, trained.offsets, own.path if own else None, report)

    def pack(report: Report) -> Result:
        stage = stage_makers(SETTINGS)["package"]()
        return stage.run(None, avatar(), job.folder, report, steps.card_when_done("package"))

    avatar = steps.do("avatar", Avatar, read)
    steps.do("package", Result, pack, partial(list_files, settings=SETTINGS.package))
    steps.finish()


def _source(trained: Trained) -> str:
    """What tells one trained avatar from another; gigabytes are not read for it."""
    try:
        require_file(trained.snapshot, SvadError)
    except SvadError as error:
        raise SvadError(
            f"{error} The snapshot_4.pth of a published avatar training is expected."
        ) from error
    seen = trained.snapshot.stat()
    facts = [seen.st_size, seen.st_mtime_ns]
    if is_file(trained.offsets):
        beside = trained.offsets.stat()
        facts += [beside.st_size, beside.st_mtime_ns]
    return hashlib.sha256(f"{trained.snapshot.name} {facts}".encode()).hexdigest()
