"""A clip or several photos through the pipeline: order, what is kept, cards, held-out frames."""

from __future__ import annotations

import json
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from svad.config.film import FilmConfig
from svad.config.footage import FootageConfig
from svad.config.preset import Preset
from svad.config.presets import CLIP, PREVIEW
from svad.core.errors import JobError, SettingError, SourceError, Stopped
from svad.media.images import read_rgb, save_png
from svad.media.video import write_mp4
from svad.run import pipeline
from svad.run.card import read_card
from svad.run.order import NO_TURN
from svad.run.pipeline import Pipeline
from svad.storage import load
from svad.types import Clip, Footage, StageState
from tests.fakes import FakeStages
from tests.helpers import tiny_subject

ORDER = ["footage", "subject", "relief", "film", "avatar", "package"]
FRAMES = 7  # of the fake stages' clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "anna_turns.mp4"
    write_mp4(path, [np.full((64, 48, 3), k * 4, np.uint8) for k in range(48)], fps=24)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    rgb = tiny_subject(300, 400).photo.rgb
    paths = [tmp_path / "front.png", tmp_path / "back.png"]
    save_png(paths[0], rgb)
    save_png(paths[1], np.ascontiguousarray(rgb[:, ::-1]))
    return paths


def made(fakes: FakeStages, preset: Preset = CLIP, **changes: object) -> Pipeline:
    return Pipeline(replace(preset, **changes), makers=fakes.makers())


def states(folder: Path) -> dict[str, str]:
    return {entry["name"]: entry["state"] for entry in read_card(folder)["stages"]}


def test_a_clip_goes_through_its_stages_in_order(clip: Path, tmp_path: Path) -> None:
    fakes, out, seen = FakeStages(), tmp_path / "out", []
    result = made(fakes).run(clip, out, listener=seen.append)
    started = [s.name for now in seen for s in now if s.state == "running"]
    assert list(dict.fromkeys(started)) == ORDER == list(states(out))
    assert set(states(out).values()) == {"done"} and set(fakes.ran.values()) == {1}
    assert fakes.sources[0].clip == clip
    assert fakes.photos[0].rgb.shape == (400, 300, 3)  # the best picture, as large as it came
    assert len(load(Footage, out / "stages/footage.safetensors").rgb) == FRAMES
    film = load(Clip, out / "stages/film.safetensors")
    assert film.start is not None and len(film.rgb) == FRAMES == len(fakes.clips[0].rgb)
    assert result == pipeline.read_result(out) and not (out / "holdout").exists()


