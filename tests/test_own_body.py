"""An avatar on a file in the form of SMPL-X, from the command line to the zip, small."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from svad import cli
from svad.body.free import load_free_body
from svad.media.images import read_png
from svad.run.card import read_card
from svad.run.results import load_avatar
from svad.weights.manifest import load_manifest
from tests.body.smplx_form import write_smplx_file

PHOTO = next(path for path in sorted(Path(__file__).parents[1].glob("examples/*/photo.*")))
SMALL = ("--size", "320", "--set", "package.turntable_frames=4")
SMALL += ("--set", "package.turntable_height=120", "--set", "relief.views=2")


def run(out: Path) -> int:
    return cli.main([str(PHOTO), "-o", str(out), "--body", "smplx_neutral", *SMALL])


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    write_smplx_file(folder / "SMPLX_NEUTRAL.npz", load_free_body())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVAD_WEIGHTS", str(folder))
        assert run(folder / "out") == 0
    return folder / "out"


def test_the_terms_are_in_the_card_and_in_the_archive(out: Path) -> None:
    notice = load_manifest()["smplx_neutral"].notice
    body = read_card(out)["body"]
    assert "non-commercial" in notice and body.startswith(notice)
    with zipfile.ZipFile(out / "avatar.zip") as archive:
        licence, readme = (
            archive.read(name).decode() for name in ("LICENSE-AND-CONSENT.txt", "README.txt")
        )
        assert json.loads(archive.read("job.json"))["body"] == body
    assert body in " ".join(licence.split())
    assert "CC0" not in licence and "no SMPL-X data" not in licence
    assert "an SMPL-X body they are unnamed components" in " ".join(readme.split())


def test_the_person_is_where_the_photo_shows_them(out: Path) -> None:
    drawn, matte = read_png(out / "front.png")[..., 3] > 127, read_png(out / "matte.png") > 127
    matte = matte if matte.ndim == 2 else matte[..., 0]
    assert (drawn & matte).sum() / (drawn | matte).sum() > 0.95


def test_the_face_has_the_shapes_of_the_file(out: Path) -> None:
    avatar = load_avatar(out)
    assert avatar.expression_names == tuple(f"expression{i}" for i in range(10))
    assert len(avatar.expression_ids) > 100
    assert np.abs(avatar.expression_dirs.float().numpy()).max() > 1e-4


@pytest.mark.parametrize("content", [None, b"not an archive"])
def test_without_a_right_file_there_is_a_sentence(
    content: bytes | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is not None:
        (tmp_path / "SMPLX_NEUTRAL.npz").write_bytes(content)
    monkeypatch.setenv("SVAD_WEIGHTS", str(tmp_path))
    assert run(tmp_path / "out") == 2
    shown = capsys.readouterr().err
    assert "SMPLX_NEUTRAL.npz is" in shown and "Traceback" not in shown
    words = "smpl-x.is.tue.mpg.de" if content is None else "not a readable SMPL-X npz file"
    assert words in shown
