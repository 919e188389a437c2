"""Optional: the .vrm is loaded by three-vrm in a headless browser, blinks and waves.

Needs node packages in a folder of your own, Chromium, chromedriver and selenium:

    npm install --prefix FOLDER three @pixiv/three-vrm
    python -m tools.checks.vrm OUT FOLDER PICTURE.png

Prints how many of the 15 required bones it finds and which expressions; the picture shows the
avatar at rest, with its eyes closed, and with an arm up. Look at it.
"""

from __future__ import annotations

import functools
import http.server
import io
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from svad.run.export import export
from tools.checks.serving import Server

PATIENCE = 240  # seconds; a software renderer is slow
FLAGS = (
    *("--headless=new", "--no-sandbox", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--window-size=420,720", "--hide-scrollbars"),
)
PAGE = """<!doctype html><body style="margin:0"><script type="importmap">
{"imports": {"three": "/node_modules/three/build/three.module.js",
 "three/addons/": "/node_modules/three/examples/jsm/",
 "@pixiv/three-vrm": "/node_modules/@pixiv/three-vrm/lib/three-vrm.module.js"}}</script>
<script type="module">
import * as THREE from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { VRMLoaderPlugin } from '@pixiv/three-vrm';
const REQUIRED = ['hips', 'spine', 'head', ...['left', 'right'].flatMap((side) =>
  ['UpperArm', 'LowerArm', 'Hand', 'UpperLeg', 'LowerLeg', 'Foot'].map((bone) => side + bone))];
window.told = {};
window.addEventListener('unhandledrejection', (e) => { told.error = String(e.reason); });
const renderer = new THREE.WebGLRenderer({ preserveDrawingBuffer: true });
renderer.setSize(400, 640);
document.body.append(renderer.domElement);
const scene = new THREE.Scene();
scene.background = new THREE.Color(0x88aacc);
const camera = new THREE.PerspectiveCamera(30, 400 / 640, 0.1, 20);
const loader = new GLTFLoader();
loader.register((parser) => new VRMLoaderPlugin(parser));
const { vrm } = (await loader.loadAsync('/avatar.vrm')).userData;
scene.add(vrm.scene);
const bones = REQUIRED.filter((name) => vrm.humanoid.getNormalizedBoneNode(name));
window.show = (expression, arm, near) => {
  vrm.expressionManager.expressions.forEach((e) => { e.weight = 0; });
  if (expression) vrm.expressionManager.setValue(expression, 1);
  vrm.humanoid.getNormalizedBoneNode('leftUpperArm').rotation.z = arm;
  vrm.update(0);
  const head = vrm.humanoid.getRawBoneNode('head').getWorldPosition(new THREE.Vector3());
  const at = near ? head.clone().add(new THREE.Vector3(0, 0.06, 0)) : new THREE.Vector3(0, 0.9, 0);
  camera.position.copy(at).add(new THREE.Vector3(0, 0, near ? 0.9 : 4.2));
  camera.lookAt(at);
  renderer.render(scene, camera);
  return true;
};
window.told.bones = bones.length;
window.told.expressions = Object.keys(vrm.expressionManager.expressionMap);
window.told.name = vrm.meta.name;
</script>"""
# expression, turn of the left arm in radians, whether the head alone is looked at
VIEWS = (
    *(("", 0.0, False), ("", 0.0, True), ("blink", 0.0, True)),
    *(("aa", 0.0, True), ("", 1.2, False)),
)


def main(out: Path, packages: Path, picture: Path) -> int:
    """Prints what was found and writes the picture; 1 where something is missing."""
    with tempfile.TemporaryDirectory() as place:
        made = out if out.suffix == ".vrm" else export(out, "vrm", Path(place))
        told, shots = shown(made, packages / "node_modules")
    Image.fromarray(np.concatenate(shots, 1)).save(picture)
    print(f"{told['name']}: {told['bones']} of 15 bones, expressions {told['expressions']}")
    changed = [float(np.abs(shots[1].astype(int) - shot).mean()) for shot in shots[2:4]]
    print(f"a blink and an aa change the face by {changed[0]:.2f} and {changed[1]:.2f} of 255")
    return int(told["bones"] < 15 or min(changed) < 0.05)


def shown(
    vrm: Path, modules: Path
) -> tuple[dict, list[np.ndarray]]:  # what the page says; [H, W, 3] uint8 for each of `VIEWS`
    """A .vrm as three-vrm shows it, from a folder `node_modules`."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copy(vrm, folder / "avatar.vrm")
        (folder / "index.html").write_text(PAGE, encoding="utf-8")
        (folder / "node_modules").symlink_to(modules.resolve())
        handler = functools.partial(_Quiet, directory=place)
        with Server(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                return _looked_at(f"http://127.0.0.1:{server.server_port}/")
            finally:
                server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:
        pass


def _looked_at(address: str) -> tuple[dict, list[np.ndarray]]:
    """What the page says of the avatar, and a picture for each of `VIEWS`."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    # The path is given: selenium would otherwise look for a driver on the net.
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        browser.set_script_timeout(PATIENCE)
        browser.get(address)
        end = time.monotonic() + PATIENCE
        while not (told := browser.execute_script("return window.told") or {}).get("bones"):
            if told.get("error") or time.monotonic() > end:
                raise RuntimeError(told.get("error") or "the page did not load the avatar in time")
            time.sleep(0.5)
        shots = []
        for view in VIEWS:
            browser.execute_script("return window.show(...arguments)", *view)
            png = browser.find_element("css selector", "canvas").screenshot_as_png
            shots.append(np.asarray(Image.open(io.BytesIO(png)).convert("RGB")))
        return told, shots
    finally:
        browser.quit()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
