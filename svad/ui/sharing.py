"""Links for others: they show an avatar without its photo, unless its owner wants that.

Such a link holds a digest of the job's id: who has it cannot find the id, which opens everything.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from svad.run.job_store import ID
from svad.ui import texts
from svad.ui.gallery import BACKDROP, Finished

SIZE = (1200, 630)  # px, what Open Graph's readers show whole
PRIVATE = {"cache-control": "no-store", "x-robots-tag": "noindex"}
Find = Callable[[str], Finished | None]  # by token


def token_of(job_id: str) -> str:
    """The word by which others see a job's avatar; 128 bits that say nothing of the id."""
    digest = hashlib.sha256(f"share {job_id}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def job_of(root: Path, token: str) -> str | None:
    """The id of the job that a token belongs to, or None."""
    names = os.listdir(root) if root.is_dir() and ID.fullmatch(token) else []
    return next((name for name in names if ID.fullmatch(name) and token_of(name) == token), None)


def picture(front: Path) -> bytes:
    """The share picture (JPEG) of a transparent render: the whole figure before a plain wall."""
    wall = Image.new("RGB", SIZE, BACKDROP)
    with Image.open(front) as file:
        figure = file.convert("RGBA")
    figure = figure.crop(figure.getbbox())
    figure.thumbnail((SIZE[0] - 60, SIZE[1] - 60), Image.Resampling.LANCZOS)
    place = (SIZE[0] - figure.width) // 2, (SIZE[1] - figure.height) // 2
    wall.paste(figure, place, figure)
    box = io.BytesIO()
    wall.save(box, "JPEG", quality=88)
    return box.getvalue()


def routes(find: Find) -> list[Route]:
    """What a shared link serves: a page with Open Graph's words, a picture, a looping clip."""

    def shared(request: Request) -> Finished | None:
        return find(request.path_params["token"])

    def page(request: Request) -> Response:
        if shared(request) is None:
            return HTMLResponse(_gone(), 404, PRIVATE)
        return HTMLResponse(_page(request.path_params["token"], _base(request)), headers=PRIVATE)

    def still(request: Request) -> Response:
        found = shared(request)
        if found is None or found.front is None:
            return Response(status_code=404)
        return Response(picture(found.front), media_type="image/jpeg", headers=PRIVATE)

    def clip(request: Request) -> Response:
        found = shared(request)
        if found is None or found.turntable is None:
            return Response(status_code=404)
        return FileResponse(found.turntable, media_type="video/mp4", headers=PRIVATE)

    rows: list[tuple[str, Any]] = [("", page), ("/picture.jpg", still), ("/clip.mp4", clip)]
    return [Route(f"/share/{{token}}{end}", serve) for end, serve in rows]


def _base(request: Request) -> str:
    """The address others reach this server by; a Space says its own."""
    host = os.environ.get("SPACE_HOST", "")
    return f"https://{host}/" if host else str(request.base_url)


def _page(token: str, base: str) -> str:
    address = f"{base}share/{token}"
    facts = {
        "og:type": "website",
        "og:title": texts.SHARE_TITLE,
        "og:description": texts.SHARE_ABOUT,
        "og:url": address,
        "og:image": f"{address}/picture.jpg",
        "og:image:width": str(SIZE[0]),
        "og:image:height": str(SIZE[1]),
        "og:image:alt": texts.SHARE_TITLE,
        "og:video": f"{address}/clip.mp4",
        "og:video:type": "video/mp4",
    }
    words = "".join(
        f'<meta property="{name}" content="{escape(value)}">' for name, value in facts.items()
    )
    there = f"../?avatar={token}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(texts.SHARE_TITLE)}</title>{words}"
        f'<meta name="twitter:card" content="summary_large_image">'
        f'<meta http-equiv="refresh" content="0; url={there}"></head>'
        f'<body><p><a href="{there}">{escape(texts.SHARE_OPEN)}</a></p></body></html>'
    )


def _gone() -> str:
    return f'<!doctype html><html lang="en"><title>SVAD</title><p>{escape(texts.SHARE_GONE)}</p>'
