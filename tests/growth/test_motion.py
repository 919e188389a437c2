"""The house can grow: an authored motion is one source file, and everybody knows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.growth.copied import copied

ROOT = Path(__file__).parents[2]
FILE = "svad/motion/authored/nod.py"
NOD = '''"""A nod: an authored motion."""

from __future__ import annotations

import numpy as np

from svad.motion import rig
from svad.motion.gestures import relaxed_arms, stand, wave_of
from svad.motion.motion import Authored
from svad.motion.rig import Skeleton, Track


def nod(skeleton: Skeleton, phase: np.ndarray) -> Track:
    """Says yes twice."""
    track = Track.still(skeleton, len(phase))
    relaxed_arms(track, phase)
    rig.bend_neck(track, pitch=8 * wave_of(phase, 2))
    stand(track)
    return track


MOTION = Authored(name="nod", title="Nod yes", help="Says yes twice.", seconds=2.0, author=nod)
'''
QUESTIONS = """
import json
from pathlib import Path
from svad.run.commands import animate
from svad.export.glb_motion import tracks
from svad.ui.motions import motion_choices
from svad.ui.gallery import read_finished
from tests.helpers import tiny_avatar

stage = Path("job/stages/avatar.safetensors")
stage.parent.mkdir(parents=True)
stage.write_bytes(b"")
found = {
    "command": animate.parser().format_help(),
    "page": dict(map(reversed, motion_choices(read_finished(Path("job"), "job:1", "Job")))),
    "file": {track.name: len(track.poses) for track in tracks(tiny_avatar(50))},
}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the command line, the page and the .glb offer once the file is there."""
    house = tmp_path_factory.mktemp("house")
    copied(ROOT / "svad", house / "svad")
    assert not (house / FILE).exists()
    (house / FILE).write_text(NOD, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # for tests.helpers; svad is the copy
    run = subprocess.run(
        [sys.executable, "-c", QUESTIONS], cwd=house, env=environment, capture_output=True,
        text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_the_command_line_offers_it(grown: dict) -> None:
    assert "expressions, nod" in " ".join(grown["command"].split())


def test_the_page_offers_it_by_its_title_after_the_others(grown: dict) -> None:
    assert grown["page"]["nod"] == "Nod yes" and list(grown["page"])[-1] == "nod"
    assert len(grown["page"]) > 5


def test_the_mesh_file_plays_it(grown: dict) -> None:
    assert grown["file"]["nod"] == 2 * 24 + 1  # looped: it ends as it begins


def test_the_page_on_motions_names_the_file_to_write() -> None:
    assert "svad/motion/authored/" in (ROOT / "docs/adding-a-motion.md").read_text("utf-8")
