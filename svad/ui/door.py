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
    for a step of each. A place is kept only up to the first byte of the answer: whoever follows an
    event for minutes is in nobody's way. Slow senders are not either, as long as `Intake` stands
    before this and passes whole requests on. Plain ASGI, for one event loop.
    """

    def __init__(self, app: App, at_once: int = AT_ONCE) -> None:
        self.app = app
        self._places = asyncio.Semaphore(at_once)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not any(word in scope["path"] for word in QUEUED):
            await self.app(scope, receive, send)
            return
        await self._places.acquire()
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._places.release()

        async def answered(message: Message) -> None:
            leave()
            await send(message)

        try:
            await self.app(scope, receive, answered)
        finally:
            leave()
