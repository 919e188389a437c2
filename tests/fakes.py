"""Stages that take a moment and invent their results, for tests of what surrounds the real ones."""

from __future__ import annotations

import os
import signal
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from svad.config.preset import Preset
from svad.core.files import write_bytes, writing
from svad.media.images import save_png
from svad.run.pipeline import Pipeline
from svad.types import (
    PHOTO_WEIGHT,
    Avatar,
    Clip,
    Footage,
    Photo,
    Pose,
    Report,
    Result,
    Source,
    Subject,
)
from tests.encoded import mp4
from tests.helpers import tiny_avatar, tiny_subject

STEPS = 5


@cache
def _person() -> Subject:
    """The one person of all runs: drawing them anew at each step would be most of the work."""
    return tiny_subject()


@cache
def _start() -> Avatar:
    return tiny_avatar(300)


@cache
def _turntable() -> bytes:
    return mp4([_person().photo.rgb] * 4)


class FakeStages:
    """Counts how often each stage ran; `fail` maps a stage to what it raises half-way."""

    def __init__(self, seconds: float = 0.01, fail: dict[str, BaseException] | None = None) -> None:
        self.seconds, self.fail = seconds, dict(fail or {})
        self.ran: Counter[str] = Counter()
        self.photos: list[Photo] = []
        self.sources: list[Source] = []
        self.clips: list[Clip] = []  # what the avatar was made from
        self.frames = 7  # of a clip

    def makers(self) -> dict[str, Callable[[], Any]]:
        """For `Pipeline(preset, makers=...)`."""
        stages = ("footage", "subject", "relief", "film", "avatar", "package")
        made = {name: SimpleNamespace(run=getattr(self, name)) for name in stages}
        made["avatar"].closed = self.closed
        return {name: lambda stage=stage: stage for name, stage in made.items()} | {
            "look": lambda: self.look,
            "strip": lambda: self.strip,
            "refine": lambda: self.refine,
        }

    def footage(self, source: Source, report: Report) -> Footage:
        """As many pictures as photos, or `frames` of a clip."""
        self._work("footage", report)
        self.sources.append(source)
        count = len(source.photos) or self.frames
        subject = _person()
        nowhere = np.full(count, np.nan)
        return Footage(
            photo=source.photos[0]
            if source.photos
            else Photo(tiny_subject(300, 400).photo.rgb, None),
            front=0,
            rgb=np.stack([subject.photo.rgb] * count),
            matte=np.stack([subject.matte] * count),
            keypoints=np.stack([subject.keypoints] * count),
            depth=np.full((count, 133), np.nan),
            time=nowhere if source.photos else np.arange(count) * 0.5,
            sharpness=np.ones(count, np.float32),
            yaw=self._yaw(count),
            cameras=(subject.body.camera,) * count,
            warnings=("One arm is never seen.",),
        )

    def strip(self, footage: Footage) -> np.ndarray:
        return np.concatenate(list(footage.rgb), 1)

    def film(self, subject: Subject, footage: Footage, clip: Clip, report: Report) -> Clip:
        """The front picture first, then the others; all in the photo's pose."""
        self._work("film", report)
        count = len(footage.rgb)
        return Clip(
            rgb=footage.rgb,
            matte=footage.matte,
            poses=Pose.cat([subject.body.pose] * count),
            cameras=footage.cameras,
            weight=np.array([PHOTO_WEIGHT] + [0.8] * (count - 1), np.float32),
            yaw=footage.yaw,
            start=clip.start,
        )

    def refine(self, avatar: Avatar, clip: Clip, report: Report) -> Pose:
        self.ran["refine"] += 1
        return clip.poses

    def closed(self, subject: Subject, clip: Clip, report: Report) -> Avatar:
        self.ran["closed"] += 1
        return self.avatar(subject, clip, report)

    def _yaw(self, count: int) -> np.ndarray:
        return np.linspace(0, 2 * np.pi, count, endpoint=False, dtype=np.float32)

    def look(self, photo: Photo) -> SimpleNamespace:
        self.ran["look"] += 1
        subject = _person()
        return SimpleNamespace(
            photo=photo,
            matte=subject.matte,
            keypoints=subject.keypoints,
            overlay=subject.photo.rgb,
            warnings=photo.warnings,
        )

    def subject(self, photo: Photo, report: Report, look: Any = None) -> Subject:
        self._work("subject", report)
        self.photos.append(photo)
        return _person()

    def relief(self, subject: Subject, report: Report) -> Clip:
        self._work("relief", report)
        avatar = _start()
        return Clip(
            rgb=subject.photo.rgb[None],
            matte=subject.matte[None],
            poses=avatar.pose,
            cameras=(avatar.camera,),
            weight=np.ones(1, np.float32),
            yaw=np.zeros(1, np.float32),
            start=avatar,
        )

    def avatar(
        self, subject: Subject, clip: Clip, report: Report, checkpoint: Any = None
    ) -> Avatar:
        self._work("avatar", report)
        self.clips.append(clip)
        assert clip.start is not None
        return clip.start

    def package(
        self, subject: Subject, avatar: Avatar, folder: Path, report: Report, card: dict
    ) -> Result:
        self._work("package", report)
        names = ("turntable.mp4", "avatar.zip", "avatar.ply", "avatar.glb", "viewer.splat")
        turntable, archive, ply, glb, viewer = (folder / name for name in names)
        write_bytes(turntable, _turntable())
        for path in (ply, glb, viewer):
            write_bytes(path, path.name.encode())
        with writing(archive) as temporary, zipfile.ZipFile(temporary, "w") as file:
            file.writestr("job.json", str(card["state"]))
        front = np.dstack([subject.photo.rgb, subject.matte])
        save_png(folder / "front.png", front)
        return Result(
            {
                "front": folder / "front.png",
                "turntable": turntable,
                "ply": ply,
                "viewer": viewer,
                "glb": glb,
                "archive": archive,
            }
        )

    def _work(self, name: str, report: Report) -> None:
        self.ran[name] += 1
        picture = _person().photo.rgb
        for step in range(STEPS):
            report(step, STEPS, f"step {step + 1}", picture)
            if step == STEPS // 2 and name in self.fail:
                raise self.fail[name]
            time.sleep(self.seconds / STEPS)
        report(STEPS, STEPS, "all steps", picture)


def fake_makers(seconds: float = 0.05) -> dict[str, Callable[[], Any]]:
    """Stages that take `seconds` each."""
    return FakeStages(seconds).makers()


def quick_pipeline(preset: Preset) -> Pipeline:
    """A pipeline of quick stages; a photo 311 pixels wide kills the process that works on it."""
    fakes = FakeStages(0.0)
    usual = fakes.subject

    def subject(photo: Photo, report: Report, look: Any = None) -> Subject:
        if photo.rgb.shape[1] == 311:
            os.kill(os.getpid(), signal.SIGKILL)
        return usual(photo, report, look)

    fakes.subject = subject
    return Pipeline(preset, makers=fakes.makers())
