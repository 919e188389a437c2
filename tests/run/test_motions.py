"""Motions of clips and files through the commands: what is written, said, refused."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from svad import cli
from svad.core.errors import JobError, SourceError
from svad.core.progress import silent
from svad.media.images import read_png
from svad.media.shot import Shot
from svad.media.video import probe, write_mp4
from svad.motion.authored import authored
from svad.motion.readers.npz import read_npz
from svad.motion.rest import smplx_rest
from svad.run.filming import clip_motion
from svad.run.makers import builders
from svad.run.motions import read_motion, track
from svad.run.pipeline import Pipeline
from svad.run.results import load_avatar
from svad.track.seen import Glimpse
from svad.track.watch import OTHERS
from tests.fakes import FakeStages
from tests.helpers import tiny_joints, tiny_subject
from tests.motion.acting import acted, no_fingers

SECONDS = 2.0


@dataclass
class FakeFollower:
    """Sees a person who waves, but for some frames; a second one is in the picture."""

    others: int = 1
    lost: tuple[float, float] = (0.8, 1.5)  # seconds

    def __post_init__(self) -> None:
        self.seen = acted("wave", SECONDS, rate=30).watched.seen

    def see(self, rgb: np.ndarray, time: float) -> Glimpse | None:
        frame = round(time * 30)
        if self.lost[0] < time < self.lost[1] or frame >= len(self.seen):
            return None
        soft = np.zeros((1, 1), np.float32)
        return Glimpse(self.seen.keypoints[frame], self.seen.depth[frame], soft, (0, 0, 1, 1))


@pytest.fixture
def follower(monkeypatch: pytest.MonkeyPatch) -> FakeFollower:
    made = FakeFollower()
    parts = (made, lambda rgb, glimpse: (glimpse, None), no_fingers)
    monkeypatch.setattr(builders, "motion_watcher", lambda: parts)
    return made


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "dance.mp4"
    frames = [np.full((720, 540, 3), 4 * k, np.uint8) for k in range(round(10 * SECONDS))]
    write_mp4(path, frames, fps=10)
    return path


@pytest.fixture(scope="module")
def avatar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from svad.media.images import save_png

    folder = tmp_path_factory.mktemp("avatar")
    save_png(folder / "photo.png", tiny_subject(300, 400).photo.rgb)
    Pipeline(makers=FakeStages().makers()).run(folder / "photo.png", folder / "out")
    return folder / "out"


def run(*arguments: object) -> int:
    return cli.main([str(a) for a in arguments])


def test_a_clip_becomes_a_motion_and_the_motion_a_video(
    follower: FakeFollower,
    clip: Path,
    avatar: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    npz, video = tmp_path / "dance.npz", tmp_path / "dance.mp4"
    assert run("track", clip, "-o", npz) == 0
    shown = capsys.readouterr()
    assert shown.out.strip() == str(npz)
    assert OTHERS in shown.err and "not seen from 0.8 to 1.5 seconds" in shown.err
    motion = read_npz(npz, tiny_joints())
    assert motion.fps == 30 and motion.seconds == pytest.approx(SECONDS - 0.1, abs=0.05)
    assert run("animate", avatar, "--motion", npz, "-o", video, "--height", 96) == 0
    info = probe(video)
    assert (info.height, info.frames) == (96, len(motion.poses))


def test_a_clip_moves_the_avatar_and_its_motion_is_kept_beside_the_video(
    follower: FakeFollower, clip: Path, avatar: Path, tmp_path: Path
) -> None:
    video, said, told = tmp_path / "v.mp4", [], []
    done = clip_motion(
        avatar, clip, video, shot=Shot(height=96), say=said.append,
        report=lambda done, total, note, picture=None: told.append(done / total),
    )  # fmt: skip
    assert done == video and sorted(p.name for p in tmp_path.iterdir()) == ["v.mp4", "v.npz"]
    assert any("not seen" in text for text in said)
    assert told == sorted(told) and told[-1] == 1
    assert len(read_npz(tmp_path / "v.npz", tiny_joints()).poses) == probe(video).frames


@pytest.mark.parametrize("ending", ["bvh", "npz"])
def test_a_bundled_motion_is_written_and_played_again(
    avatar: Path, tmp_path: Path, ending: str
) -> None:
    """As data on the avatar's own skeleton; then by the avatar, and into the other form."""
    file = tmp_path / f"wave.{ending}"
    assert run("animate", avatar, "--motion", "wave", "-o", file) == 0
    found = read_motion(file, silent)
    wave = authored()["wave"]
    assert found.fps == wave.fps and found.seconds == pytest.approx(wave.seconds, abs=0.05)
    joints = load_avatar(avatar).joints.numpy()
    rest = smplx_rest(joints) if ending == "npz" else joints
    np.testing.assert_allclose(found.joints, rest, atol=1e-5)
    if ending == "bvh":
        video = tmp_path / "played.mp4"
        assert run("animate", avatar, "--motion", file, "-o", video, "--height", 64) == 0
        assert probe(video).frames == len(found.poses) and not video.with_suffix(".npz").exists()
    other = tmp_path / ("other.npz" if ending == "bvh" else "other.bvh")
    assert run("track", file, "-o", other) == 0
    one, two = (motion.at_rest_as(joints).poses for motion in (read_motion(other, silent), found))
    torch.testing.assert_close(one.rotations, two.rotations, atol=1e-4, rtol=0)


