"""`python -m svad weights` as a person meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from svad import cli
from svad.weights.manifest import load_manifest
from tests.waiting import WAIT
from tests.weights.hub_server import COMMIT, Hub, sha256

ROOT = Path(__file__).parents[2]
CONTENT = bytes(range(256)) * 100
REPO = "lambdalabs/sd-image-variations-diffusers"  # two small files that are not pinned
NAMES = "unet/config.json", "image_encoder/config.json"


def svad(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, where HF_ENDPOINT has its effect."""
    home = {"HF_HOME": str(tmp_path / "hf"), "SVAD_CACHE": str(tmp_path / "cache")}
    return subprocess.run(
        [sys.executable, "-m", "svad", "weights", *arguments],
        cwd=ROOT,
        env=os.environ | home | {"HF_HUB_OFFLINE": "0"} | environ,
        capture_output=True,
        text=True,
        timeout=3 * WAIT,
        check=False,
    )


def own_list(tmp_path: Path) -> str:
    """A list that points the other entries of `quick` to files that are there."""
    values = {}
    for entry in load_manifest().values():
        if "quick" in entry.presets and entry.file not in NAMES:
            path = tmp_path / f"{entry.name}.safetensors"
            path.write_bytes(b"mine")
            values[entry.name] = str(path)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(values))
    return str(tmp_path / "mine.yaml")


def test_fetch_look_verify_and_offline(hub: Hub, tmp_path: Path) -> None:
    mine = own_list(tmp_path)
    offline = svad(
        tmp_path, "--download", "--preset", "quick", SVAD_WEIGHTS=mine, HF_HUB_OFFLINE="1"
    )
    assert offline.returncode == 2 and offline.stderr.count("(HF_HUB_OFFLINE)") == 2
    hub.files[REPO] = dict.fromkeys(NAMES, CONTENT)
    hub.cuts = [7000]
    fetched = svad(
        tmp_path, "--download", "--preset", "quick", SVAD_WEIGHTS=mine, HF_ENDPOINT=hub.url
    )
    assert fetched.returncode == 0, fetched.stderr
    for name in ("unet_config", "image_encoder_config"):
        assert f"{name}: came from commit {COMMIT}, sha256 {sha256(CONTENT)}" in fetched.stderr
        bars = [line for line in fetched.stderr.splitlines() if line.startswith(f"{name} ")]
        assert "[########################] 100%" in bars[-1]
    assert "missing" not in fetched.stdout.partition("\n\n")[0]
    assert [asked for _, asked in hub.sent()] == ["", "bytes=7000-", ""]
    again = svad(
        tmp_path,
        *("--download", "--verify", "--preset", "quick"),
        **{"SVAD_WEIGHTS": mine, "HF_HUB_OFFLINE": "1"},
    )
    assert again.returncode == 0, again.stderr
    assert "Nothing to fetch" in again.stderr
    assert "unet_config: right" in again.stderr and "vae: nothing to compare with" in again.stderr
    stored = tmp_path / "cache" / "weights" / "unet_config" / "config.json"
    stored.write_bytes(CONTENT[::-1])
    broken = svad(tmp_path, "--verify", "--preset", "quick", SVAD_WEIGHTS=mine)
    assert broken.returncode == 2 and "unet_config: WRONG" in broken.stderr


def test_the_table_shows_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["weights"]) == 0
    table, _, notes = capsys.readouterr().out.partition("\n\n")
    rows = table.splitlines()[1:]
    for row, entry in zip(rows, load_manifest().values(), strict=True):
        assert row.startswith(f"{entry.name} ") and "  missing  " in row
        assert entry.where in row and entry.license in row and entry.base in row
        assert f"{entry.license} ({entry.license_url}): {entry.terms}" in notes
    assert "preview: needs none of these files" in notes
    assert "about 11 GB" in notes


def test_one_preset_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["weights", "--preset", "quick"]) == 0
    shown = capsys.readouterr().out
    assert "yolox_l" in shown and "smplx_neutral" not in shown
    assert "paper quick*" in shown  # the head: a step that quick can do without
    assert cli.main(["weights", "--preset", "preview"]) == 0
    assert "preview: needs none" in capsys.readouterr().out
    assert cli.main(["weights", "--preset", "fast"]) == 2
    assert "Choose one of: preview, quick, paper" in capsys.readouterr().err


def test_a_mistake_in_the_own_list_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text("yolox: a.onnx\n")
    monkeypatch.setenv("SVAD_WEIGHTS", str(tmp_path / "mine.yaml"))
    assert cli.main(["weights"]) == 2
    assert "Did you mean yolox_l?" in capsys.readouterr().err


def test_a_listed_file_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = Path(own_list(tmp_path))
    (tmp_path / "vae.safetensors").unlink()
    text = mine.read_text() + "".join(
        f"{name}: vae_config.safetensors\n" for name in ("unet_config", "image_encoder_config")
    )
    mine.write_text(text)
    monkeypatch.setenv("SVAD_WEIGHTS", str(mine))
    assert cli.main(["weights", "--preset", "quick", "--download"]) == 2
    shown = capsys.readouterr()
    assert "Nothing to fetch" in shown.err and "vae: Your own list says" in shown.err
    required = [e for e in load_manifest().values() if "quick" in e.required_for]
    rows = [line for line in shown.out.splitlines() if "present (own file)" in line]
    assert {row.split()[0] for row in rows} >= {e.name for e in required} - {"vae"}
    assert "vae" not in {row.split()[0] for row in rows}


def test_nothing_here_to_verify(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["weights", "--verify"]) == 0
    assert "Nothing to verify" in capsys.readouterr().err
