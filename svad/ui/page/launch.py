"""How the page is launched: its script and style, limits, and what gradio is to leave out."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from svad.ui import texts
from svad.ui.door import Door
from svad.ui.headers import SecurityHeaders
from svad.ui.intake import Intake
from svad.ui.sharing import routes
from svad.ui.studio import Studio
from svad.ui.theme import make_theme

log = logging.getLogger(__name__)

HUB = "https://huggingface.co"  # which shows a Space in a frame
HERE = Path(__file__).parent
GROUPS = {  # of choices, by their ids on the page
    "presets": texts.QUALITY,
    "bodies": texts.BODY,
    "motions": texts.MOTION_PICK,
    "versions": texts.VERSIONS,
}
SESSIONS = 500  # visits whose state is kept, of pages that are closed too; gradio would take 10000


def first_view_files(page: gr.Blocks) -> frozenset[str]:
    """Cached files that every new visitor is shown first; they must not be cleaned away."""
    kept = (getattr(block, "keep_in_cache", ()) for block in page.blocks.values())
    return frozenset(str(path) for paths in kept for path in paths)


def launch_options(studio: Studio) -> dict[str, Any]:
    """What `launch` needs besides the address."""
    style = (HERE / "style.css").read_text("utf-8")
    # Not `js`: that runs when everything is drawn, after the first things a visitor may have done.
    settings = studio.settings
    script = page_script(settings.upload_megabytes, settings.clip_megabytes)
    largest = max(settings.upload_megabytes, settings.clip_megabytes)
    return {
        "theme": make_theme(),
        "head": f"<style>{style}</style><script>({script})();</script>",
        "max_file_size": f"{largest}mb",
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "app_kwargs": {
            "middleware": [
                Middleware(SecurityHeaders),
                # before the door, which wants whole requests
                Middleware(Intake, largest, studio.callers),
                Middleware(Door),
            ],
            "routes": routes(studio.shared),
        },
        "state_session_capacity": SESSIONS,
        "mcp_server": has_mcp(),
        "share": False,
        "pwa": False,
        "quiet": True,
    }


def has_mcp() -> bool:
    """Whether the package is here with which models of others call the endpoints as tools."""
    try:
        import mcp.server  # noqa: F401
    except ImportError:  # absent, or it does not go with another package
        log.warning(texts.MCP_OFF)
        return False
    return True


def page_script(upload_megabytes: int, clip_megabytes: int) -> str:
    """The page's script with its few words and numbers put in."""
    script = (HERE / "page.js").read_text("utf-8")
    for name, value in (
        ("LIMIT_MB", upload_megabytes),
        ("HUB_PAGE", HUB),
        ("CLIP_MB", clip_megabytes),
        ("CLIP_TOO_LARGE", texts.TOO_LARGE_CLIP),
        ("TOO_LARGE", texts.TOO_LARGE),
        ("BAD_PHOTO", texts.BAD_PHOTO),
        ("BAD_CLIP", texts.BAD_CLIP),
        ("ADD_WORDS", texts.ADD),
        ("DROP_WORDS", [texts.DROP, texts.DROP_MORE, texts.CHOOSE]),
        ("TOUCH_WORDS", [texts.TAP, texts.DROP_MORE]),
        ("GROUP_NAMES", GROUPS),
    ):
        script = script.replace(name, json.dumps(value).replace("<", "\\u003c"))
    return script.strip()