def test_a_motion_is_written_for_the_viewer(avatar: Path, tmp_path: Path) -> None:
    npz, shown = tmp_path / "wave.npz", tmp_path / "wave.rig"
    assert run("animate", avatar, "--motion", "wave", "-o", npz) == 0
    assert clip_motion(avatar, npz, shown) == shown
    data = gzip.decompress(shown.read_bytes())
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    about = json.loads(header["__metadata__"]["viewer"])
    assert [one["name"] for one in about["motions"]] == ["clip"]
    assert header["clip.turns"]["shape"] == [about["motions"][0]["frames"], 55, 4]


def test_a_clip_of_nobody_gets_a_sentence_and_leaves_nothing(
    follower: FakeFollower, clip: Path, tmp_path: Path
) -> None:
    follower.lost = (-1.0, 9.0)
    with pytest.raises(SourceError, match="No person"):
        track(clip, tmp_path / "m.npz")
    with pytest.raises(JobError, match="another ending"):
        track(clip, tmp_path / "m.mp4")
    assert not list(tmp_path.iterdir())


def test_what_is_no_motion_gets_a_sentence(
    avatar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.npz").write_text("I am no motion.")
    video = tmp_path / "v.mp4"
    names = ("text.npz", "absent.mp4", "absent.npz", "absent.bvh", "walk.fbx", "dance.pkl")
    for motion in (*(tmp_path / name for name in names), tmp_path):
        assert run("animate", avatar, "--motion", motion, "-o", video) == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith("svad: ")
    assert run("animate", avatar, "--motion", "fly", "-o", video) == 2
    assert "Choose one of" in capsys.readouterr().err
    assert not video.exists()


def test_a_motion_file_is_read_on_the_built_in_body(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", poses=np.zeros((3, 165)), mocap_framerate=30.0)
    found = read_motion(tmp_path / "m.npz", silent)
    np.testing.assert_array_equal(found.joints[0], builders.motion_body().joint_template[0].numpy())


def test_a_still_and_an_animation_for_other_avatars(avatar: Path, tmp_path: Path) -> None:
    look = ("--camera", "portrait", "--background", "transparent", "--size", 64, "--frame", 3)
    still = tmp_path / "wave.png"
    assert run("animate", avatar, "--motion", "wave", "-o", still, *look) == 0
    picture = read_png(still)
    assert picture.shape[0] == 64 and picture[..., 3].min() == 0 and picture[..., 3].max() == 255
    vrma = tmp_path / "wave.vrma"
    assert run("animate", avatar, "--motion", "wave", "-o", vrma) == 0
    assert read_motion(vrma, silent).seconds == pytest.approx(authored()["wave"].seconds, abs=0.05)


def test_sliders_make_a_still_of_ones_own(
    avatar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look = ("--background", "transparent", "--size", 64)
    made = []
    for arms in (0, 50):
        path = tmp_path / f"{arms}.png"
        pose = ("--pose", f"turn=20,arms={arms}", "--expression", "smile=1")
        assert run("still", avatar, *pose, *look, "-o", path) == 0
        made.append(read_png(path))
    wide = [np.ptp(np.flatnonzero(one[..., 3].any(0))) / 64 for one in made]
    assert wide[1] > 1.3 * wide[0]  # the arms are level
    for wrong, words in (
        (("--pose", "fly=1"), "no slider named fly"),
        (("--camera", "orbit"), "seen from one side"),
        (("--motion", "fly"), "Choose one of"),
    ):
        assert run("still", avatar, *wrong, "-o", tmp_path / "a.png") == 2
        assert words in capsys.readouterr().err
    assert run("still", avatar, "-o", tmp_path / "a.jpg") == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["0.png", "50.png"]


def test_a_shot_that_cannot_be_is_refused_before_anything_is_drawn(
    avatar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wave = ("animate", avatar, "--motion", "wave", "-o")
    for name, choice, words in (
        ("a.mp4", ("--background", "transparent"), "cannot be transparent"),
        ("a.mp4", ("--camera", "above"), "no view named above"),
        ("a.png", ("--frame", 9999), "there is no 9999"),
        ("a.gif", (), "another ending"),
    ):
        assert run(*wave, tmp_path / name, *choice) == 2
        assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
