"""Colours, fonts and words of the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from svad.export.viewer_page import VIEWING
from svad.ui import texts
from svad.ui.page import launch
from svad.ui.theme import STONE, TEAL, make_theme

HERE = Path(launch.__file__).parent
TEXT = ("ink", "quiet", "accent", "good", "warn", "bad")
GROUND = ("card", "soft")


def luminance(color: str) -> float:
    """Relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = color.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palette(selector: str) -> dict[str, str]:
    css = (HERE / "style.css").read_text()
    block = re.search(rf"^{re.escape(selector)} {{(.*)}}$", css, re.M).group(1)
    return dict(re.findall(r"--([\w-]+): (#\w+);", block))


@pytest.mark.parametrize(("selector", "page"), [(":root, .dark", STONE.c50), (".dark", STONE.c950)])
def test_all_words_can_be_read(selector: str, page: str):
    colors = palette(selector)
    grounds = [page, *(colors[name] for name in GROUND)]
    for name in TEXT:
        for ground in grounds:
            assert contrast(colors[name], ground) >= 4.5, (name, ground)
    assert contrast(colors["on-accent"], colors["accent"]) >= 4.5
    assert contrast("#ffffff", TEAL.c600) >= 4.5  # the buttons


def test_nothing_is_fetched_from_elsewhere():
    own = [*HERE.glob("*.css"), *HERE.glob("*.js"), *VIEWING.iterdir()]
    assert len(own) >= 7
    for path in own:
        assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", path.read_text()), path.name
    theme = make_theme()
    assert not theme._stylesheets and "fonts.googleapis" not in theme._get_theme_css()


def test_words_reach_the_script_as_text():
    script = launch.page_script(25, 300)
    assert json.dumps(texts.TOO_LARGE) in script and "LIMIT_MB" not in script
