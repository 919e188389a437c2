"""A folder of photos: what is done, kept, named and told; every engine gives the same files."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svad import cli
from svad.config.presets import PREVIEW
from svad.core.errors import JobError, OutputError, SettingError, SourceError, Stopped
from svad.core.locks import locked
from svad.core.parts import PART
from svad.media.images import save_png
from svad.run.batch import cluster, command
from svad.run.batch.batch import batch
from svad.run.batch.hub import HubJobs
from svad.run.batch.local import Local, room_for
from svad.run.batch.photos import find_photos, name_folders
from svad.run.batch.rows import Row, read_rows
from svad.run.batch.work import Tell, Work, make_avatar
from tests.fakes import quick_pipeline
from tests.helpers import tiny_subject
from tests.stranger import as_stranger, public

__all__ = ["public"]


def save_photo(path: Path, shift: int = 0, width: int = 300) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, np.roll(tiny_subject(width, 400).photo.rgb, shift, axis=1))
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for k, name in enumerate(("anna.png", "Björn & co.png", "carl.png")):
        save_photo(folder / name, 3 * k)
    return folder


class Here:
    """An engine without processes; counts what it is asked for, `after` so many it is stopped."""

    def __init__(self, after: int | None = None) -> None:
        self.asked: list[str] = []
        self.after = after

    def run(self, works: Sequence[Work], stop: threading.Event, tell: Tell) -> Iterator[Row]:
        for work in works:
            if len(self.asked) == self.after:
                stop.set()
            if stop.is_set():
                return
            self.asked.append(work.photo.name)
            tell(0.5)
            yield make_avatar(work, work.make(work.preset), stop)


def done(photos: Path, out: Path, engine: object = None, say: Callable = print, **more) -> list:
    return batch(
        photos, out, PREVIEW, lambda *_: engine or Here(), listener=lambda _: None,
        stop=threading.Event(), say=say, make=quick_pipeline, **more,
    )  # fmt: skip


def result_files(folder: Path) -> dict[str, bytes]:
    """All that a run leaves, but for times."""
    names = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    kept = [p for p in names if p.suffix not in (".zip", ".json", ".jpg") and p.name != ".lock"]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in kept}


def test_every_photo_gets_a_folder_a_line_and_a_place_on_the_page(
    photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.jpg").write_bytes(b"no picture")
    (photos / "notes.txt").write_text("no photo")
    out, said = tmp_path / "out", []
    rows = done(photos, out, say=said.append)
    assert [(r.photo, r.folder, r.state) for r in rows] == [
        ("Björn & co.png", "Björn & co", "done"), ("anna.png", "anna", "done"),
        ("broken.jpg", "broken", "failed"), ("carl.png", "carl", "done"),
    ]  # fmt: skip
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text("utf-8").splitlines()]
    assert [line["photo"] for line in lines] == [row.photo for row in rows]
    assert "avatar.zip" in lines[1]["files"] and lines[1]["error"] is None
    assert "not a picture" in lines[2]["error"] and not lines[2]["files"]
    assert (out / "anna" / "avatar.zip").is_file() and not (out / ".lock").exists()
    page = (out / "index.html").read_text("utf-8")
    assert "3 of 4 avatars" in page and "Bj%C3%B6rn%20%26%20co/avatar.zip" in page
    assert "Björn &amp; co.png" in page and "stills/anna.jpg" in page and "not a picture" in page
    with Image.open(out / "sheet.jpg") as sheet:
        assert sheet.width >= 600 and np.asarray(sheet).std() > 20
    with Image.open(out / "stills" / "anna.jpg") as stills:
        assert stills.width > 2 * stills.height
    assert any("notes.txt" in line for line in said) and any("broken.jpg" in line for line in said)


def test_what_is_finished_is_not_done_again(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done(photos, out)
    again = Here()
    assert {row.state for row in done(photos, out, again)} == {"done"} and not again.asked
    save_photo(photos / "anna.png", 50)  # another picture
    (out / "carl" / "avatar.zip").unlink()
    save_photo(photos / "dora.png", 60)
    done(photos, out, again)
    assert again.asked == ["anna.png", "carl.png", "dora.png"]


def test_a_stopped_batch_goes_on(photos: Path, tmp_path: Path) -> None:
    out, first, second = tmp_path / "out", Here(after=2), Here()
    with pytest.raises(Stopped):
        done(photos, out, first)
    states = [row.state for row in read_rows(out / "results.jsonl").values()]
    assert states == ["done", "done", "waiting"] and (out / "index.html").is_file()
    with (out / "results.jsonl").open("a") as file:
        file.write('{"photo": "anna.png", "fol')  # as a killed one leaves it
    assert {row.state for row in done(photos, out, second)} == {"done"}
    assert second.asked == ["carl.png"]


def test_processes_make_them_and_one_that_dies_fails_its_photo_only(
    photos: Path, tmp_path: Path
) -> None:
    save_photo(photos / "bad.png", 9, width=311)
    (photos / "carl.png").unlink()
    rows = done(photos, tmp_path / "out", Local(2, 1))
    told = {row.photo: row.error for row in rows if row.state != "done"}
    assert list(told) == ["bad.png"] and "SIGKILL" in str(told["bad.png"])
    assert len(rows) == 3 and not list((tmp_path / "out").rglob(f"{PART}*"))
    (photos / "bad.png").unlink()
    done(photos, tmp_path / "here")
    assert result_files(tmp_path / "out" / "anna") == result_files(tmp_path / "here" / "anna")


def test_a_ray_cluster_of_two_machines_gives_the_same_files(photos: Path, tmp_path: Path) -> None:
    utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed")
    import ray

    machines = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    machines.add_node(num_cpus=1)
    save_photo(photos / "bad.png", 9, width=311)
    path = {"env_vars": {"PYTHONPATH": str(Path(__file__).parents[2])}}
    ray.init(address=machines.address, runtime_env=path, log_to_driver=False)
    try:
        rows = done(photos, tmp_path / "out", cluster.Cluster(PREVIEW))
    finally:
        ray.shutdown()
        machines.shutdown()
    states = {row.photo: row.state for row in rows}
    assert states.pop("bad.png") == "failed" and set(states.values()) == {"done"}
    (photos / "bad.png").unlink()
    done(photos, tmp_path / "here")
    for name in ("anna", "carl"):
        assert result_files(tmp_path / "out" / name) == result_files(tmp_path / "here" / name)


def test_what_the_cluster_says_in_place_of_a_result_is_a_sentence() -> None:
    class OutOfDiskError(Exception):
        """As Ray's own."""

    told = Exception()
    told.cause = OutOfDiskError()  # type: ignore[attr-defined]
    assert "no room left on its disk (OutOfDiskError)" in cluster.lost(told)
    assert "lost the process that worked on it (TimeoutError)" in cluster.lost(TimeoutError())


