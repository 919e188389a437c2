"""The order of the stages, what is kept, stopped, continued and replaced."""

from __future__ import annotations

import contextlib
import errno
import json
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from svad.config.identity import IdentityConfig
from svad.config.presets import PREVIEW
from svad.core.errors import JobError, NothingToDo, OutputError, PhotoError, Stopped
from svad.core.files import write_bytes, write_json
from svad.core.parts import PART
from svad.media.images import read_png, read_rgb, save_png
from svad.run import pipeline
from svad.run.card import read_card
from svad.run.pipeline import Pipeline
from svad.run.results import load_avatar, read_result
from svad.run.stages import stage, titles
from svad.run.steps import PART as STAGE_PART
from svad.splat.rasterisers import rasteriser
from svad.types import Clip, Report, StageState, Subject
from svad.weights import Store, found_by
from tests.fakes import FakeStages
from tests.helpers import tiny_subject
from tests.waiting import WAIT, until

ORDER = [name for name, _ in titles(PREVIEW)]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "anna_at_the_lake.png"
    save_png(path, tiny_subject(300, 400).photo.rgb)
    return path


@pytest.fixture
def other_photo(tmp_path: Path) -> Path:
    path = tmp_path / "other.png"
    save_png(path, tiny_subject(300, 400).photo.rgb[:, ::-1])
    return path


def made(fakes: FakeStages, **preset: object) -> Pipeline:
    return Pipeline(replace(PREVIEW, **preset), makers=fakes.makers())


def states(seen: list[tuple[StageState, ...]]) -> dict[str, str]:
    return {state.name: state.state for state in seen[-1]}


def test_a_run_gives_the_whole_folder(photo: Path, tmp_path: Path) -> None:
    out, seen = tmp_path / "out", []
    result = made(FakeStages()).run(photo, out, listener=seen.append)
    assert states(seen) == {
        **dict.fromkeys(ORDER, "done"),
        "identity": "skipped",
        "restoration": "skipped",
    }
    names = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert {
        *("job.json", "input.png", "matte.png", "front.png", "turntable.mp4", "avatar.zip"),
        *("avatar.ply", "avatar.glb", "viewer.splat", "stages/subject.safetensors"),
        *("stages/relief.safetensors", "stages/avatar.safetensors", "stages/avatar.jpg"),
    } == names - {f"stages/{name}.jpg" for name in ("subject", "relief", "package")}
    assert result == read_result(out)
    assert read_png(out / "front.png").shape[:2] == read_rgb(out / "input.png").shape[:2]
    assert len(load_avatar(out).gaussians) == 300


def test_the_card_tells_the_run_but_not_the_photo(photo: Path, tmp_path: Path) -> None:
    made(FakeStages(0.06), seed=7).run(photo, tmp_path / "out")
    text = (tmp_path / "out" / "job.json").read_text()
    card = json.loads(text)
    assert [card[k] for k in ("schema", "preset", "seed", "state", "error")] == [
        *(1, "preview", 7, "done", None)
    ]
    assert [entry["name"] for entry in card["stages"]] == ORDER
    assert card["seconds"] == pytest.approx(sum(e["seconds"] for e in card["stages"]), abs=0.01)
    assert card["seconds"] > 0.2
    assert {"svad", "python", "torch", "numpy"} <= set(card["versions"])
    assert card["versions"]["rasteriser"] == rasteriser()
    assert "anna" not in text and str(tmp_path) not in text
    with zipfile.ZipFile(tmp_path / "out" / "avatar.zip") as archive:
        assert archive.read("job.json") == b"done"


