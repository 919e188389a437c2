"""The Space's header in the README, held against manifest, requirements and the platform.

Keys and values as in the Hub's documentation, "Spaces Configuration Reference".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from svad.core.startup import SUPPORTED
from svad.deploy.errors import DeployError
from svad.weights.manifest import UNPINNED, Entry

COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
PYTHONS = ("3.10", "3.12")  # of ZeroGPU
TORCHES = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")  # of ZeroGPU
LONGEST = 60  # characters of the description on the Space's card
FENCE = "---\n"


def read_header(readme: str) -> dict[str, Any]:
    """The table between the first two lines of three dashes; raises `DeployError`."""
    parts = readme.split(FENCE, 2)
    try:
        found = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    except yaml.YAMLError as error:
        raise DeployError(f"The header of README.md is not YAML ({error}).") from error
    if not isinstance(found, dict):
        raise DeployError(
            "README.md does not begin with a header for a Space: names and values between two "
            "lines of three dashes."
        )
    return found


def with_header(readme: str, **values: str) -> str:
    """The README with more in its header, or other values of what stands there already."""
    _, header, text = readme.split(FENCE, 2)
    for name, value in values.items():
        header = re.sub(rf"(?m)^{name}:.*\n", "", header) + f"{name}: {value}\n"
    return f"{FENCE}{header}{FENCE}{text}"


def requirements(text: str) -> dict[str, str]:
    """Package -> the versions that will do, of a requirements.txt."""
    found = (re.match(r"([\w.-]+)(?:\[.*?\])?\s*([^;#]*)", line) for line in text.splitlines())
    return {match[1].lower(): match[2].strip() for match in found if match}


def problems(
    header: Mapping[str, Any],
    entries: Mapping[str, Entry],  # of the manifest
    packages: Mapping[str, str],  # as `requirements` reads them
    root: Path,  # of the checkout
) -> list[str]:
    """What a Space would stumble over, a sentence each; empty if nothing."""
    return [
        *_plain(header, root),
        *_versions(header, packages),
        *_repositories(header, entries),
        *_preloaded(header.get("preload_from_hub") or (), entries),
    ]


def _plain(header: Mapping[str, Any], root: Path) -> list[str]:
    found = []
    if header.get("sdk") != "gradio":
        found.append(f"sdk is {header.get('sdk')}, not gradio.")
    if not (root / str(header.get("app_file", ""))).is_file():
        found.append(f"app_file is {header.get('app_file')}, and no such file is here.")
    found += [
        f"{name} is {header.get(name)}, not one of {', '.join(COLOURS)}."
        for name in ("colorFrom", "colorTo")
        if header.get(name) not in COLOURS
    ]
    if len(str(header.get("short_description", ""))) > LONGEST:
        found.append(f"short_description has more than {LONGEST} characters.")
    return found


def _versions(header: Mapping[str, Any], packages: Mapping[str, str]) -> list[str]:
    from packaging.specifiers import SpecifierSet

    python, gradio = str(header.get("python_version")), str(header.get("sdk_version"))
    ours = [".".join(map(str, version)) for version in SUPPORTED]
    both = [version for version in PYTHONS if version in ours]
    found = []
    if python not in both:
        found.append(f"python_version is {python}; ZeroGPU and SVAD share {' and '.join(both)}.")
    if gradio not in SpecifierSet(packages.get("gradio", "")):
        found.append(f"sdk_version {gradio} is outside of gradio{packages['gradio']}.")
    if not any(version in SpecifierSet(packages.get("torch", "")) for version in TORCHES):
        found.append(f"No torch of ZeroGPU ({', '.join(TORCHES)}) fits torch{packages['torch']}.")
    return found


def _repositories(header: Mapping[str, Any], entries: Mapping[str, Entry]) -> list[str]:
    named, ours = set(header.get("models") or ()), {e.repo for e in entries.values() if e.repo}
    found = [f"models lacks {repo}, which the manifest has." for repo in sorted(ours - named)]
    return found + [
        f"models has {repo}, which the manifest lacks." for repo in sorted(named - ours)
    ]


def _preloaded(lines: Any, entries: Mapping[str, Entry]) -> list[str]:
    """Each line is `repository file,file commit`, and such files come without being asked for."""
    known = {(e.repo, e.file): e for e in entries.values() if e.repo}
    found = []
    for line in lines:
        repo, files, commit, *_ = [*str(line).split(), "", "", ""]
        for file in files.split(","):
            entry = known.get((repo, file))
            if entry is None:
                found.append(f"preload_from_hub has {repo} {file}, which the manifest lacks.")
            elif entry.revision == UNPINNED or entry.revision != commit:
                found.append(f"preload_from_hub has {file} at {commit}, not at {entry.revision}.")
            elif entry.gate != "none":
                found.append(f"preload_from_hub has {file}, whose terms are to be accepted first.")
    return found
