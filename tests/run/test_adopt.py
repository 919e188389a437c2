"""Avatars trained elsewhere become jobs as any other; what cannot be read is said in a sentence."""

from __future__ import annotations

import json
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from svad import cli
from svad.core.errors import MissingFile, Stopped
from svad.export.formats import FORMATS
from svad.media.shot import Shot
from svad.run import adopt as room
from svad.run.adopt import Trained, adopt
from svad.run.bodies import OwnBody
from svad.run.card import read_card
from svad.run.filming import motion_video
from svad.run.makers import trained as maker
from svad.run.results import load_avatar, read_result
from svad.types import StageState
from svad.weights.convert import read_checkpoint
from tests.avatar.golden import PREFIX, golden
from tests.avatar.snapshots import snapshot_state, write_face_offset, write_snapshot


@pytest.fixture
def trained(golden_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A snapshot with its face offsets beside it; its Gaussians are small, so drawing is quick."""
    small = replace(room.SETTINGS.package, turntable_frames=3, turntable_height=96)
    monkeypatch.setattr(room, "SETTINGS", replace(room.SETTINGS, package=small))
    made = golden(golden_root / "avatar")
    state = snapshot_state(golden_root / "avatar", made)
    state[PREFIX + "scale_net.0.bias"] -= 2
    write_face_offset(tmp_path / "face_offset.json", made)
    return write_snapshot(tmp_path / "snapshot_4.pth", state)


def stripped(snapshot: Path) -> Path:
    """Another file of the same avatar, without the body."""
    tensors = read_checkpoint(snapshot, "network", numpy_scalars=True)
    state = {key: v for key, v in tensors.items() if "smplx_layer" not in key}
    return write_snapshot(snapshot.with_name("stripped.pth"), state)


def test_it_gives_a_whole_folder(trained: Path, tmp_path: Path) -> None:
    out, seen = tmp_path / "out", []
    result = adopt(Trained(trained), out, listener=seen.append)
    assert read_result(out) == result
    assert {state.name: state.state for state in seen[-1]} == {"avatar": "done", "package": "done"}
    card = read_card(out)
    wanted = {row.file for row in FORMATS.values() if row.files(room.SETTINGS.package)}
    assert wanted <= {path.name for path in out.iterdir()}
    assert card["state"] == "done" and card["imported"] == "snapshot_4.pth"
    with zipfile.ZipFile(out / "avatar.zip") as archive:
        note = archive.read("LICENSE-AND-CONSENT.txt").decode()
        readme = archive.read("README.txt").decode()
        assert json.loads(archive.read("job.json"))["body"] == card["body"]
    for words in ("SMPL-X", "non-commercial", "snapshot_4.pth"):
        assert words in note
    assert "MakeHuman" not in note and "photo" not in readme.partition("avatar.ply")[0]
    avatar = load_avatar(out)
    assert len(avatar.gaussians) == 1536 and len(avatar.expression_names) == 50
    video = motion_video(out, "wave", tmp_path / "wave.mp4", shot=Shot(height=64))
    assert video.stat().st_size > 0


def test_unchanged_files_go_on_where_they_were(trained: Path, tmp_path: Path) -> None:
    seen: list[tuple[StageState, ...]] = []
    adopt(Trained(trained), tmp_path / "out")
    before = read_card(tmp_path / "out")
    adopt(Trained(trained), tmp_path / "out", listener=seen.append)
    assert [state.state for state in seen[-1]] == ["kept", "kept"]
    after = read_card(tmp_path / "out")
    assert {k: after[k] for k in ("body", "weights", "result")} == {
        k: before[k] for k in ("body", "weights", "result")
    }


def test_it_stops_when_asked_to(trained: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        adopt(Trained(trained), tmp_path / "out", stop=stop)
    assert read_card(tmp_path / "out")["state"] == "stopped"


def test_a_stripped_snapshot_wants_a_body(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVAD_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingFile, match="SVAD_WEIGHTS") as caught:
        adopt(Trained(stripped(trained), tmp_path / "face_offset.json"), tmp_path / "out")
    assert "smpl-x.is.tue.mpg.de" in str(caught.value) and "non-commercial" in str(caught.value)
    with pytest.raises(MissingFile, match="SMPLX_MALE"):
        adopt(Trained(trained, None, "smplx_male"), tmp_path / "out")


@pytest.mark.parametrize("chosen", [None, "smplx_neutral"])
def test_a_stripped_snapshot_stands_on_a_body_of_ones_own(
    chosen: str | None,
    trained: Path,
    tmp_path: Path,
    golden_root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first body here is another one; it is passed over."""
    layer = golden(golden_root / "avatar").avatar.layer
    own = OwnBody(tmp_path / "SMPLX_NEUTRAL.npz", "0" * 64, "SMPL-X: non-commercial.")
    other = replace(layer, weights=layer.weights.flip(0))
    layers = [layer] if chosen else [other, layer]
    monkeypatch.setattr(maker, "bodies_here", lambda: ("default", "smplx_male", "smplx_neutral"))
    for module in (maker, room):
        monkeypatch.setattr(module, "own_body", lambda n: None if n == "default" else own)
    monkeypatch.setattr(maker, "own_layer", lambda _: layers.pop(0))
    adopt(Trained(stripped(trained), tmp_path / "face_offset.json", chosen), tmp_path / "out")
    assert not layers
    assert "non-commercial" in read_card(tmp_path / "out")["body"]


def test_the_command_reads_and_packs(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offsets = str((tmp_path / "face_offset.json").rename(tmp_path / "offsets.json"))
    out = tmp_path / "out"
    command = ["import", str(trained), "--face-offset", offsets, "-o", str(out)]
    assert cli.main(command) == cli.OK
    shown = capsys.readouterr()
    assert shown.out.strip() == str(out)
    assert "Read the avatar" in shown.err and "does not play the motions' expressions" in shown.err


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("absent.pth", None, "There is no file absent.pth"),
        ("photo.pth", b"\xff\xd8\xff\xe0 no snapshot", "damaged"),
        ("code.pth", b"cos\nmkdir\n(S'sprung'\ntR.", "could run code"),
        ("snapshot_4.pth", None, "smplx_optimized"),
    ],
)
def test_the_command_says_what_is_wrong(
    name: str,
    content: bytes | None,
    sentence: str,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "face_offset.json").unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    command = ["import", str(tmp_path / name), "-o", str(tmp_path / "out")]
    assert cli.main(command) == cli.BAD_INPUT
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("svad: ") and sentence in said and said.endswith(".")
    assert not (tmp_path / "sprung").exists()
