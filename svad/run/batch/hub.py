"""The photos of a batch on Hugging Face Jobs, through a private bucket of one's own."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from svad.core.errors import JobError, SettingError
from svad.core.files import make_folder
from svad.run.batch.photos import ROWS
from svad.run.batch.rows import DONE, FAILED, Row, read_rows
from svad.run.batch.work import Tell, Work

LOOK = 10.0  # s between two questions how far the jobs are
ENDED = ("COMPLETED", "CANCELED", "ERROR", "DELETED")
PLACE = "/data"  # where a job finds the bucket
TIMEOUT = "6h"  # of a job; the platform's own is half an hour
NEEDS = (
    "The engine hf-jobs needs {what}. It runs on machines that Hugging Face bills to your account: "
    "HF_TOKEN (or `hf auth login`) with the rights to run jobs and to write; --image, a Docker "
    "image with this program, such as hf.co/spaces/me/my-space; --bucket, a name such as "
    "me/avatars for a private bucket, through which photos and avatars go."
)
SENT = (
    "{n} photos go to the private bucket {bucket} and are removed there at the end. Jobs: {jobs}, "
    "on {flavor}."
)
REFUSED = "Hugging Face did not do it: {why}. Avatars that came before are kept."
SAID_NOTHING = "The job {id} ended ({stage}) without an avatar of it. Its log says more: {url}"


@dataclass(frozen=True, kw_only=True)
class HubJobs:
    """Jobs on Hugging Face, each with a share of the photos and the command `batch` inside."""

    image: str
    bucket: str  # of the user: "me/avatars"
    flavor: str = "cpu-upgrade"  # the kind of machine
    jobs: int = 1  # machines at once
    options: tuple[str, ...] = ()  # of the command: preset, seed, settings
    api: Any = None  # a `huggingface_hub.HfApi`
    look: float = LOOK

    def run(self, works: Sequence[Work], stop: threading.Event, tell: Tell) -> Iterator[Row]:
        """See `BatchEngine`; raises `JobError` with what the platform answers."""
        import httpx

        api, place = self.api or hub_api(), f"svad-batch-{secrets.token_hex(6)}"
        shares = [works[k :: self.jobs] for k in range(min(self.jobs, len(works)))]
        began: list[Any] = []
        try:
            self._send(api, place, shares)
            for k in range(len(shares)):
                began.append(self._begin(api, place, k))
            ended = self._wait(api, began, stop, tell)
            if stop.is_set():
                return
            with tempfile.TemporaryDirectory() as folder:
                source = f"hf://buckets/{self.bucket}/{place}/out"
                api.sync_bucket(source, folder, quiet=True)
                for k, share in enumerate(shares):
                    yield from _taken(Path(folder) / str(k), share, ended[k])
        except (httpx.HTTPError, OSError) as error:
            raise JobError(REFUSED.format(why=error)) from error
        finally:
            for job in began:
                if stop.is_set():
                    api.cancel_job(job_id=job.id)
            self._remove(api, place)

    def _send(self, api: Any, place: str, shares: Sequence[Sequence[Work]]) -> None:
        api.create_bucket(self.bucket, private=True, exist_ok=True)
        files = [
            (work.photo, f"{place}/photos/{k}/{work.folder.name}{work.photo.suffix}")
            for k, share in enumerate(shares)
            for work in share
        ]
        api.batch_bucket_files(self.bucket, add=files)

    def _begin(self, api: Any, place: str, k: int) -> Any:
        from huggingface_hub import Volume

        volume = Volume(type="bucket", source=self.bucket, mount_path=PLACE, path=place)
        command = ["python", "-m", "svad", "batch", f"{PLACE}/photos/{k}", "-o", f"{PLACE}/out/{k}"]
        return api.run_job(
            image=self.image, command=[*command, *self.options], flavor=self.flavor,
            timeout=TIMEOUT, volumes=[volume],
        )  # fmt: skip

    def _wait(self, api: Any, began: list[Any], stop: threading.Event, tell: Tell) -> list[Any]:
        """The jobs as they ended; those of a stopped batch are left as they are."""
        while True:
            now = [api.inspect_job(job_id=job.id) for job in began]
            if all(job.status.stage in ENDED for job in now) or stop.wait(self.look):
                return now
            tell(0.0)

    def _remove(self, api: Any, place: str) -> None:
        """Photos and avatars go from the bucket, whatever came of them."""
        found = api.list_bucket_tree(self.bucket, prefix=f"{place}/", recursive=True)
        files = [one.path for one in found if one.type == "file"]
        if files:
            api.batch_bucket_files(self.bucket, delete=files)


def _taken(folder: Path, share: Sequence[Work], job: Any) -> Iterator[Row]:
    """The avatars of one job, taken to their folders."""
    rows = {row.folder: row for row in read_rows(folder / ROWS).values()}
    for work in share:
        row = rows.get(work.folder.name)
        if row is None:
            stage = getattr(job.status.stage, "value", job.status.stage)
            words = SAID_NOTHING.format(id=job.id, stage=stage, url=job.url)
            yield work.row(FAILED, words)
            continue
        make_folder(work.folder)
        if (folder / row.folder).is_dir():
            shutil.copytree(folder / row.folder, work.folder, dirs_exist_ok=True)
        mine = work.row(DONE) if row.state == DONE else work.row(row.state, row.error)
        yield replace(mine, seconds=row.seconds)


def hub_api() -> Any:
    """The Hub's client for the user's token; raises `SettingError` where there is none."""
    from huggingface_hub import HfApi, get_token

    if get_token() is None:
        raise SettingError(NEEDS.format(what="a token"))
    return HfApi(library_name="svad")
