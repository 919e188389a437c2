"""The viewer as one page that needs no server: scripts joined, style and avatar inside."""

from __future__ import annotations

import base64
import re
from html import escape
from pathlib import Path

from svad.core.files import write_text
from svad.export.context import ExportContext

VIEWING = Path(__file__).parent / "viewing"  # the viewer's own files, also served as they are
TITLE = "An avatar that moves"
# A module after those it imports from; the worker is a script of its own.
SCRIPTS = (
    *("download", "cloud", "splats", "rig", "skeleton", "motion", "sliders", "puppet"),
    *("shaders", "draw", "order", "camera", "input", "stage", "panel", "viewer"),
)
WORKER = "sort"
IMPORT = re.compile(r'^import {([^}]*)} from "\./(\w+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def write_viewer_page(context: ExportContext, path: Path) -> None:
    """The page with the avatar of `context` in it."""
    write_text(path, viewer_page(context.viewer_rig, TITLE))


def viewer_page(rig: bytes, title: str) -> str:
    """The page as text. It opens from the disk, asks for nothing, and runs nothing from outside."""
    page = _text("index.html").replace("<title>3D view", f"<title>{escape(title)}")
    page = page.replace('<html lang="en">', '<html lang="en" class="alone">')
    data = base64.b64encode(rig).decode("ascii")
    parts = (
        f'<script type="text/plain" id="sorter">{_script(WORKER)}</script>\n'
        f'<script type="text/plain" id="avatar">{data}</script>\n'
        f'<script type="module">\n{joined()}</script>\n'
    )
    style = f"<style>\n{_text('viewer.css')}</style>"
    page = page.replace('<link rel="stylesheet" href="viewer.css">', style)
    page = page.replace('<script type="module" src="viewer.js"></script>\n', "")
    return page.replace("</body>", f"{parts}</body>")


def joined() -> str:
    """All modules as one script: each in a function of its own, so that names do not meet."""
    return "".join(map(_wrapped, SCRIPTS))


def _wrapped(name: str) -> str:
    given = ", ".join(_exports(name))
    return f"const module_{name} = (() => {{\n{_script(name)}return {{ {given} }};\n}})();\n"


def _script(name: str) -> str:
    """One module as a part of a script in a page."""
    text = IMPORT.sub(r"const {\1} = module_\2;\n", _text(f"{name}.js"))
    return EXPORT.sub(r"\1", text).replace("</script", "<\\/script")


def _exports(name: str) -> list[str]:
    return [found[2] for found in EXPORT.finditer(_text(f"{name}.js"))]


def _text(name: str) -> str:
    return (VIEWING / name).read_text(encoding="utf-8")
