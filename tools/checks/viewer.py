"""Optional: an avatar's viewer against what the program draws, and axe on it and on the whole page.

Needs Chromium, chromedriver, selenium, and the npm package axe-core in a folder of your own. PAGE
is the address of a page that runs (`python app.py`); without it only the viewer is looked at.

    npm install --prefix FOLDER axe-core
    python -m tools.checks.viewer OUT FOLDER PICTURE.png [PAGE]

Prints the PSNR of some poses over the person, and the faults by their weight; the picture shows
the browser's poses above the program's.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from svad.body.skin import pose_gaussians
from svad.export.sliders import slid
from svad.export.viewer_page import viewer_page
from svad.export.viewer_rig import thinned_avatar, viewer_rig_bytes
from svad.geometry.camera import Camera
from svad.motion.authored import authored
from svad.run.results import load_avatar
from svad.splat.scene import draw_rgba
from tools.checks.vrm import FLAGS

LIMIT = 20_000  # Gaussians, which a renderer without a GPU draws in seconds
WIDTH, HEIGHT = 400, 560  # px
WANTED = 26.0  # dB
PATIENCE = 300  # seconds
SERIOUS = ("serious", "critical")
# motion, frame, and what the sliders add
POSES: tuple[tuple[str, int, dict[str, float]], ...] = (
    ("wave", 50, {}),
    ("squat", 36, {"turn": 40.0, "left_arm": 35.0, "smile": 1.0}),
    ("expressions", 70, {"arms": 60.0, "jaw": 0.6}),
)
PLAIN = """
avatar.stage.seen = true;
avatar.panel.wall('white');
avatar.stage.drawing.withGround = false;
document.querySelector('#dock').style.visibility = 'hidden';
"""
SHOW = """
const [name, seconds, sliders] = arguments, { stage, panel } = avatar;
const able = Object.keys(stage.puppet.values).filter((one) => stage.puppet.has(one));
for (const one of able) panel.pose(one, sliders[one] ?? 0);
stage.choose(stage.rig.motions.find((one) => one.name === name), false);
stage.seek(seconds);
stage.camera.jump();
"""
CAMERA = """
const { camera, canvas } = avatar.stage;
return { turn: [...camera.turn], shift: [...camera.shift], focal: camera.focal,
         width: canvas.width, height: canvas.height };
"""
AXE = "const done = arguments[0]; axe.run().then((found) => done(found.violations));"


def main(out: Path, packages: Path, picture: Path, page: str = "") -> int:
    """Prints the figures and writes the picture; 1 where one is too low, or a fault serious."""
    avatar = load_avatar(out)
    light, wrong = thinned_avatar(avatar, LIMIT), 0
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "viewer.html"
        file.write_text(viewer_page(viewer_rig_bytes(avatar, LIMIT), "Check"), encoding="utf-8")
        browser = _browser(Path(place) / "profile")
        try:
            browser.get(file.as_uri())
            _until(browser, "return document.body.classList.contains('ready')")
            browser.execute_script(PLAIN)
            pairs = []
            for name, frame, values in POSES:
                browser.execute_script(SHOW, name, frame / 24 + 1e-6, values)
                _until(browser, "return avatar.stage.settled")
                shot = browser.get_screenshot_as_png()
                theirs = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), np.float32)
                pose = slid(light, authored()[name].for_avatar(light).poses[[frame]], values)
                camera = camera_of(browser.execute_script(CAMERA))
                ours = over_white(draw_rgba(pose_gaussians(light, pose[0]), camera))
                person = (ours < 250).any(2) | (theirs < 250).any(2)  # white paper would flatter
                psnr = 10 * np.log10(255**2 / ((theirs - ours)[person] ** 2).mean())
                wrong += psnr < WANTED
                print(f"{name} with {values or 'no slider moved'}: {psnr:.1f} dB over the person")
                pairs.append(np.concatenate([theirs, ours]))
            Image.fromarray(np.concatenate(pairs, 1).astype(np.uint8)).save(picture)
            browser.execute_script("document.querySelector('#dock').style.visibility = ''")
            browser.find_element("css selector", "[data-do=panel]").click()
            wrong += _faults(browser, packages, "the viewer")
            if page:
                browser.get(page)
                _until(browser, "return document.querySelectorAll('button').length > 5")
                time.sleep(5)  # the page fills after it is there
                wrong += _faults(browser, packages, "the page")
        finally:
            browser.quit()
    return int(wrong > 0)


def _browser(profile: Path) -> Any:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = str(shutil.which("chromium"))
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    browser.set_script_timeout(PATIENCE)
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return browser


def _until(browser: Any, script: str) -> None:
    end = time.monotonic() + PATIENCE
    while not browser.execute_script(script):
        if time.monotonic() > end:
            raise RuntimeError("the page was not ready in time")
        time.sleep(0.2)


def camera_of(told: dict[str, Any]) -> Camera:
    """The viewer's camera, from what CAMERA tells."""
    return Camera(
        rotation=np.asarray(told["turn"], np.float32).reshape(3, 3).T,
        translation=np.asarray(told["shift"], np.float32),
        focal=(told["focal"], told["focal"]),
        center=(told["width"] / 2, told["height"] / 2),
        width=told["width"],
        height=told["height"],
    )


def over_white(
    drawn: np.ndarray,  # [H, W, 4] uint8
) -> np.ndarray:  # [H, W, 3] float32, 0..255
    """What was drawn, on white paper."""
    alpha = drawn[..., 3:] / np.float32(255)
    return drawn[..., :3] * alpha + 255 * (1 - alpha)


def _faults(browser: Any, packages: Path, where: str) -> int:
    """Prints what axe finds; how much of it is serious."""
    script = packages / "node_modules" / "axe-core" / "axe.min.js"
    browser.execute_script(script.read_text(encoding="utf-8"))
    found = browser.execute_async_script(AXE)
    serious = [one for one in found if one["impact"] in SERIOUS]
    told = ", ".join(f"{one['id']} ({one['impact']}, {len(one['nodes'])})" for one in found)
    print(f"axe on {where}: {len(serious)} serious; {told or 'nothing at all'}")
    for one in serious:
        print(f"  {one['help']}: {one['nodes'][0]['html'][:200]}")
    return len(serious)


if __name__ == "__main__":
    folder, modules, where = map(Path, sys.argv[1:4])
    sys.exit(main(folder, modules, where, *sys.argv[4:5]))
