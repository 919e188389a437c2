"""The photos of a batch on a Ray cluster that runs already."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from svad.config.preset import Preset
from svad.core.errors import JobError, SettingError
from svad.core.files import make_folder, write_bytes
from svad.run.batch.local import NEED
from svad.run.batch.rows import DONE, FAILED, Row
from svad.run.batch.work import Make, Tell, Work, make_avatar
from svad.run.card import CARD
from svad.run.jobs import is_own
from svad.run.pipeline import Pipeline
from svad.run.stages import needs_gpu

LOOK = 0.5  # s between two looks at `stop`
MISSING = (
    "The engine ray needs the package Ray (Apache-2.0, from PyPI): pip install 'svad[ray]', here "
    "and on the machines of the cluster."
)
NO_CLUSTER = (
    "No Ray cluster answers at {address}. Start one with `ray start --head`, or set RAY_ADDRESS to "
    "one that runs. Nothing was sent."
)
LOST = "The cluster lost the process that worked on it ({kind}). The same command tries it again."
NO_DISK = (
    "A machine of the cluster has no room left on its disk ({kind}). Free some there: the same "
    "command tries it again."
)

Files = dict[str, bytes]  # of an avatar's folder, by name within it


class Cluster:
    """Ray's workers, each on a photo; photos and avatars travel, so no disk need be shared.

    This program has to be installed on the machines of the cluster.
    """

    def __init__(self, preset: Preset, cpus: float = 1.0) -> None:
        self._ray = _package()
        self._asks: dict[str, Any] = {"num_cpus": cpus, "memory": NEED, "max_retries": 0}
        if needs_gpu(preset):
            self._asks["num_gpus"] = 1

    def run(self, works: Sequence[Work], stop: threading.Event, tell: Tell) -> Iterator[Row]:
        """See `BatchEngine`; raises `JobError` where no cluster answers."""
        ray, joined = self._ray, not self._ray.is_initialized()
        if joined:
            _join(ray)
        try:
            yield from self._run(list(works), stop, tell)
        finally:
            if joined:
                ray.shutdown()

    def _run(self, waiting: list[Work], stop: threading.Event, tell: Tell) -> Iterator[Row]:
        ray, sent = self._ray, {}
        remote = ray.remote(**self._asks)(labour)
        while (waiting or sent) and not stop.is_set():
            most = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))  # photos under way
            while waiting and len(sent) < most:
                work = waiting.pop(0)
                try:
                    photo = work.photo.read_bytes()
                except OSError as error:
                    yield work.row(FAILED, f"{work.photo} cannot be read ({error.strerror}).")
                    continue
                files = pack(work.folder)
                sent[remote.remote(work.photo.name, photo, work.preset, files, work.make)] = work
            ready, _ = ray.wait(list(sent), timeout=LOOK) if sent else ([], [])
            for one in ready:
                yield self._ended(sent.pop(one), one)
            tell(0.0)
        for one in sent:
            with suppress(Exception):  # whatever the cluster says of it, we leave
                ray.cancel(one, force=True)

    def _ended(self, work: Work, one: Any) -> Row:
        try:
            row, files = self._ray.get(one)
        except self._ray.exceptions.RayError as error:
            return work.row(FAILED, lost(error))
        unpack(files, work.folder)
        return work.row(DONE) if row.state == DONE else work.row(row.state, row.error)


def lost(error: Exception) -> str:
    """The sentence for what the cluster says in place of a result; a task's error has a cause."""
    kind = type(getattr(error, "cause", None) or error).__name__
    return (NO_DISK if "Disk" in kind else LOST).format(kind=kind)


def labour(
    name: str, photo: bytes, preset: Preset, files: Files, make: Make
) -> tuple[Row, Files]:  # runs on a machine of the cluster
    """Makes the avatar of a photo, going on from an avatar's files; gives its line and files."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "photo" / name, Path(folder) / "avatar"
        write_bytes(source, photo)
        unpack(files, target)
        work = Work(photo=source, folder=target, preset=preset, make=make)
        return make_avatar(work, _pipeline(make, repr(preset), preset), threading.Event()), pack(
            target
        )


_PIPELINES: dict[tuple[Make, str], Pipeline] = {}


def _pipeline(make: Make, key: str, preset: Preset) -> Pipeline:
    """The pipeline that this process has; its loaded models serve further photos."""
    if (make, key) not in _PIPELINES:
        _PIPELINES.clear()
        _PIPELINES[make, key] = make(preset)
    return _PIPELINES[make, key]


def pack(folder: Path) -> Files:
    """The files of a job folder, as its runs write them, by name within it."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in sorted(names.items()) if is_own(name)}


def unpack(files: Files, folder: Path) -> None:
    """Writes them into a folder, the job card last; raises `OutputError`.

    Names that no run writes are left out: they come from another machine.
    """
    make_folder(folder)
    for name in sorted(files, key=lambda name: name == CARD):
        if is_own(name):
            write_bytes(folder / name, files[name])


def _join(ray: ModuleType) -> None:
    address = os.environ.get("RAY_ADDRESS", "auto")
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise JobError(NO_CLUSTER.format(address=address)) from error


@cache
def _package() -> ModuleType:
    try:
        return import_module("ray")
    except ImportError as error:
        raise SettingError(MISSING) from error
