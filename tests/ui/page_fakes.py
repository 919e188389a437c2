"""A quick pipeline with the contract of the real one, drawing a capsule figure."""

from __future__ import annotations

import json
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from svad.config.preset import Preset
from svad.config.presets import PRESETS
from svad.core.errors import Stopped
from svad.export.formats import FORMATS
from svad.export.viewer_motions import write_viewer_motion
from svad.export.viewer_rig import viewer_rig_bytes
from svad.footage.strip import strip
from svad.media.containers import clip_info
from svad.media.images import save_jpg, save_png
from svad.motion.authored import authored
from svad.motion.readers.files import MotionError
from svad.motion.readers.formats import is_motion
from svad.run.jobs import Job
from svad.run.sources import preset_for, read_source, source_hash
from svad.run.stages import titles
from svad.subject.checks import read_photo
from svad.types import Footage, Result, StageState
from tests.encoded import mp4
from tests.footage.turning import turning
from tests.helpers import tiny_avatar, tiny_mesh
from tests.waiting import WAIT

SKIPPED = ("identity", "restoration")
WIDTH, HEIGHT = 180, 240
GAUSSIANS = 6000  # of the figure as the page shows it


class Names:
    """Components by their own names."""

    def __getattr__(self, name: str) -> str:
        return name


