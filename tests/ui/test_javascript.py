"""The page's own JavaScript holds what its types promise (`tsc --checkJs`)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from svad.export.viewer_page import SCRIPTS

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((Path(__file__).parent / "javascript").glob("*.json"))


def compiler() -> str | None:
    """The TypeScript compiler of this checkout or machine."""
    local = ROOT / "node_modules" / ".bin" / "tsc"
    return str(local) if local.exists() else shutil.which("tsc")


@pytest.mark.node
@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_types_fit(config: Path) -> None:
    tsc = compiler()
    if tsc is None:
        pytest.skip("typescript is not installed (npm install typescript)")
    done = subprocess.run([tsc, "-p", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_script_is_checked() -> None:
    listed = "".join(config.read_text() for config in CONFIGS)
    scripts = {path.name for path in (ROOT / "svad").rglob("*.js")}
    imported = {f"{name}.js" for name in SCRIPTS} - {"viewer.js"}  # by viewer.js
    assert all(name in listed for name in scripts - imported)
