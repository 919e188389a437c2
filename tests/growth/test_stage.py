"""A stage is a room, a row and its settings; a preset is a row: shown on a copy of the tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.growth.copied import copied

ROOT = Path(__file__).parents[2]
NEEDED = (
    "svad",
    "tests/encoded.py",
    "tests/fakes.py",
    "tests/helpers.py",
    "weights_manifest.yaml",
)

STAGE = '''"""Dimming: the frames of a clip become darker."""

from __future__ import annotations

from dataclasses import replace

from svad.config.frame_dimming import FrameDimmingConfig
from svad.types import Clip, Report, Subject


class FrameDimmingStage:
    """Multiplies the frames by a share."""

    def __init__(self, config: FrameDimmingConfig) -> None:
        self.config = config

    def run(self, subject: Subject, clip: Clip, report: Report) -> Clip:
        """The clip with darker frames."""
        report(1, 2, "half of it")
        dark = (clip.rgb * self.config.share).astype(clip.rgb.dtype)
        report(2, 2, "all frames", dark[0])
        return replace(clip, rgb=dark)
'''
ROW = """    Stage(
        name="frame_dimming",
        title="Dim the frames",
        room="dimming",
        takes_clip=True,
        seconds=1.5,
    ),
"""
SETTINGS = '''"""Darker frames."""

from __future__ import annotations

from dataclasses import dataclass

from svad.config.limits import SHARE
from svad.core.ranges import Checked, within


@dataclass(frozen=True, kw_only=True)
class FrameDimmingConfig(Checked):
    """Darker frames."""

    share: float = within(0.5, *SHARE)  # of the light that stays
'''
IMPORT = "from svad.config.frame_dimming import FrameDimmingConfig\n"
FIELD = "    frame_dimming: FrameDimmingConfig = field(default_factory=FrameDimmingConfig)\n"
PRESET = """DUSK = Preset(
    name="dusk",
    title="Dusk",
    note="Half as large as the preview.",
    subject=SubjectConfig(person_height=320),
)
"""

RUN = """
import json, sys
from pathlib import Path
from svad.config.change import changed
from svad.config.presets import PREVIEW
from svad.run.card import read_card
from svad.run.pipeline import Pipeline
from svad.run.costs import expected
from svad.run.stages import stage_makers
from svad.storage import load
from svad.types import Clip
from svad.ui.stages import step_list
from svad.media.images import save_png
from tests.fakes import FakeStages
from tests.helpers import tiny_subject

here = Path(sys.argv[1])
save_png(here / "photo.png", tiny_subject(300, 400).photo.rgb)
fakes, seen, told = FakeStages(seconds=0), [], []

def run(setting):
    preset = changed(PREVIEW, setting)
    makers = fakes.makers() | {"frame_dimming": stage_makers(preset)["frame_dimming"]}
    Pipeline(preset, makers).run(here / "photo.png", here / "out", listener=seen.append)
    entry = next(e for e in read_card(here / "out")["stages"] if e["name"] == "frame_dimming")
    clips = [load(Clip, here / "out/stages" / f"{n}.safetensors")
             for n in ("relief", "frame_dimming")]
    told.append({"entry": entry, "light": [int(clip.rgb.mean()) for clip in clips]})

run("frame_dimming.share=0.5")
run("frame_dimming.share=0.25")
states = [[s.name, s.title, s.state, s.done, s.total] for s in seen[-1]]
print(json.dumps({
    "told": told, "states": states, "ran": fakes.ran, "page": step_list((), str),
    "seconds": expected(PREVIEW, None),
}))
"""
OFFER = """
import json
from svad.run.commands import create
from svad.config.presets import PRESETS, with_video
from pathlib import Path
from svad.run import offers
from svad.run.costs import cost
from svad.ui.panels.offers import offer
from svad.ui.stages import step_list