class FakePipeline:
    """Looks with the real checks, then takes `seconds` for each stage; keeps finished stages.

    In the middle of the stage `hold` it waits for `go`, so that a slow test misses nothing. A
    `deaf` one notices a stop there only when it may hear.
    """

    def __init__(
        self, seconds: float = 0.2, deaf: bool = False, hold: str = "", preset: str = ""
    ) -> None:
        self.seconds = seconds
        self.preset = preset  # "" = the one for what is sent
        self.hold, self.go = hold, threading.Event()
        self.hear = threading.Event()
        if not deaf:
            self.hear.set()
        self.running = self.most_running = 0
        self.folders: list[Path] = []
        self.looks: list[Any] = []  # what each run was given
        self.footages: list[Any] = []
        self.shots: list[Any] = []  # how each video was asked for
        self.stills: list[Any] = []  # what each picture of a pose was asked for with
        self.glances = 0  # that were begun

    def look(self, photo: Path) -> Any:
        """Raises `PhotoError` where the real one does, for files that are no usable picture."""
        read = read_photo(photo)
        overlay = read.rgb.copy()
        h, w = overlay.shape[:2]
        cv2.ellipse(overlay, (w // 2, h // 2), (w // 4, h * 2 // 5), 0, 0, 360, (64, 190, 170), 3)
        return SimpleNamespace(photo=read, overlay=overlay, warnings=read.warnings)

    def glance(self, source: list[Path], report: Callable[..., None]) -> Footage:
        """Reads what was sent with the real checks; a clip is one whose frames are not looked at.

        While it looks at the stage `hold` named "glance" it waits for `go`.
        """
        self.glances += 1
        sent = read_source(source)
        for k in range(10):
            report(k, 10, f"picture {k + 1} of 10")
            time.sleep(self.seconds / 10)
            while self.hold == "glance" and k == 5 and not self.go.wait(0.02):
                report(k, 10, f"picture {k + 1} of 10, waiting")
        count = len(sent.photos) or 12
        return turning(count, clip=sent.clip is not None)

    def strip(self, footage: Footage) -> np.ndarray:
        """The real one."""
        return strip(footage, 600)

    def run(
        self,
        source: list[Path],
        folder: Path,
        *,
        listener: Callable[[tuple[StageState, ...]], None],
        stop: threading.Event,
        look: Any = None,
        footage: Footage | None = None,
    ) -> Result:
        """All stages in turn; raises `Stopped` soon after `stop` is set."""
        assert source and all(path.is_file() for path in source)
        sent = read_source(source)
        preset = PRESETS[self.preset] if self.preset else preset_for(source)
        shown = titles(preset)
        self.folders.append(folder)
        self.looks.append(look)
        self.footages.append(footage)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            states = {n: StageState(n, t, "waiting", 0, 10, "", 0, 1, None) for n, t in shown}
            for name, _ in shown:
                self._stage(name, states, folder, listener, stop)
            photo = sent.photos[0].rgb if sent.photos else turning(1, 360, 480).rgb[0]
            result = write_files(folder, photo)
            write_card(folder, preset, result, source_hash(sent))
            return result
        finally:
            self.running -= 1

    def _stage(
        self,
        name: str,
        states: dict[str, StageState],
        folder: Path,
        listener: Callable[[tuple[StageState, ...]], None],
        stop: threading.Event,
    ) -> None:
        def tell(**changes: Any) -> None:
            states[name] = replace(states[name], **changes)
            listener(tuple(states.values()))

        mark = folder / "stages" / f"{name}.done"
        picture = folder / "stages" / f"{name}.jpg"
        if name in SKIPPED or mark.exists():
            tell(state="skipped" if name in SKIPPED else "kept", note="Not needed <here> & now")
            return
        save_jpg(picture, draw(0.6)[:, :, :3])
        for k in range(10):
            tell(state="running", done=k, note=f"part {k + 1} of 10", seconds=k * self.seconds / 10)
            time.sleep(self.seconds / 10)
            while name == self.hold and k == 5 and not (self.go.wait(0.02) or stop.is_set()):
                pass
            if stop.is_set():
                self.hear.wait(WAIT)
                tell(state="stopped")
                raise Stopped("Stopped.")
        mark.write_text("done")
        tell(state="done", done=10, seconds=self.seconds, remaining=0.0, thumbnail=picture)

    def motion_video(
        self, folder: Path, motion: str, output: Path, *, report: Any, shot: Any = None
    ) -> Path:
        """A short video, whatever its ending."""
        report(0, 1, "frames")
        self.shots.append(shot)
        output.write_bytes(swaying())
        return output

    def track(self, clip: Path, output: Path, report: Any, *, say: Any) -> Path:
        """A file; the clip is only looked into."""
        if is_motion(clip):
            if clip.read_bytes()[:1] == b"?":
                raise MotionError("No motion is in it.")
            output.write_bytes(b"motion")
            return output
        clip_info(clip)
        for k in range(10):
            report(k, 10, f"frame {k}")
            time.sleep(self.seconds / 10)
            while self.hold == "track" and k == 5 and not self.go.wait(0.02):
                report(k, 10, "waiting")
        say("Nobody is seen from 1.0 to 2.0 s.")
        output.write_bytes(b"motion")
        return output

    def still(self, folder: Path, pose: Any, output: Path, *, shot: Any) -> Path:
        """A picture; what was asked for is remembered."""
        self.stills.append((dict(pose), shot))
        save_png(output, draw(0.3))
        return output

    def mesh(self, folder: Path, motion: Path, output: Path, *, report: Any) -> Path:
        """A file."""
        output.write_bytes(b"mesh of " + motion.read_bytes())
        return output

    def clip_motion(
        self, folder: Path, motion: Path, output: Path, *, report: Any, shot: Any = None
    ) -> Path:
        """A short video."""
        assert motion.read_bytes() == b"motion"
        if output.suffix == ".rig":
            person = tiny_avatar(300)
            made = authored()["wave"].for_avatar(person)
            return write_viewer_motion(output, person, replace(made, name="clip"))
        return self.motion_video(folder, "", output, report=report, shot=shot)


def draw(yaw: float) -> np.ndarray:
    """The capsule figure [HEIGHT, WIDTH, 4] uint8 RGBA over a light wall, turned by `yaw`."""
    mesh = tiny_mesh()
    x, y, z = mesh.vertices.T
    turned = np.stack([x * np.cos(yaw) + z * np.sin(yaw), y, z * np.cos(yaw) - x * np.sin(yaw)], 1)
    pixels = np.stack([WIDTH / 2 + 118 * turned[:, 0], 100 - 118 * turned[:, 1]], 1)
    image = np.full((HEIGHT, WIDTH, 4), (236, 233, 228, 0), np.uint8)
    for k in np.argsort(turned[mesh.faces, 2].mean(1)):
        color = (*mesh.colors[mesh.faces[k, 0]].tolist(), 255)
        cv2.fillConvexPoly(image, np.round(pixels[mesh.faces[k]]).astype(np.int32), color)
    return image


@cache
def swaying() -> bytes:
    """A video of the capsule figure that turns a little to both sides."""
    return mp4([draw(0.3 * np.sin(k / 3))[:, :, :3] for k in range(12)], fps=12)


@cache
def turned_once() -> bytes:
    """A video of the capsule figure from all sides."""
    return mp4([draw(k * 2 * np.pi / 24)[:, :, :3] for k in range(24)], fps=12)


@cache
def filmed_turn() -> bytes:
    """A clip of three seconds in which the capsule figure turns around, as somebody films it."""
    return mp4(list(turning(24).rgb), fps=8)


@cache
def splats() -> bytes:
    """The capsule figure as the page's light copy: y down, 32 bytes per Gaussian."""
    g = tiny_avatar(GAUSSIANS).gaussians
    table = np.zeros(
        GAUSSIANS, np.dtype([("p", "<f4", 3), ("s", "<f4", 3), ("c", "u1", 4), ("q", "u1", 4)])
    )
    table["p"] = g.means.numpy() * (1, -1, -1)
    table["s"] = g.scales.numpy()
    table["c"] = np.concatenate([g.colors.numpy(), g.opacities.numpy()[:, None]], 1) * 255
    table["q"] = (128, 255, 128, 128)  # 180 degrees about x
    return table.tobytes()


@cache
def moving() -> bytes:
    """The capsule figure as the page moves it."""
    return viewer_rig_bytes(tiny_avatar(GAUSSIANS))


def write_files(folder: Path, rgb: np.ndarray) -> Result:
    """Everything a finished job folder holds that the page shows."""
    save_png(folder / "input.png", rgb)
    front = cv2.resize(draw(0), (rgb.shape[1], rgb.shape[0]))
    save_png(folder / "front.png", front)
    (folder / "turntable.mp4").write_bytes(turned_once())
    (folder / "viewer.splat").write_bytes(splats())
    (folder / "viewer.rig").write_bytes(moving())
    (folder / "avatar.ply").write_bytes(b"ply\n")
    (folder / "avatar.glb").write_bytes(b"glTF")
    (folder / "stages").mkdir(exist_ok=True)
    (folder / "stages" / "avatar.safetensors").write_bytes(b"avatar")
    with zipfile.ZipFile(folder / "avatar.zip", "w") as box:
        box.write(folder / "turntable.mp4", "turntable.mp4")
        box.writestr("NOTE.txt", "A test's avatar.")
    made = ("front", "turntable", "ply", "viewer", "glb", "archive")
    return Result({name: folder / FORMATS[name].file for name in made})


def write_card(folder: Path, preset: Preset, result: Result, source: str) -> None:
    """The card of a finished job."""
    job = Job(folder)
    job.begin(preset, source)
    job.card["result"] = {name: path.name for name, path in result.files.items()}
    job.card |= {"state": "done", "seconds": 12.3}
    job.write()


def write_example(root: Path, name: str) -> Path:
    """A finished example below `root`."""
    folder = root / name
    folder.mkdir(parents=True)
    photo = draw(0)[:, :, :3]
    write_files(folder, photo)
    (folder / "input.png").rename(folder / "photo.png")
    (folder / "viewer.rig").unlink()  # as it was before avatars moved on the page
    (folder / "motions").mkdir()
    shutil.copy(folder / "turntable.mp4", folder / "motions" / "wave.mp4")
    card = {"title": name.capitalize(), "seconds": 12.3}
    (folder / "example.json").write_text(json.dumps(card), encoding="utf-8")
    return folder
