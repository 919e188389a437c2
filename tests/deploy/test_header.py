"""The README's header fits manifest, requirements and platform, and what does not is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from svad.deploy.errors import DeployError
from svad.deploy.header import problems, read_header, requirements, with_header
from svad.weights.manifest import load_manifest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGES = requirements((ROOT / "requirements.txt").read_text(encoding="utf-8"))
COMMIT = load_manifest()["yolox_l"].revision


def found(**changes: object) -> list[str]:
    entries = load_manifest()
    entries["gated"] = replace(entries["yolox_l"], file="gated.onnx", gate="accept-terms")
    return problems(read_header(README) | changes, entries, PACKAGES, ROOT)


def test_this_one_fits() -> None:
    assert found() == []
    assert read_header(README)["python_version"] == "3.12"
    assert PACKAGES["mediapipe"] == "==0.10.21" and PACKAGES["torch"].startswith(">=2.8")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"python_version": "3.11"}, "python_version is 3.11"),
        ({"python_version": "3.10"}, "share 3.12"),  # the program does not run on it
        ({"sdk": "docker"}, "not gradio"),
        ({"sdk_version": "5.0.0"}, "outside of gradio>=6"),
        ({"app_file": "main.py"}, "main.py"),
        ({"colorTo": "beige"}, "colorTo is beige"),
        ({"short_description": "x" * 61}, "more than 60"),
        ({"models": ["some/other"]}, "models has some/other"),
        ({"models": []}, "models lacks yzd-v/DWPose"),
        ({"preload_from_hub": ["some/other a.bin"]}, "some/other a.bin"),
        ({"preload_from_hub": [f"yzd-v/DWPose yolox_l.onnx {'a' * 40}"]}, "aaaa"),
        ({"preload_from_hub": [f"yzd-v/DWPose gated.onnx {COMMIT}"]}, "accepted first"),
    ],
)
def test_each_misfit_is_named(changes: dict, words: str) -> None:
    assert any(words in sentence for sentence in found(**changes))


def test_what_is_pinned_may_be_preloaded() -> None:
    line = f"yzd-v/DWPose yolox_l.onnx,dw-ll_ucoco_384.onnx {COMMIT}"
    assert found(preload_from_hub=[line]) == []


@pytest.mark.parametrize("readme", ["# SVAD", "---\n- a\n---\n", "---\na: [\n---\n", "", "---\n"])
def test_no_header_is_told(readme: str) -> None:
    with pytest.raises(DeployError, match="README.md"):
        read_header(readme)


def test_a_value_is_added_or_changed_and_the_rest_stays() -> None:
    changed = with_header(README, startup_duration_timeout="1h", sdk_version="6.32.0")
    expected = read_header(README) | {"startup_duration_timeout": "1h", "sdk_version": "6.32.0"}
    assert read_header(changed) == expected
    assert changed.split("---\n", 2)[2] == README.split("---\n", 2)[2]