def test_progress_goes_forward_in_order(photo: Path, tmp_path: Path) -> None:
    seen: list[tuple[StageState, ...]] = []
    begun = time.monotonic()
    made(FakeStages(seconds=0.4)).run(photo, tmp_path / "out", listener=seen.append)
    most = 12 + 4 * (time.monotonic() - begun)  # state changes, and four a second
    started = [s.name for now in seen for s in now if s.state == "running"]
    assert list(dict.fromkeys(started)) == ["subject", "relief", "avatar", "package"]
    for name in ORDER:
        mine = [s for now in seen for s in now if s.name == name]
        assert [s.done / s.total for s in mine] == sorted(s.done / s.total for s in mine)
        assert [s.seconds for s in mine] == sorted(s.seconds for s in mine)
        if name in ("identity", "restoration"):
            assert mine[-1].note.startswith("Not needed:")
        else:
            assert mine[-1].remaining == 0 and mine[0].remaining > 0
            assert mine[-1].thumbnail is not None and mine[-1].thumbnail.is_file()
    assert len(seen) <= most


def test_a_second_run_keeps_everything(photo: Path, tmp_path: Path) -> None:
    fakes, seen = FakeStages(), []
    made(fakes).run(photo, tmp_path / "out")
    seconds = read_card(tmp_path / "out")["seconds"]
    made(fakes).run(photo, tmp_path / "out", listener=seen.append)
    assert set(fakes.ran.values()) == {1}
    assert [states(seen)[name] for name in ("subject", "relief", "avatar", "package")] == [
        "kept"
    ] * 4
    assert read_card(tmp_path / "out")["seconds"] == seconds


def test_only_what_depends_on_a_changed_setting_runs_again(photo: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    made(fakes).run(photo, out)
    made(fakes, package=replace(PREVIEW.package, turntable_frames=72)).run(photo, out)
    assert dict(fakes.ran) == {"subject": 1, "relief": 1, "avatar": 1, "package": 2}
    made(fakes, relief=replace(PREVIEW.relief, views=4)).run(photo, out)
    assert dict(fakes.ran) == {"subject": 1, "relief": 2, "avatar": 2, "package": 3}
    made(fakes, seed=1).run(photo, out)
    assert set(fakes.ran.values()) == {2, 3, 4}


def test_pretrained_files_that_come_or_change_count_as_an_input(tmp_path: Path) -> None:
    own = tmp_path / "weights"
    own.mkdir()
    environ = {"SVAD_WEIGHTS": str(own), "SVAD_CACHE": str(tmp_path / "cache")}
    store = Store.from_environment(environ)

    def files(preset: str, name: str) -> list[tuple[str, int]]:
        row = stage(name)
        return found_by(store, preset, row.weights, row.any_weights)

    before = files("quick", "restoration")
    (own / store.entry("bfrffusion").base).write_bytes(b"one")
    brought = files("quick", "restoration")
    assert [pair for pair in brought if pair not in before] == [("bfrffusion", 3)]
    assert files("preview", "restoration") == []
    (own / store.entry("yolox_l").base).write_bytes(b"detector")
    for name in ("subject", "diffusion"):
        assert ("yolox_l", 8) in files("quick", name)
    assert ("yolox_l", 8) in files("preview", "subject")  # used wherever it is


def test_a_stages_own_files_are_part_of_its_key(photo: Path, tmp_path: Path) -> None:
    there: list[str] = []
    fakes, out = FakeStages(), tmp_path / "out"
    made = Pipeline(makers=fakes.makers())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "no_weights", lambda row: there if row.name == "avatar" else [])
        made.run(photo, out)
        made.run(photo, out)
        there.append("restorer")
        made.run(photo, out)
    assert dict(fakes.ran) == {"subject": 1, "relief": 1, "avatar": 2, "package": 2}


def test_a_step_that_is_left_out_later_leaves_no_file_behind(photo: Path, tmp_path: Path) -> None:
    out, reasons = tmp_path / "out", []

    def better(subject: Subject, clip: Clip, report: Report) -> Clip:
        if reasons:
            raise NothingToDo(reasons[0])
        return clip

    def again(fade: int) -> None:
        preset = replace(PREVIEW, identity=IdentityConfig(fade=fade))
        makers = FakeStages().makers() | {"identity": lambda: SimpleNamespace(run=better)}
        Pipeline(preset, makers=makers).run(photo, out)

    again(1)
    assert (out / "stages" / "identity.safetensors").is_file()
    reasons.append("No face.")
    again(2)
    assert states_on_card(out)["identity"] == "skipped"
    assert not (out / "stages" / "identity.safetensors").exists()


