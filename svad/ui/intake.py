"""How much one request may bring: more is refused before it fills memory or disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from gradio.utils import get_upload_folder
from starlette.formparsers import MultiPartException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from svad.ui import texts
from svad.ui.callers import CallerError, Callers
from svad.ui.headers import App, Message, Receive, Send

UPLOAD = "/gradio_api/upload"
WORDS = 2**20  # bytes of a request that brings no files; what the page sends takes some thousand
FORM = 2**20  # bytes of names and marks around the files of an upload
ROOM = 2.5e8  # bytes of the disk that uploads leave to the avatars


class Intake:
    """Refuses requests that bring more than their kind needs.

    What comes is counted, since a length can be missing or made up. gradio reads whatever is no
    upload into memory, whole and however long it is. An upload that is too large, or whose sender
    hangs up, is ended as a form that is wrong: gradio then removes what it has written of it.
    Plain ASGI.
    """

    def __init__(self, app: App, megabytes: int, callers: Callers) -> None:
        self.app = app
        self._megabytes = megabytes  # of the files of an upload, together
        self._callers = callers

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].rstrip("/").endswith(UPLOAD):
            await self._files(scope, receive, send)
        else:
            await self._words(scope, receive, send)

    async def _files(self, scope: Message, receive: Receive, send: Send) -> None:
        if _room() < ROOM:
            await PlainTextResponse(texts.UPLOADS_FULL, 507)(scope, receive, send)  # type: ignore[arg-type]
            return
        try:
            with self._callers.upload(HTTPConnection(scope)) as came:
                await self._bounded(scope, receive, send, came)
        except CallerError as error:
            await PlainTextResponse(str(error), 429)(scope, receive, send)  # type: ignore[arg-type]

    async def _bounded(
        self, scope: Message, receive: Receive, send: Send, came: Callable[[int], None]
    ) -> None:
        left, more = self._megabytes * 2**20 + FORM, True

        async def counted() -> Message:
            nonlocal left, more
            message = await receive()
            if more and message["type"] == "http.disconnect":
                raise MultiPartException(texts.UPLOAD_CUT)
            more = more and message.get("more_body", False)
            left -= len(message.get("body", b""))
            came(len(message.get("body", b"")))
            if left < 0:
                raise MultiPartException(texts.UPLOAD_LARGE.format(limit=self._megabytes))
            return message

        await self.app(scope, counted, send)

    async def _words(self, scope: Message, receive: Receive, send: Send) -> None:
        come, size = [await receive()], 0
        while come[-1]["type"] == "http.request":
            size += len(come[-1].get("body", b""))
            if size > WORDS:
                answer = PlainTextResponse(texts.CALL_LARGE, 413)
                await answer(scope, receive, send)  # type: ignore[arg-type]
                return
            if not come[-1].get("more_body"):
                break
            come.append(await receive())

        async def again() -> Message:
            return come.pop(0) if come else await receive()

        await self.app(scope, again, send)


def _room() -> float:
    """Bytes that are free where uploads go; what is wrong with that folder is told elsewhere."""
    try:
        return shutil.disk_usage(get_upload_folder()).free
    except OSError:
        return ROOM
