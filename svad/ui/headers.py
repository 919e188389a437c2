"""What every answer of the page tells the browser not to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

HEADERS = {
    "x-content-type-options": "nosniff",  # an upload is never run as what it is not
    "referrer-policy": "no-referrer",  # the address holds the job's id, by which it can be seen
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    # The Hub shows Spaces in a frame of its own; nobody else may put buttons over ours.
    "content-security-policy": "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
}


class SecurityHeaders:
    """Puts `HEADERS` on every answer that does not carry them already.

    Plain ASGI: answers that come in parts, such as progress, pass as they are.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                have = {name.lower() for name, _ in message.get("headers", ())}
                ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                more = [pair for pair in ours if pair[0] not in have]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        await self.app(scope, receive, marked if scope["type"] == "http" else send)
