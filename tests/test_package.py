"""What `pip install .` gives: the same packages as on a Space, the command, all data."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = ("svad", "pyproject.toml", "setup.py", "README.md", "LICENSE", "weights_manifest.yaml")


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_two_lists_of_packages_are_equal() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert project()["dependencies"] == [line for line in lines if line and line[0] != "#"]


def test_every_package_has_an_upper_bound() -> None:
    """A major release of somebody else must not break a Space that is built anew."""
    for line in project()["dependencies"]:
        assert re.search(r"==|<", line), line


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel, unpacked as an installer would."""
    source = tmp_path_factory.mktemp("source")
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", place, source], check=True, capture_output=True)
    site = place / "site"
    with zipfile.ZipFile(next(place.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    return site


def test_the_wheel_holds_the_package_and_nothing_else(unpacked: Path) -> None:
    tops = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    assert tops == {"svad"}
    ours = {p.relative_to(ROOT) for p in (ROOT / "svad").rglob("*") if p.is_file()}
    ours = {p for p in ours if "__pycache__" not in p.parts}
    theirs = {p.relative_to(unpacked) for p in (unpacked / "svad").rglob("*") if p.is_file()}
    assert theirs - ours == {Path("svad/weights/weights_manifest.yaml")}
    assert ours <= theirs


def test_the_installed_command_knows_its_weights_and_its_body(unpacked: Path) -> None:
    names = next(unpacked.glob("*.dist-info")).joinpath("entry_points.txt").read_text()
    assert "svad = svad.cli:main" in names
    code = (
        "import svad, sys; assert svad.__file__.startswith(sys.argv[1]), svad.__file__\n"
        "from svad.body.free import DATA_FILE; assert DATA_FILE.is_file()\n"
        "from svad.cli import main; sys.exit(main(['weights', '--preset', 'quick']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(unpacked)],
        cwd=unpacked, env={"PYTHONPATH": str(unpacked), "HOME": str(unpacked), "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "yzd-v/DWPose" in done.stdout, done.stderr
