"""The viewer in a browser: poses, sliders, and what is shown where it cannot draw."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from svad.body.skin import blended, pose_gaussians
from svad.export.sliders import slid
from svad.export.viewer_page import viewer_page
from svad.export.viewer_rig import thinned_avatar, viewer_rig_bytes
from svad.motion.authored import authored
from svad.splat.scene import draw_rgba
from svad.types import Avatar
from tests.helpers import tiny_avatar
from tests.ui.visitor import lively, until
from tools.checks.viewer import CAMERA, SHOW, camera_of, over_white

pytestmark = [pytest.mark.browser, pytest.mark.flaky(reruns=1)]
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WIDTH, HEIGHT = 320, 440  # px
PLAIN = """
avatar.panel.wall('white');
avatar.stage.drawing.withGround = false;
document.querySelector('#dock').style.visibility = 'hidden';
avatar.stage.camera.yaw = 0.4;
"""
SETTLED = "return Boolean(globalThis.avatar) && avatar.stage.settled"


@dataclass
class Viewer:
    """The page in a browser."""

    browser: Any
    page: Path

    def do(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def open(self) -> None:
        self.browser.get(self.page.as_uri())
        until(lambda: self.do("return document.body.classList.contains('ready')"))

    def picture(self) -> np.ndarray:  # [H, W, 3] uint8
        """What is seen, once all of it is drawn."""
        until(lambda: self.do(SETTLED))
        png = self.browser.get_screenshot_as_png()
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return tiny_avatar(3000)


@pytest.fixture
def viewer(avatar: Avatar, browser: Any, tmp_path: Path) -> Viewer:
    """An avatar's page, opened from the disk."""
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page = tmp_path / "viewer.html"
    page.write_text(viewer_page(viewer_rig_bytes(avatar), "Tiny"), encoding="utf-8")
    return Viewer(browser, page)


def test_poses_are_those_of_the_program(viewer: Viewer, avatar: Avatar) -> None:
    """From the disk, without a server; and sliders move what they say."""
    lively(viewer.browser)
    viewer.open()
    viewer.do(PLAIN)
    light, shots = thinned_avatar(avatar, 10_000), []
    for name, frame in (("squat", 36), ("expressions", 70), ("wave", 50)):
        viewer.do(SHOW, name, frame / 24 + 1e-6, {})
        shots.append(viewer.picture().astype(np.float32))
        pose = authored()[name].for_avatar(avatar).poses[frame]
        ours = over_white(draw_rgba(pose_gaussians(light, pose), camera_of(viewer.do(CAMERA))))
        person = (ours < 250).any(2) | (shots[-1] < 250).any(2)
        error = ((shots[-1] - ours)[person] ** 2).mean()  # white paper would flatter
        assert 10 * np.log10(255**2 / error) >= 26, name
    assert np.abs(shots[0] - shots[2]).mean() > 5

    viewer.do("avatar.panel.pose('turn', 50)")
    turned = np.abs(viewer.picture() - shots[-1]).max(2) > 40
    assert turned.sum() > 20 and np.flatnonzero(turned.any(1)).max() < 0.45 * HEIGHT  # the head
    viewer.do("avatar.panel.pose('turn', 0); avatar.panel.pose('arms', 40)")
    assert (np.abs(viewer.picture() - shots[-1]).max(2) > 40).sum() > 100
    _is_posed_as_the_program_does(viewer, avatar)
    _plays(viewer)
    _has_no_serious_fault(viewer)
    errors = [e for e in viewer.browser.get_log("browser") if e["level"] == "SEVERE"]
    assert not errors


def test_reduced_motion_and_a_lost_context(viewer: Viewer) -> None:
    """Nothing moves by itself; and without a context the video takes the view's place."""
    viewer.open()
    time.sleep(0.3)
    assert viewer.do("return [avatar.stage.playing, avatar.stage.spinning]") == [False, False]
    assert viewer.do("return document.querySelector('#follow').disabled")
    (viewer.page.parent / "turntable.mp4").write_bytes(b"not looked at")
    viewer.do("document.querySelector('canvas').getContext('webgl2')"
              ".getExtension('WEBGL_lose_context').loseContext()")  # fmt: skip
    until(lambda: "graphics memory" in viewer.do("return document.body.innerText"))
    assert viewer.do("return document.querySelector('#dock').hidden")


def _is_posed_as_the_program_does(viewer: Viewer, avatar: Avatar) -> None:
    """Joints of a frame with sliders moved, to what 16 bits of a quaternion leave."""
    moved = {"turn": 50.0, "nod": -20.0, "arms": -15.0, "left_arm": 30.0}
    viewer.do(SHOW, "raise_arms", 60 / 24 + 1e-6, moved)
    table = np.array(viewer.do("return [...avatar.stage.skeleton.table.subarray(0, 1100)]"))
    rows = table.reshape(55, 20)[:, 8:].reshape(55, 3, 4)
    pose = slid(avatar, authored()["raise_arms"].for_avatar(avatar).poses[[60]], moved)[0]
    joint = torch.arange(55)[:, None].repeat(1, 4)
    alone = torch.tensor([[1.0, 0, 0, 0]]).expand(55, 4)
    ours, _ = blended(joint, alone, avatar.joints, avatar.parents, pose, rigid=0.0)
    assert np.abs(rows - ours.numpy()).max() < 1e-3


def _plays(viewer: Viewer) -> None:
    """By the button, with one array for the order."""
    wave = "avatar.stage.choose(avatar.stage.rig.motions.find((one) => one.name === 'wave'), true)"
    viewer.do(wave)
    viewer.do("document.querySelector('#dock').style.visibility = ''")
    begin = viewer.do("return [avatar.stage.drawn, avatar.stage.seconds]")
    until(lambda: viewer.do("return avatar.stage.drawn") > begin[0] + 5)
    # a motion that has come round may be where it was: all but one of its moments are others
    until(lambda: viewer.do("return avatar.stage.seconds") != begin[1])
    assert viewer.do("return document.querySelector('[data-do=play]').title") == "Pause"
    viewer.browser.find_element("css selector", "[data-do=play]").click()
    assert viewer.do("return avatar.stage.playing") is False
    size = viewer.do("return [avatar.stage.sorter.message.order.length, avatar.stage.drawing.rows]")
    until(lambda: viewer.do(SETTLED))
    assert size[0] in (0, 2048 * size[1])  # the one array, here or with the worker


def _has_no_serious_fault(viewer: Viewer) -> None:
    """For people who see or use it otherwise, where `npm install axe-core` was done."""
    if not AXE.is_file():
        return
    viewer.browser.find_element("css selector", "[data-do=panel]").click()
    viewer.do(AXE.read_text(encoding="utf-8"))
    script = "const done = arguments[0]; axe.run().then((found) => done(found.violations));"
    found = viewer.browser.execute_async_script(script)
    assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")]
