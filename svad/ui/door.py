"""Requests for the queue one after the other, so that the page never stands in line behind them."""

from __future__ import annotations

import asyncio

from svad.ui.headers import App, Message, Receive, Send

# what begins an event or follows one; answers that take long pass
QUEUED = ("/gradio_api/call/", "/gradio_api/queue/join")
AT_ONCE = 1  # that are being begun; each has a few milliseconds of the one event loop


class Door:
    """Lets in so many requests for the queue at a time; all others pass at once.

    Requests that come together would be taken up together: a visitor who opens the page then waits
    for a step of each. A place is kept only from a request's last byte to the first of its answer,
    so that neither a slow sender nor one who follows an event for minutes is in the others' way.
    Plain ASGI, for one event loop.
    """

    def __init__(self, app: App, at_once: int = AT_ONCE) -> None:
        self.app = app
        self._places = asyncio.Semaphore(at_once)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not any(word in scope["path"] for word in QUEUED):
            await self.app(scope, receive, send)
            return
        come = await _whole(receive)
        await self._places.acquire()
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._places.release()

        async def again() -> Message:
            return come.pop(0) if come else await receive()

        async def answered(message: Message) -> None:
            leave()
            await send(message)

        try:
            await self.app(scope, again, answered)
        finally:
            leave()


async def _whole(receive: Receive) -> list[Message]:
    """All messages of a request's body, or those up to where its sender hung up."""
    come = [await receive()]
    while come[-1]["type"] == "http.request" and come[-1].get("more_body"):
        come.append(await receive())
    return come
