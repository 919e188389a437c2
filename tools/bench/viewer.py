"""Timings of the page's viewer in headless Chromium: JavaScript a frame, the worker, and memory.

What the graphics card does is left out: here it would be the same processor. All of the order is
sent to it, but only a few Gaussians are drawn.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from svad.export.viewer_page import viewer_page
from svad.export.viewer_rig import viewer_rig_bytes
from svad.types import Avatar
from tools.bench.posing import cloud

COUNT = 340_000  # Gaussians
FRAMES, LONG = 200, 2000  # of the timings, of the memory
PATIENCE = 300  # seconds
FLAGS = (
    *("headless=new", "no-sandbox", "use-angle=swiftshader", "enable-unsafe-swiftshader"),
    *("enable-precise-memory-info", "js-flags=--expose-gc", "window-size=420,640"),
)
# A frame is what the page does between two pictures: the pose, the picture, the order that came.
MEASURE = """
const [frames, done] = arguments, { stage } = avatar;
const times = new Float64Array(frames), worker = new Float64Array(frames);
let spent = 0;
if (!stage.measured) {
  const { arrive } = stage;
  stage.measured = arrive;
  stage.stride = 1;
  stage.arrive = (...given) => {
    const begin = performance.now();
    arrive.apply(stage, given);
    spent += performance.now() - begin;
    stage.drawing.count = Math.min(128, stage.drawing.count);
  };
  stage.choose(stage.rig.motions.find((one) => one.name === 'walk'), true);
  stage.spin(true);
}
const turn = new MessageChannel();
let frame = 0, clock = stage.last, heap = 0;
turn.port1.onmessage = () => {
  if (stage.sorter.busy) return turn.port2.postMessage(0);
  if (frame) { times[frame - 1] = spent; worker[frame - 1] = stage.sorter.took; }
  if (frame === frames) {
    stage.seen = false;
    gc();
    const now = performance.memory.usedJSHeapSize;
    return done({ times: [...times], worker: [...worker], kept: now - heap, heap: now });
  }
  if (!frame) { gc(); heap = performance.memory.usedJSHeapSize; }
  stage.seen = true;
  const begin = performance.now();
  stage.step(clock += 1000 / 60);
  spent = performance.now() - begin;
  stage.seen = false;  // the page's own frames rest meanwhile
  stage.drawing.finish();
  frame++;
  turn.port2.postMessage(0);
};
turn.port2.postMessage(0);
"""


def run() -> Iterator[dict[str, Any]]:
    """Milliseconds of the main thread and of the worker a frame; bytes of the heap over many."""
    if not all(map(shutil.which, ("chromium", "chromedriver"))):
        return
    data = viewer_rig_bytes(lively(COUNT), COUNT)
    yield {"bench": "viewer.file", "gaussians": COUNT, "megabytes": round(len(data) / 1e6, 2)}
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "viewer.html"
        page.write_text(viewer_page(data, "Bench"), encoding="utf-8")
        short, long = _measured(page, Path(place) / "profile")
    for name, times in (("viewer.frame", short["times"]), ("viewer.worker", short["worker"])):
        times.sort()
        yield {
            "bench": name, "gaussians": COUNT, "median_ms": round(times[len(times) // 2], 2),
            "p95_ms": round(times[len(times) * 95 // 100], 2),
        }  # fmt: skip
    yield {
        "bench": "viewer.memory", "frames": LONG, "kept_bytes": long["kept"],
        "heap_megabytes": round(long["heap"] / 1e6, 2),
    }  # fmt: skip


def lively(count: int) -> Avatar:
    """The cloud of the other timings with expressions that move something."""
    still, random = cloud(count), torch.Generator().manual_seed(3)
    dirs = torch.randn(still.expression_dirs.shape, generator=random) * 0.002
    used = torch.rand(dirs.shape[:2], generator=random) < 0.3  # of those that a face has
    return replace(still, expression_dirs=(dirs * used[..., None]).half())


def _measured(page: Path, profile: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `MEASURE` says of a few frames, and of many after them."""
    from selenium import webdriver
    from selenium.webdriver.support.wait import WebDriverWait

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.binary_location = str(shutil.which("chromium"))
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        browser.set_script_timeout(PATIENCE)
        browser.get(page.as_uri())
        ready = "return document.body.classList.contains('ready')"
        WebDriverWait(browser, PATIENCE).until(lambda b: b.execute_script(ready))
        browser.execute_script("avatar.stage.seen = false")
        browser.execute_async_script(MEASURE, FRAMES)  # compiled by then
        short, long = (browser.execute_async_script(MEASURE, n) for n in (FRAMES, LONG))
        return short, long
    finally:
        browser.quit()