found = offers.offer(PRESETS["dusk"])
parser = create.parser()
print(json.dumps({
    "panel": offer(found, cost(PRESETS["dusk"], Path("none")), 1.0),
    "ready": found.ready, "needs_gpu": found.needs_gpu,
    "steps": step_list((), str, "dusk"), "help": parser.format_help(),
    "chosen": parser.parse_args(["a.png", "-o", "out", "--preset", "dusk"]).preset,
}))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a run needs."""
    copy = tmp_path / "copy"
    for name in NEEDED:
        source, target = ROOT / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            copied(source, target)
        elif source.is_file():
            shutil.copy(source, target)
    return copy


def insert(path: Path, before: str, text: str) -> None:
    """Puts text before the one place where `before` stands."""
    old = path.read_text(encoding="utf-8")
    assert old.count(before) == 1, f"{before!r} stands {old.count(before)} times in {path.name}"
    path.write_text(old.replace(before, text + before), encoding="utf-8")


def touched(tree: Path) -> set[str]:
    """The source files that differ from the original."""
    files = {p.relative_to(tree).as_posix() for p in (tree / "svad").rglob("*.*") if p.is_file()}
    files = {name for name in files if "__pycache__" not in name}
    same = {n for n in files if (ROOT / n).is_file() and _bytes(ROOT, n) == _bytes(tree, n)}
    return files - same


def _bytes(root: Path, name: str) -> bytes:
    return (root / name).read_bytes()


def run(tree: Path, code: str, *arguments: object) -> dict:
    """What the code prints, in a process that has only the copy."""
    environ = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=tree, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_stage_is_a_room_a_row_and_its_settings(tree: Path, tmp_path: Path) -> None:
    (tree / "svad" / "dimming").mkdir()
    (tree / "svad" / "dimming" / "stage.py").write_text(STAGE, encoding="utf-8")
    insert(tree / "svad/run/stages.py", '    Stage(\n        name="restoration",', ROW)
    (tree / "svad/config/frame_dimming.py").write_text(SETTINGS, encoding="utf-8")
    insert(tree / "svad/config/preset.py", "from svad.config.identity", IMPORT)
    insert(tree / "svad/config/preset.py", "    avatar: AvatarConfig = field", FIELD)
    assert touched(tree) == {
        *("svad/dimming/stage.py", "svad/run/stages.py"),
        *("svad/config/frame_dimming.py", "svad/config/preset.py"),
    }

    guide = (ROOT / "docs" / "adding-a-stage.md").read_text(encoding="utf-8")
    for name in ("svad/<room>/stage.py", "svad/run/stages.py", "svad/config/<name>.py"):
        assert f". `{name}`: " in guide

    found = run(tree, RUN, tmp_path)
    names = [name for name, *_ in found["states"]]
    place = names.index("frame_dimming")
    assert names[place - 1 : place + 2] == ["identity", "frame_dimming", "restoration"]
    assert found["states"][place] == ["frame_dimming", "Dim the frames", "done", 2, 2]
    assert found["seconds"]["frame_dimming"] == 1.5
    assert "<b>Dim the frames</b>" in found["page"]
    first, second = found["told"]
    assert first["entry"]["title"] == "Dim the frames" and first["entry"]["note"] == "all frames"
    assert "stages/frame_dimming.jpg" in first["entry"]["files"]
    for one, share in ((first, 0.5), (second, 0.25)):
        assert one["light"][1] == pytest.approx(one["light"][0] * share, abs=1.5)
    assert first["entry"]["key"] and second["entry"]["key"] != first["entry"]["key"]
    assert found["ran"] == {"subject": 1, "relief": 1, "avatar": 2, "package": 2}


def test_a_preset_is_a_row(tree: Path) -> None:
    insert(tree / "svad/config/presets.py", "PRESETS: dict[str, Preset]", PRESET)
    insert(tree / "svad/config/presets.py", "PREVIEW, QUICK, PAPER)}", "DUSK, ")
    assert touched(tree) == {"svad/config/presets.py"}

    found = run(tree, OFFER)
    assert found["chosen"] == "dusk" and "dusk" in found["help"]
    assert "Half as large as the preview." in found["panel"]
    assert found["ready"] and not found["needs_gpu"]
    assert found["steps"].count("<li") == 6
