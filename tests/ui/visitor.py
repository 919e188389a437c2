"""Hands and eyes on the page in a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import cv2
import numpy as np

from tests import waiting
from tests.waiting import WAIT

PAUSE = 0.05  # s between two looks at a page, each of which is work for four processes


def until(found: Callable[[], Any], seconds: float = WAIT) -> Any:
    """Waits until `found` gives something true, and gives that."""
    from selenium.common.exceptions import StaleElementReferenceException

    def looked() -> Any:
        try:
            return found()
        except StaleElementReferenceException:
            return None  # the page was just drawing it anew

    return waiting.until(looked, seconds, PAUSE)


def lively(browser: Any) -> None:
    """As for most people: videos and avatars move by themselves, in pages opened from now on."""
    features = [{"name": "prefers-reduced-motion", "value": "no-preference"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


class Visitor:
    """Hands and eyes on the page."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser = browser
        browser.get(url)
        until(lambda: self.all("#photo input[type=file]"))
        until(lambda: self.browser.execute_script("return document.readyState") == "complete")

    def all(self, css: str) -> list[Any]:
        return self.browser.find_elements("css selector", css)

    def text(self, css: str) -> str:
        return " ".join(one.text for one in self.all(css))

    def says(self, css: str, words: str, seconds: float = WAIT) -> bool:
        return until(lambda: words in self.text(css), seconds)

    def press(self, css: str) -> None:
        button = until(lambda: [b for b in self.all(css) if b.is_displayed() and b.is_enabled()])[0]
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        until(lambda: not self.browser.execute_script("return document.hidden"))
        button.click()

    def drop(self, *files: Path) -> None:
        """Drops files in place of what lies there."""
        if close := self.all("#photo button[aria-label='Clear']"):
            close[0].click()
            until(lambda: not self.all("#photo button[aria-label='Clear']"))
        self.add(*files)

    def add(self, *files: Path) -> None:
        """Drops files beside what lies there."""
        place = until(lambda: self.all("#photo input[type=file]"))[0]
        place.send_keys("\n".join(map(str, files)))

    def drop_and_see(self, files: Path | tuple[Path, ...], css: str, words: str) -> bool:
        """Drops a photo, or other files, and waits for what the page says of it."""
        self.drop(*([files] if isinstance(files, Path) else files))
        return self.says(css, words)

    def open_tab(self, name: str) -> None:
        tabs = self.all("#tabs button[role=tab]")
        next(tab for tab in tabs if tab.text == name).click()
        # in the frame after a tab is first drawn gradio sets its parts to what the server last said
        frames = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame("
        self.browser.execute_async_script(f"{frames}() => setTimeout(done)));")

    def playing(self, css: str) -> bool:
        script = (
            "const v = document.querySelector(arguments[0]);"
            "return v && !v.paused && v.currentTime > 0 && v.videoWidth > 0;"
        )
        return until(lambda: self.browser.execute_script(script, css))

    def drawn(self) -> np.ndarray:
        """Waits for the 3D view and gives a picture of it, [H, W, 3] uint8."""
        frame = until(lambda: self.all("iframe.viewer"))[0]
        self.browser.switch_to.frame(frame)
        until(lambda: self.all("body.ready"))
        self.browser.switch_to.default_content()
        png = until(lambda: self.all("iframe.viewer"))[0].screenshot_as_png
        return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]

    def hosts(self) -> set[str]:
        """Every host a request went to."""
        events = [json.loads(e["message"])["message"] for e in self.browser.get_log("performance")]
        urls = [
            e["params"]["request"]["url"]
            for e in events
            if e["method"] == "Network.requestWillBeSent"
        ]
        return {urlparse(url).hostname for url in urls if url.startswith(("http", "ws"))}
