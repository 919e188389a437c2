"""Stages that take a moment and invent their results, for tests of what surrounds the real ones."""

from __future__ import annotations

import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from svad.core.files import write_bytes, writing
from svad.media.images import save_png
from svad.media.video import write_mp4
from svad.types import Avatar, Clip, Photo, Report, Result, Subject
from tests.helpers import tiny_avatar, tiny_subject

STEPS = 5


class FakeStages:
    """Counts how often each stage ran; `fail` maps a stage to what it raises half-way."""

    def __init__(self, seconds: float = 0.05, fail: dict[str, BaseException] | None = None) -> None:
        self.seconds, self.fail = seconds, dict(fail or {})
        self.ran: Counter[str] = Counter()
        self.photos: list[Photo] = []

    def makers(self) -> dict[str, Callable[[], Any]]:
        """For `Pipeline(preset, makers=...)`."""
        stages = ("subject", "relief", "avatar", "package")
        made = {name: SimpleNamespace(run=getattr(self, name)) for name in stages}
        return {name: lambda stage=stage: stage for name, stage in made.items()} | {
            "look": lambda: self.look
        }

    def look(self, photo: Photo) -> SimpleNamespace:
        self.ran["look"] += 1
        subject = tiny_subject()
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
        return tiny_subject()

    def relief(self, subject: Subject, report: Report) -> Clip:
        self._work("relief", report)
        avatar = tiny_avatar(300)
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
        assert clip.start is not None
        return clip.start

    def package(
        self, subject: Subject, avatar: Avatar, folder: Path, report: Report, card: dict
    ) -> Result:
        self._work("package", report)
        names = ("turntable.mp4", "avatar.zip", "avatar.ply", "avatar.glb", "viewer.splat")
        turntable, archive, ply, glb, viewer = (folder / name for name in names)
        write_mp4(turntable, [subject.photo.rgb] * 4)
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
        picture = tiny_subject().photo.rgb
        for step in range(STEPS):
            report(step, STEPS, f"step {step + 1}", picture)
            if step == STEPS // 2 and name in self.fail:
                raise self.fail[name]
            time.sleep(self.seconds / STEPS)
        report(STEPS, STEPS, "all steps", picture)


def fake_makers(seconds: float = 0.05) -> dict[str, Callable[[], Any]]:
    """Stages that take `seconds` each."""
    return FakeStages(seconds).makers()