def test_without_ray_a_sentence_says_how_to_get_it(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    cluster._package.cache_clear()
    assert cli.main(["batch", str(photos), "-o", str(tmp_path / "out"), "--engine", "ray"]) == 2
    assert "pip install 'svad[ray]'" in capsys.readouterr().err
    cluster._package.cache_clear()


def test_what_comes_from_a_cluster_cannot_leave_the_folder(tmp_path: Path) -> None:
    cluster.unpack({"../out.txt": b"x", "/tmp/x": b"x", "notes.txt": b"x", "job.json": b"{}"},
                   tmp_path / "avatar")  # fmt: skip
    assert [p.name for p in tmp_path.rglob("*")] == ["avatar", "job.json"]


class Hub:
    """Buckets as folders; a job runs the command at once, with the bucket where it is mounted."""

    def __init__(self, root: Path) -> None:
        self.root, self.commands, self.cancelled = root, [], []

    def create_bucket(self, name: str, *, private: bool, exist_ok: bool) -> None:
        assert private and exist_ok
        (self.root / name).mkdir(parents=True)

    def batch_bucket_files(self, name: str, *, add: Sequence = (), delete: Sequence = ()) -> None:
        for source, target in add:
            (self.root / name / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, self.root / name / target)
        for path in delete:
            (self.root / name / path).unlink()

    def run_job(self, *, image: str, command: list, flavor: str, timeout: str, volumes: list):
        (volume,) = volumes
        assert volume.type == "bucket" and not volume.read_only and image == "me/svad"
        place = self.root / volume.source / volume.path
        words = [word.replace(volume.mount_path, str(place)) for word in command]
        self.commands.append(words)
        options = command_options(words)
        done(options.photos, options.output)
        return self.inspect_job(job_id=str(len(self.commands)))

    def inspect_job(self, *, job_id: str):
        from types import SimpleNamespace as Some

        return Some(id=job_id, url="https://huggingface.co/jobs/1", status=Some(stage="COMPLETED"))

    def sync_bucket(self, source: str, dest: str, *, quiet: bool) -> None:
        path = source.removeprefix("hf://buckets/")
        shutil.copytree(self.root / path, dest, dirs_exist_ok=True)

    def list_bucket_tree(self, name: str, prefix: str, recursive: bool) -> list:
        from types import SimpleNamespace as Some

        files = [p for p in (self.root / name / prefix).rglob("*") if p.is_file()]
        return [Some(type="file", path=p.relative_to(self.root / name).as_posix()) for p in files]


def command_options(words: list[str]):
    assert words[:4] == ["python", "-m", "svad", "batch"]
    return command.parser().parse_args(words[4:])


def test_hugging_face_jobs_give_the_same_files_and_leave_nothing_there(
    photos: Path, tmp_path: Path
) -> None:
    hub, out = Hub(tmp_path / "hub"), tmp_path / "out"
    (photos / "broken.jpg").write_bytes(b"no picture")
    words = ("--preset", "preview", "--seed", "0")
    rows = done(photos, out, HubJobs(
        image="me/svad", bucket="me/avatars", jobs=2, options=words, api=hub, look=0.0
    ))  # fmt: skip
    states = {row.photo: row.state for row in rows}
    assert states.pop("broken.jpg") == "failed" and set(states.values()) == {"done"}
    assert len(hub.commands) == 2 and all(words[-4:] == list(words[-4:]) for words in hub.commands)
    assert not [path for path in hub.root.rglob("*") if path.is_file()]
    done(photos, tmp_path / "here")
    assert result_files(out / "anna") == result_files(tmp_path / "here" / "anna")


def test_what_hugging_face_jobs_need_is_said(photos: Path, tmp_path: Path, capsys) -> None:
    words = ["batch", str(photos), "-o", str(tmp_path / "out"), "--engine", "hf-jobs"]
    assert cli.main(words) == 2
    told = capsys.readouterr().err
    assert "--image" in told and "HF_TOKEN" in told and not (tmp_path / "out").exists()


def test_names_that_are_equal_but_for_the_ending_get_folders_of_their_own(tmp_path: Path) -> None:
    names = ("anna.jpg", "anna.png", "Anna.webp", "index.html.jpg", "carl.jpg", "sheet.jpg.png")
    photos = [tmp_path / "photos" / name for name in names]
    found = name_folders(photos, tmp_path, {})
    assert list(found.values())[:3] == ["anna.jpg", "anna.png", "Anna.webp"]
    assert list(found.values())[3:] == ["index.html.jpg", "carl", "sheet.jpg.png"]
    later = name_folders(
        [*photos, tmp_path / "photos" / "carl.png"], tmp_path, {"carl.jpg": "carl"}
    )
    assert later[photos[4]] == "carl" and list(later.values())[-1] == "carl.png"
    # results beside the folder of the photos: none may be written into that
    assert list(name_folders([tmp_path / "photos" / "photos.jpg"], tmp_path, {}).values()) == [
        "photos.jpg"
    ]


def test_folders_that_cannot_be_used_are_a_sentence(tmp_path: Path, photos: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    texts = tmp_path / "texts"
    (texts / "inside.jpg").mkdir(parents=True)
    (texts / "notes.txt").write_text("")
    for folder, words in (
        (empty, "It is empty"), (texts, "It holds notes.txt"), (tmp_path / "no", "is not there"),
        (photos / "anna.png", "is a file"),
    ):  # fmt: skip
        with pytest.raises(SourceError, match=words):
            find_photos(folder)
    for out in (photos, photos / "out", photos / ".." / "photos" / "deep" / "er"):
        with pytest.raises(OutputError, match="photos-avatars"):
            done(photos, out)
    with locked_by_another(tmp_path / "out"), pytest.raises(JobError, match="Another run"):
        done(photos, tmp_path / "out")


def locked_by_another(out: Path):
    out.mkdir(exist_ok=True)
    return locked(out / ".lock")


def test_a_folder_that_may_not_be_read_is_a_sentence(public: Path) -> None:
    closed = public / "photos"
    save_photo(closed / "anna.png")
    closed.chmod(0o000)
    with as_stranger(), pytest.raises(SourceError, match="cannot be read"):
        find_photos(closed)


def test_there_are_as_many_processes_as_memory_and_processors_allow(monkeypatch) -> None:
    from svad.run.batch import local

    monkeypatch.setattr(local, "_cores", lambda: 8)
    for free, photos, expected in ((1e12, 100, (8, 1)), (8e9, 100, (4, 2)), (1e6, 5, (1, 8))):
        monkeypatch.setattr(local, "memory_free", lambda free=free: free)
        assert room_for(PREVIEW, photos)[:2] == expected
    assert room_for(PREVIEW, 1)[:2] == (1, 8)


def test_forged_lines_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    lines = [{"photo": "a.png", "folder": "../up", "state": "done"}, {"folder": "x"}, [1], "text"]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n{")
    assert not read_rows(path)
    path.write_bytes(b"\xff\xfe")
    assert not read_rows(path)


def test_a_setting_that_is_none_is_a_sentence(photos: Path, tmp_path: Path) -> None:
    options = command.parser().parse_args([str(photos), "-o", str(tmp_path), "--set", "nothing=1"])
    with pytest.raises(SettingError):
        command.run(options, threading.Event(), None)
    assert os.listdir(tmp_path) == ["photos"]
