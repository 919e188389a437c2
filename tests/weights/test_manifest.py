"""The manifest of this repository is whole and strict; a person's own list changes entries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from svad.config.preset import OWN_BODIES
from svad.weights.errors import ManifestError
from svad.weights.manifest import (
    COMMIT,
    FORMATS,
    MANIFEST,
    SHA256,
    UNPINNED,
    load_manifest,
    override,
)
from tests.weights.hub_server import entry

# Not looked up on the Hub yet. Whoever pins a file takes its name off this list.
TO_BE_PINNED = {
    *("unet_config", "image_encoder_config"),
    *("musepose_denoising_unet", "musepose_reference_unet"),
    *("musepose_motion_module", "musepose_pose_guider"),
    *("gagavatar", "gagavatar_flame", "gagavatar_track"),
}


def test_every_file_on_the_hub_has_a_commit_or_is_known_to_lack_one() -> None:
    on_hub = [e for e in load_manifest().values() if e.repo]
    unpinned = {e.name for e in on_hub if UNPINNED in (e.revision, e.sha256)}
    assert unpinned == TO_BE_PINNED
    for e in on_hub:
        assert e.name in TO_BE_PINNED or COMMIT.fullmatch(e.revision)
        assert e.name in TO_BE_PINNED or SHA256.fullmatch(e.sha256)


def test_what_its_authors_publish_is_pinned_to_the_byte() -> None:
    plain = {e.name: e for e in load_manifest().values() if e.url}
    assert set(plain) == {"retinaface", "parsenet", "realesrgan_x2", "vgg16", "lpips_vgg"}
    for e in plain.values():
        assert e.online and e.url.startswith("https://") and e.url.endswith(f"/{e.base}")
        assert SHA256.fullmatch(e.sha256) and e.size and e.source.startswith("https://")
    by_hand = {e.name for e in load_manifest().values() if not e.online}
    assert {name.split("_")[0] for name in by_hand} == {"bfrffusion", "smplx", "flame"}


def test_every_entry_says_what_a_person_needs_to_know() -> None:
    entries = load_manifest()
    for e in entries.values():
        assert e.stage and e.license and e.terms and e.where.startswith("https://")
        assert e.license_url.startswith("https://") and not e.terms.endswith(".")
        assert e.format == FORMATS[Path(e.file).suffix]
        assert set(e.presets) <= {"quick", "paper"}
        assert bool(e.presets) != (e.stage == "body")  # a body is chosen, whatever the preset
        assert e.online == (e.gate != "user-supplied")
        assert e.size is None or e.size > 0
    assert {e.gate for e in entries.values()} == {"none", "accept-terms", "user-supplied"}


def test_a_body_can_be_chosen_by_the_name_of_its_entry() -> None:
    assert {e.name for e in load_manifest().values() if e.stage == "body"} == set(OWN_BODIES)


def test_files_that_may_not_be_handed_on_are_brought_or_agreed_to() -> None:
    for e in load_manifest().values():
        if "FLAME" in e.license or "SMPL-X" in e.license:
            assert e.gate != "none" and "non-commercial" in e.terms


@pytest.mark.parametrize(
    "change",
    [
        {"revision": "main"},
        {"revision": "C0FFEE" + "0" * 34},
        {"sha256": "12"},
        {"gate": "maybe"},
        {"format": "zip"},
        {"file": "../../etc/passwd"},
        {"file": "/etc/passwd"},
        {"name": "../up"},
        {"repo": "no-slash"},
        {"repo": ""},
        {"url": "https://example.org/net.onnx"},
        {"repo": "", "url": "https://example.org/net.onnx"},
        {"repo": "", "url": "http://example.org/net.onnx", "sha256": "a" * 64},
        {"repo": "", "url": "https:///net.onnx", "sha256": "a" * 64},
        {"surprise": 1},
        {"path": "/tmp/net.onnx"},
        {"license": None},
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, change: dict) -> None:
    good = {
        **{"name": "net", "stage": "pose", "repo": "some/repo", "file": "net.onnx"},
        **{"format": "onnx", "license": "MIT", "license_url": "https://x", "terms": "be kind"},
        **{"gate": "none", "required_for": ["quick"]},
    }
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump({"downloads": [good]}))
    assert load_manifest(path)["net"].required_for == ("quick",)
    wrong = {key: value for key, value in (good | change).items() if value is not None}
    path.write_text(yaml.safe_dump({"downloads": [wrong]}))
    with pytest.raises(ManifestError, match="manifest.yaml"):
        load_manifest(path)
    path.write_text(yaml.safe_dump({"downloads": [good, good]}))
    with pytest.raises(ManifestError, match="twice"):
        load_manifest(path)


def test_own_files_and_repositories_take_the_place_of_entries(tmp_path: Path) -> None:
    entries = {n: entry(name=n, sha256="a" * 64, revision="b" * 40) for n in ("one", "two", "six")}
    own = tmp_path / "weights.yaml"
    own.write_text("one: mine.onnx\ntwo: {repo: me/mine, file: sub/net.safetensors}\n")
    address = "https://example.org/mine/net.safetensors"
    with own.open("a") as file:
        file.write(f"six: {{url: '{address}', sha256: {'c' * 64}}}\n")
    changed = override(entries, own)
    assert changed["one"].path == tmp_path / "mine.onnx" and changed["one"].sha256 == UNPINNED
    assert (changed["two"].repo, changed["two"].revision) == ("me/mine", UNPINNED)
    assert (changed["two"].format, changed["two"].sha256) == ("safetensors", UNPINNED)
    six = changed["six"]
    assert (six.url, six.repo, six.base) == (address, "", "net.safetensors")
    assert (six.sha256, six.format, six.home) == ("c" * 64, "safetensors", "example.org")
    assert entries["one"].path is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ona: mine.onnx", "Did you mean one"),
        ("one: {revision: " + "a" * 40 + "}", "either `path: FILE` or `repo: NAME/NAME`"),
        ("one: {path: a, repo: b/c}", "either"),
        ("one: {url: 'https://x.org/a.onnx'}", "needs the sha256"),
        ("one: {path: a, shape: round}", "either"),
        ("one: {repo: me/mine, revision: main}", "40-digit commit"),
        ("- one", "not a list"),
        ("one: [", "YAML"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, text: str, words: str) -> None:
    own = tmp_path / "weights.yaml"
    own.write_text(text)
    with pytest.raises(ManifestError, match=re.escape(words)):
        override({"one": entry(name="one")}, own)


def test_the_manifest_itself_is_where_the_package_looks() -> None:
    assert MANIFEST.is_file() and "yolox_l" in load_manifest()