def test_what_follows_a_stage_that_is_skipped_again_is_kept(photo: Path, tmp_path: Path) -> None:
    fakes, out, reasons = FakeStages(), tmp_path / "out", ["No face."]

    def better(subject: Subject, clip: Clip, report: Report) -> Clip:
        if reasons:
            raise NothingToDo(reasons[0])
        return clip

    def again() -> None:
        preset = replace(PREVIEW, identity=IdentityConfig())
        makers = fakes.makers() | {"identity": lambda: SimpleNamespace(run=better)}
        Pipeline(preset, makers=makers).run(photo, out)

    again()
    again()
    assert set(fakes.ran.values()) == {1} and states_on_card(out)["identity"] == "skipped"
    reasons.clear()
    again()  # now there is one: what was made without it does not count
    assert dict(fakes.ran) == {"subject": 1, "relief": 1, "avatar": 2, "package": 2}
    again()
    assert fakes.ran["avatar"] == 2


def halting(fakes: FakeStages, keeps: list[Path]) -> dict:
    """Stages of which the avatar's keeps something, and is stopped, unless it finds that."""

    def avatar(subject: Subject, clip: Clip, report: Report, checkpoint: tuple[Path, str]):
        path, key = checkpoint
        keeps.append(path)
        if not path.is_file():
            write_bytes(path, key.encode())
            raise Stopped("Stopped.")
        assert path.read_text() == key  # the key of the stage has not changed
        return fakes.avatar(subject, clip, report)

    return fakes.makers() | {"avatar": lambda: SimpleNamespace(run=avatar)}


def test_what_a_stopped_stage_keeps_is_found_again(photo: Path, tmp_path: Path) -> None:
    out, keeps = tmp_path / "out", []
    for _ in range(2):
        with contextlib.suppress(Stopped):
            Pipeline(PREVIEW, makers=halting(FakeStages(), keeps)).run(photo, out)
    assert keeps == [out / "stages" / f"avatar{STAGE_PART}"] * 2
    assert states_on_card(out)["avatar"] == "done" and not keeps[0].exists()


def test_what_a_stopped_stage_keeps_is_never_published(
    photo: Path, other_photo: Path, tmp_path: Path
) -> None:
    out, keeps = tmp_path / "out", []
    made(FakeStages()).run(other_photo, out)
    with pytest.raises(Stopped):
        Pipeline(PREVIEW, makers=halting(FakeStages(), keeps)).run(photo, out)
    assert keeps[0].is_file() and not list((out / "stages").glob(f"*{STAGE_PART}"))
    made(FakeStages()).run(photo, out)  # another way: it is not asked for any more
    assert not list(out.rglob(f"*{STAGE_PART}"))


def states_on_card(folder: Path) -> dict[str, str]:
    return {entry["name"]: entry["state"] for entry in read_card(folder)["stages"]}


