"""Headers of every answer, of whole ones and of those that come in parts."""

from __future__ import annotations

import asyncio
from typing import Any

from svad.ui.headers import HEADERS, SecurityHeaders
from svad.ui.page.launch import launch_options


def answered(kind: str, headers: list[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
    """What an application's answer becomes."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": f"{kind}.response.start", "status": 200, "headers": headers})
        await send({"type": f"{kind}.response.body", "body": b"a", "more_body": True})
        await send({"type": f"{kind}.response.body", "body": b"b"})

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(SecurityHeaders(app)({"type": kind}, None, send))
    return sent


def test_every_answer_carries_them_once() -> None:
    own = (b"Referrer-Policy", b"same-origin")
    start, *parts = answered("http", [(b"content-type", b"text/html"), own])
    names = [name.lower().decode() for name, _ in start["headers"]]
    assert sorted(names) == sorted({"content-type", *HEADERS}) and own in start["headers"]
    assert [part["body"] for part in parts] == [b"a", b"b"]
    assert "no-referrer" in HEADERS["referrer-policy"]  # the job's id stands in the address


def test_what_is_no_answer_passes(make_studio) -> None:
    assert answered("websocket", [])[0]["headers"] == []
    entries = launch_options(make_studio())["app_kwargs"]["middleware"]
    assert entries[0].cls is SecurityHeaders  # outermost: on every answer
