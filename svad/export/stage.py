"""Packs the finished avatar: writes every export format into the job folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from svad.config.package import PackageConfig
from svad.export.asked import ASKED
from svad.export.context import ExportContext, ExportProgress
from svad.export.formats import FORMATS
from svad.export.row import Format
from svad.types import Avatar, Report, Result, Subject


class PackageStage:
    """Writes what a person takes home: each row of the table of formats, in its order.

    Those that say so are written on a thread of their own, beside the others.
    """

    def __init__(self, config: PackageConfig) -> None:
        self.config = config

    @torch.inference_mode()
    def run(
        self,
        subject: Subject | None,  # None for an avatar that has no photo
        avatar: Avatar,
        folder: Path,
        report: Report,
        card: dict | None = None,  # the job card; a copy goes into the archive
    ) -> Result:
        """Every file is written whole or not at all; raises `OutputError` or `Stopped`."""
        for row in ASKED:  # of an avatar that was here before
            (Path(folder) / row.file).unlink(missing_ok=True)
        made = [row for row in FORMATS.values() if row.files(self.config)]
        camera = avatar.camera
        height, width = (
            (camera.height, camera.width) if subject is None else subject.photo.rgb.shape[:2]
        )
        context = ExportContext(
            avatar=avatar,
            size=(width, height),
            settings=self.config,
            card=card or {},
            folder=Path(folder),
            progress=ExportProgress(report, sum(row.count(self.config) for row in made)),
            subject=subject,
        )
        files = {row.name: context.folder / row.file for row in made}
        with ThreadPoolExecutor(thread_name_prefix="beside") as threads, context.progress.failing():
            begun = [
                threads.submit(self._write, row, context, files[row.name])
                for row in made
                if row.gathers
            ]
            for row in made:
                if row.beside:
                    _ = context.standing  # made before it is needed on two threads
                    begun.append(threads.submit(self._write, row, context, files[row.name]))
                elif not row.gathers:
                    self._write(row, context, files[row.name])
            for one in begun:
                one.result()
        return Result(files)

    @torch.inference_mode()  # holds for one thread
    def _write(self, row: Format, context: ExportContext, path: Path) -> None:
        with context.progress.of(row.name, row.note, row.count(self.config)):
            row.write(context, path)