def test_a_missing_or_cut_file_is_made_again(photo: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    made(fakes).run(photo, out)
    (out / "turntable.mp4").unlink()
    made(fakes).run(photo, out)
    assert dict(fakes.ran) == {"subject": 1, "relief": 1, "avatar": 1, "package": 2}
    path = out / "stages" / "relief.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    made(fakes).run(photo, out)
    assert dict(fakes.ran) == {"subject": 1, "relief": 2, "avatar": 2, "package": 3}


def test_stop_is_heard_and_the_run_goes_on_later(photo: Path, tmp_path: Path) -> None:
    fakes, out, stop, seen = FakeStages(seconds=1.0), tmp_path / "out", threading.Event(), []

    def listener(now: tuple[StageState, ...]) -> None:
        seen.append(now)
        if now[1].state == "running" and now[1].done >= 2:
            stop.set()

    with pytest.raises(Stopped):
        made(fakes).run(photo, out, listener=listener, stop=stop)
    assert states(seen) | {"subject": "done", "relief": "stopped"} == states(seen)
    assert read_card(out)["state"] == "stopped"
    assert (out / "stages" / "subject.safetensors").is_file()
    fakes.seconds = 0.05
    made(fakes).run(None, out, listener=seen.append)  # no photo needed any more
    assert dict(fakes.ran) == {"subject": 1, "relief": 2, "avatar": 1, "package": 1}
    assert states(seen)["subject"] == "kept"


def test_a_killed_run_continues(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = (
        "import sys; from pathlib import Path; from svad.run.pipeline import Pipeline; "
        "from tests.fakes import FakeStages; fakes = FakeStages(0.3); makers = fakes.makers(); "
        "makers['avatar'] = lambda: __import__('os').kill(__import__('os').getpid(), 9); "
        f"Pipeline(makers=makers).run(Path({str(photo)!r}), Path({str(out)!r}))"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert killed.returncode == -9
    assert (out / ".lock").exists() and read_card(out)["state"] == "running"
    (out / "stages" / f"{PART}0123abcd-avatar.safetensors").write_bytes(b"half")
    fakes = FakeStages()
    made(fakes).run(photo, out)
    assert dict(fakes.ran) == {"avatar": 1, "package": 1}
    assert not (out / ".lock").exists() and not list(out.rglob(f"{PART}*"))


@pytest.mark.parametrize("error", [RuntimeError("bug"), JobError("No luck."), KeyboardInterrupt()])
def test_a_failure_is_told_and_leaves_the_folder_usable(
    error: BaseException, photo: Path, tmp_path: Path
) -> None:
    fakes, out, seen = FakeStages(fail={"avatar": error}), tmp_path / "out", []
    with pytest.raises(type(error)):
        made(fakes).run(photo, out, listener=seen.append)
    stopped = isinstance(error, KeyboardInterrupt)
    assert states(seen)["avatar"] == read_card(out)["state"] == ("stopped" if stopped else "failed")
    assert "bug" not in seen[-1][4].note  # internals are for the log
    fakes.fail.clear()
    made(fakes).run(photo, out)
    assert read_card(out)["error"] is None and fakes.ran["relief"] == 1


def test_a_full_disk_is_told_and_nothing_half_written_stays(photo: Path, tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    fakes, out = FakeStages(fail={"avatar": full}), tmp_path / "out"
    with pytest.raises(OutputError, match="no room left"):
        made(fakes).run(photo, out)
    assert "no room left" in read_card(out)["error"]
    assert (out / "input.png").is_file() and not list(out.rglob(f"{PART}*"))


def test_another_photo_replaces_the_job_only_when_it_is_ready(
    photo: Path, other_photo: Path, tmp_path: Path
) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    made(fakes).run(photo, out)
    (out / "notes.txt").write_text("mine")
    before = (out / "input.png").read_bytes(), read_card(out)
    fakes.fail["package"] = RuntimeError()
    with pytest.raises(RuntimeError):
        made(fakes).run(other_photo, out)
    assert ((out / "input.png").read_bytes(), read_card(out)) == before
    fakes.fail.clear()
    result = made(fakes).run(other_photo, out)
    assert dict(fakes.ran) == {"subject": 2, "relief": 2, "avatar": 2, "package": 3}
    assert read_card(out)["source"] != before[1]["source"] and read_card(out)["state"] == "done"
    assert result.archive == out / "avatar.zip" and result.archive.is_file()
    assert (out / "notes.txt").read_text() == "mine" and not (out / ".next").exists()


def test_a_photo_nobody_is_in_leaves_the_folder_free(
    photo: Path, other_photo: Path, tmp_path: Path
) -> None:
    fakes, out, said = FakeStages(fail={"subject": PhotoError("Nobody.")}), tmp_path / "out", []
    with pytest.raises(PhotoError, match="Nobody"):
        made(fakes).run(photo, out)
    fakes.fail.clear()
    made(fakes).run(other_photo, out, say=said.append)
    assert not said and read_card(out)["state"] == "done" and not (out / ".next").exists()


def test_files_that_are_not_ours_are_never_overwritten(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    out.mkdir()
    (out / "input.png").write_bytes(photo.read_bytes())
    with pytest.raises(OutputError, match="input.png"):
        made(FakeStages()).run(photo, out)
    assert [p.name for p in out.iterdir()] == ["input.png"]


def test_still_views_of_an_earlier_run_go(photo: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"

    class WithViews(FakeStages):
        def package(self, subject, avatar, folder, report, card):
            save_png(folder / "views" / "000.png", subject.photo.rgb)
            result = super().package(subject, avatar, folder, report, card)
            return replace(result, files={**result.files, "views": folder / "views"})

    made(WithViews(), package=replace(PREVIEW.package, views=1)).run(photo, out)
    assert (out / "views" / "000.png").is_file()
    made(fakes).run(photo, out)
    assert not (out / "views").exists() and fakes.ran["avatar"] == 0


def test_a_card_of_six_names_is_still_read(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = made(FakeStages()).run(photo, out)
    card = read_card(out)
    card["result"] = {
        "turntable": "turntable.mp4",
        "archive": "avatar.zip",
        "ply": "avatar.ply",
        "glb": "avatar.glb",
        "viewer": "viewer.splat",
        "front": "front.png",
    }
    write_json(out / "job.json", card)
    assert read_result(out) == result
    card["result"]["hologram"] = "hologram.bin"  # of a format there is no more
    write_json(out / "job.json", card)
    assert read_result(out) == result


@pytest.mark.parametrize(
    "forged",
    [
        *({"archive": "../mine.txt"}, {"glb": "../mine.txt"}, {"glb": "stages/../../mine.txt"}),
        *({"glb": "/etc/passwd"}, {"glb": "notes.txt"}, {"ply": "poses/gone.png"}),
    ],
)
def test_a_forged_card_names_no_files_of_others(
    forged: dict[str, str], photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made(FakeStages()).run(photo, out)
    for path in (tmp_path / "mine.txt", out / "notes.txt"):
        path.write_text("mine")
    card = read_card(out)
    card["result"] |= forged
    write_json(out / "job.json", card)
    with pytest.raises(JobError, match="not finished"):
        read_result(out)


def test_a_card_without_an_archive_is_not_finished(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(FakeStages()).run(photo, out)
    for result in (None, {}, {"front": "front.png"}):
        write_json(out / "job.json", read_card(out) | {"result": result})
        with pytest.raises(JobError, match="not finished"):
            read_result(out)


def test_a_bad_photo_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PhotoError):
        made(FakeStages()).run(b"no picture", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_runs_in_one_folder_do_not_mix(photo: Path, tmp_path: Path) -> None:
    fakes, out, go = FakeStages(), tmp_path / "out", threading.Event()
    subject = fakes.subject

    def held(*inputs: object) -> Subject:
        assert go.wait(WAIT)
        return subject(*inputs)

    fakes.subject = held
    first = threading.Thread(target=made(fakes).run, args=(photo, out))
    first.start()
    until((out / ".lock").exists)
    with pytest.raises(JobError, match="Another run"):
        made(FakeStages()).run(photo, out)
    go.set()
    first.join()
    assert read_card(out)["state"] == "done" and set(fakes.ran.values()) == {1}


def test_the_first_import_is_light() -> None:
    heavy = "{'torch', 'cv2', 'numba'}"
    code = f"import sys, svad.run.pipeline, svad.cli; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
