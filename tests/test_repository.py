"""What surrounds the code agrees with it: header of the Space, requirements, manifest, make."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SPACE_PYTHONS = {"3.10", "3.12"}  # what the Space's hardware offers
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def header() -> dict:
    return yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---")[1])


def requirements() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pairs = (re.match(r"([\w-]+)(.*)", line) for line in lines if not line.startswith("#"))
    return {m.group(1): m.group(2) for m in pairs if m}


def test_the_header_is_one_a_space_accepts() -> None:
    found = header()
    assert found["sdk"] == "gradio" and found["python_version"] in SPACE_PYTHONS
    assert {found["colorFrom"], found["colorTo"]} <= COLOURS
    assert len(found["short_description"]) <= 60
    assert (ROOT / found["app_file"]).is_file()
    assert found["license"] == "apache-2.0"
    assert (ROOT / "LICENSE").read_text().lstrip().startswith("Apache License")


def test_requirements_allow_what_the_space_brings() -> None:
    from packaging.specifiers import SpecifierSet

    needs = requirements()
    assert header()["sdk_version"] in SpecifierSet(needs["gradio"])
    for version in ("2.8.0", "2.9.1", "2.10.0", "2.11.0"):  # torch on the Space's GPUs
        assert version in SpecifierSet(needs["torch"])


def test_the_header_names_every_repository_that_weights_come_from() -> None:
    manifest = yaml.safe_load((ROOT / "weights_manifest.yaml").read_text(encoding="utf-8"))
    assert set(header()["models"]) == {
        entry["repo"] for entry in manifest["downloads"] if "repo" in entry
    }


def test_packages_are_debian_names() -> None:
    names = (ROOT / "packages.txt").read_text().split()
    assert names and all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in names)


def test_the_manifest_is_complete_and_the_preview_downloads_nothing() -> None:
    manifest = yaml.safe_load((ROOT / "weights_manifest.yaml").read_text(encoding="utf-8"))
    fetched = [*manifest["downloads"], *manifest["user_supplied"]]
    for entry in fetched:
        assert "preview" not in [*entry["required_for"], *entry.get("useful_for", [])]
    for entry in [*manifest["bundled"], *fetched]:
        assert entry["name"] and entry["license"] and entry["terms"] and entry["stage"]
        assert entry["license_url"].startswith("https://")
        assert entry.get("source") or entry["repo"]
    for entry in manifest["bundled"]:
        if "file" in entry:
            assert (ROOT / entry["file"]).is_file()
        else:
            name, _, version = entry["package"].partition("==")
            assert requirements()[name] == f"=={version}"


TARGETS = ("setup", "demo", "test", "lint", "bench", "coverage", "profile", "gpu-check", "drill")


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_its_targets(target: str) -> None:
    plan = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert plan.returncode == 0, plan.stderr


def test_the_readme_shows_commands_that_exist() -> None:
    from svad.motion.authored import authored

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python -m svad photo.jpg -o out/" in readme
    assert re.search(r"--motion (\w+)", readme).group(1) in authored()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([\w-]+)", readme)) <= targets


def test_the_readme_tells_the_stages_by_their_titles_in_order() -> None:
    from svad.run.stages import STAGES

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\d\. \*\*(.+?)\*\*", readme, re.MULTILINE) == [r.title for r in STAGES]


PAGES = (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
PLACED = re.compile(r"`((?:svad|tools|tests|docs|examples|scripts)/[\w./]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_in_the_tree_is_there(page: Path) -> None:
    named = set(PLACED.findall(page.read_text(encoding="utf-8")))
    absent = {name for name in named if "NAME" not in name and not (ROOT / name).exists()}
    assert not absent
