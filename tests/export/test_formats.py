"""The table of export formats holds together, and costs nothing to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from svad.config.package import PackageConfig
from svad.export.formats import FORMATS, Format, packed_formats, shown_formats
from svad.motion.stills import POSES

ROWS = tuple(FORMATS.values())
README = Path(__file__).parents[2] / "README.md"


def test_no_two_rows_share_a_name_a_file_or_a_place() -> None:
    assert len(FORMATS) == len({row.file for row in ROWS}) == len({row.title for row in ROWS})
    for places in ([row.packed for row in ROWS], [row.shown for row in ROWS]):
        taken = [place for place in places if place is not None]
        assert len(taken) == len(set(taken)) > 2


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_what_it_is_and_what_it_loses(row: Format) -> None:
    assert Path(row.file).name == row.file and not row.file.startswith(".")
    assert row.title and row.note and row.loses.endswith(".")
    assert (row.packed is None) == (row.about == "")


def test_the_archive_is_written_after_what_it_packs() -> None:
    order = list(FORMATS)
    assert all(order.index(row.name) < order.index("archive") for row in packed_formats())


def test_orders_are_those_of_the_places() -> None:
    assert [row.file for row in packed_formats()] == [
        *("avatar.ply", "avatar.safetensors", "avatar.glb", "turntable.mp4", "viewer.html")
    ]
    assert [row.file for row in shown_formats()] == [
        *("turntable.mp4", "avatar.glb", "avatar.ply", "viewer.splat", "viewer.html")
    ]


@pytest.mark.parametrize("views", [0, 3])
def test_settings_decide_about_pictures_and_steps(views: int) -> None:
    settings = PackageConfig(views=views, turntable_frames=7)
    numbered = tuple(f"views/{k:03}.png" for k in range(views))
    assert FORMATS["views"].files(settings) == numbered
    assert len(FORMATS["poses"].files(settings)) == (len(POSES) if views else 0)
    for row in ROWS:
        steps = 7 if row.name == "turntable" else len(row.files(settings))
        assert row.count(settings) == steps


def test_the_read_me_of_the_project_names_what_is_packed() -> None:
    text = README.read_text(encoding="utf-8")
    assert all(f"| `{row.file}` |" in text for row in (*packed_formats(), FORMATS["archive"]))


def test_the_table_is_light() -> None:
    heavy = "{'torch', 'numpy', 'cv2'}"
    code = f"import sys, svad.export.formats; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
