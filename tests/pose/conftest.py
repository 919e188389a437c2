"""Golden data of the pose room: arrays by file, cases by the names that stand in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`align_case` and `draw_case` take every case of the golden folder."""
    folder = Path(metafunc.config.getoption("--golden-root")) / "pose"
    for name in ("align", "draw"):
        if f"{name}_case" in metafunc.fixturenames:
            file = folder / f"{name}.npz"
            keys = np.load(file).files if file.is_file() else []
            cases = dict.fromkeys(key.partition("/")[0] for key in keys)
            metafunc.parametrize(f"{name}_case", list(cases))


@pytest.fixture(scope="session")
def golden(golden_root: Path) -> Path:
    """The folder of this room's golden files."""
    folder = golden_root / "pose"
    if not folder.is_dir():
        pytest.skip(f"no golden data in {folder}")
    return folder