def test_the_card_tells_of_the_pictures_but_not_their_names(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(FakeStages()).run(clip, out)
    text = (out / "job.json").read_text()
    card = json.loads(text)
    assert card["preset"] == "clip" and "anna" not in text and str(tmp_path) not in text
    assert card["pictures"] == {"kind": "clip", "frames": FRAMES, "front": 0, "seconds": 3.0}
    assert card["warnings"] == ["One arm is never seen."]
    strip = read_rgb(out / "stages" / "footage.jpg")
    assert strip.shape[1] == FRAMES * tiny_subject().photo.rgb.shape[1]  # not a thumbnail's size
    entry = card["stages"][0]
    assert {"stages/footage.jpg", "stages/footage.safetensors"} == set(entry["files"])


def test_several_photos_go_the_same_way(photos: list[Path], tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    made(fakes).run(photos, out)
    assert [len(s.photos) for s in fakes.sources] == [2]
    assert read_card(out)["pictures"] == {
        **{"kind": "photos", "frames": 2, "front": 0, "seconds": None}
    }
    made(fakes).run(photos, out)
    assert set(fakes.ran.values()) == {1}
    made(fakes).run(photos[::-1], out)  # another order is another source
    assert fakes.ran["footage"] == 2


def test_one_photo_and_clips_do_not_take_each_others_preset(
    photos: list[Path], clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(SettingError, match="this is one photo"):
        made(FakeStages()).run(photos[0], out)
    for sent in (clip, photos):
        with pytest.raises(SettingError, match="makes its own frames from one photo"):
            made(FakeStages(), PREVIEW).run(sent, out)
    with pytest.raises(SourceError):
        made(FakeStages()).run([clip, *photos], out)
    assert not out.exists()


def test_a_second_run_keeps_everything(clip: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    made(fakes).run(clip, out)
    card = read_card(out)
    made(fakes).run(clip, out)
    made(fakes).run(None, out)
    assert set(fakes.ran.values()) == {1} and read_card(out)["pictures"] == card["pictures"]
    made(fakes, footage=FootageConfig(frames=30)).run(clip, out)
    assert set(fakes.ran.values()) == {2}
    made(fakes, footage=FootageConfig(frames=30), film=FilmConfig(holdout=3)).run(clip, out)
    assert fakes.ran["relief"] == 2 and fakes.ran["film"] == fakes.ran["avatar"] == 3


def test_a_stopped_job_goes_on_without_its_clip(clip: Path, tmp_path: Path) -> None:
    fakes, out, stop = FakeStages(seconds=0.5), tmp_path / "out", threading.Event()

    def listener(now: tuple[StageState, ...]) -> None:
        state = now[ORDER.index("avatar")]
        if state.state == "running" and state.done:
            stop.set()

    with pytest.raises(Stopped):
        made(fakes).run(clip, out, listener=listener, stop=stop)
    assert states(out)["film"] == "done" and states(out)["avatar"] == "stopped"
    fakes.seconds = 0.05
    made(fakes).run(None, out)
    assert fakes.ran["avatar"] == 2 and {fakes.ran[name] for name in ORDER[:4]} == {1}


def test_a_job_that_stopped_at_its_first_stage_needs_the_clip(clip: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(fail={"footage": Stopped("Stopped.")}), tmp_path / "out"
    with pytest.raises(Stopped):
        made(fakes).run(clip, out)
    fakes.fail.clear()
    with pytest.raises(JobError, match="before its pictures were looked through"):
        made(fakes).run(None, out)
    made(fakes).run(clip, out)
    assert read_card(out)["state"] == "done"


def test_what_was_seen_at_a_glance_is_not_done_again(clip: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    one = made(fakes)
    seen = one.glance(clip)
    assert one.strip(seen).shape[1] == FRAMES * seen.rgb.shape[2]
    one.run(clip, out, footage=seen)
    assert fakes.ran["footage"] == 1 and states(out)["footage"] == "done"
    assert (out / "stages" / "footage.jpg").is_file()
    with pytest.raises(SettingError):
        made(fakes, PREVIEW).glance(clip)


def test_who_does_not_turn_becomes_a_preview(clip: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    fakes.frames = 1
    preset = replace(CLIP, film=FilmConfig(holdout=2))
    made(fakes, preset).run(clip, out)
    assert fakes.ran["closed"] == 1 and fakes.ran["film"] == 0 == fakes.ran["refine"]
    entry = next(e for e in read_card(out)["stages"] if e["name"] == "film")
    assert (entry["state"], entry["note"]) == ("skipped", NO_TURN)
    key = next(e["key"] for e in read_card(out)["stages"] if e["name"] == "avatar")
    made(fakes, preset).run(None, out)
    assert fakes.ran["avatar"] == 1
    fakes.frames = FRAMES
    other = FakeStages()
    made(other, preset).run(clip, tmp_path / "other")
    trained = next(e for e in read_card(tmp_path / "other")["stages"] if e["name"] == "avatar")
    assert trained["key"] != key and other.ran["closed"] == 0


def test_another_source_replaces_the_job_when_it_is_ready(
    clip: Path, photos: list[Path], tmp_path: Path
) -> None:
    out, said = tmp_path / "out", []
    made(FakeStages(), film=FilmConfig(holdout=3)).run(clip, out)
    assert (out / "holdout" / "holdout.json").is_file()
    made(FakeStages()).run(photos, out, say=said.append)
    assert said == [
        f"{out} holds the avatar of other pictures; it stays until the new one is ready."
    ]
    assert read_card(out)["pictures"]["kind"] == "photos" and not (out / ".next").exists()
    assert not (out / "holdout").exists()


def test_held_out_frames_are_not_trained_on_and_measured(clip: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    result = made(fakes, film=FilmConfig(holdout=3)).run(clip, out)
    weight = fakes.clips[0].weight
    assert weight[[3, 6]].tolist() == [0, 0] and (weight[[0, 1, 2, 4, 5]] > 0.5).all()
    assert (load(Clip, out / "stages/film.safetensors").weight > 0.5).all()
    folder = out / "holdout"
    assert {p.name for p in folder.iterdir()} == {
        "holdout.json",
        *(f"{kind}_{k:03}.png" for kind in ("truth", "refined", "unrefined") for k in (0, 1)),
    }
    table = json.loads((folder / "holdout.json").read_text())
    assert table["count"] == 2 and [f["frame"] for f in table["frames"]] == [3, 6]
    assert [f["time"] for f in table["frames"]] == [1.5, 3.0]
    files = read_card(out)["stages"][-1]["files"]
    assert {f"holdout/{p.name}" for p in folder.iterdir()} <= set(files)
    with zipfile.ZipFile(result.archive) as archive:
        assert not any("holdout" in name for name in archive.namelist())
    made(fakes, film=FilmConfig(holdout=4)).run(None, out)  # fewer frames: old pictures go
    assert sorted(p.name for p in folder.glob("truth*")) == ["truth_000.png"]
    made(fakes).run(None, out)
    assert not folder.exists()


def test_a_lost_picture_of_a_held_out_frame_costs_no_training(clip: Path, tmp_path: Path) -> None:
    fakes, out = FakeStages(), tmp_path / "out"
    one = made(fakes, film=FilmConfig(holdout=3))
    one.run(clip, out)
    (out / "holdout" / "truth_000.png").unlink()
    one.run(None, out)
    assert fakes.ran["avatar"] == 1 and fakes.ran["package"] == 2
    assert (out / "holdout" / "truth_000.png").is_file()
