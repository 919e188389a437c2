"""What a request brings is bounded, whatever it says of its length; uploads leave no halves."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from svad.ui import callers as module
from svad.ui import intake, texts
from svad.ui.callers import HOUR, CallerError, Callers
from svad.ui.intake import UPLOAD, WORDS, Intake
from tests.waiting import WAIT, until

FORM = "multipart/form-data; boundary=mark"
SENDER = SimpleNamespace(headers={"x-forwarded-for": "8.8.8.8"}, client=None)
HUNG_UP = 0, ""  # on who was still sending
EVERYBODY = Callers(0, 0)
HEAD = b'--mark\r\nContent-Disposition: form-data; name="files"; filename="holiday.png"\r\n\r\n'


def sent(
    parts: list[bytes],
    path: str = "/gradio_api/queue/join",
    callers: Callers = EVERYBODY,
    address: str = "8.8.8.8",
) -> tuple[int, bytes, int]:
    """Status, what the application got, and how many parts were taken, of a request in parts."""
    got, status, left = [b""], [0], list(parts)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            got[0] += message["body"]
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Any) -> None:
        status[0] = message.get("status", status[0])

    scope = {"type": "http", "path": path, "headers": [], "client": (address, 80)}
    asyncio.run(Intake(app, 1, callers)(scope, receive, send))
    return status[0], got[0], len(parts) - len(left)


def test_words_pass_whole_and_too_many_are_not_read() -> None:
    assert sent([b""]) == (200, b"", 1)
    assert sent([b"a" * (WORDS - 1), b"b"]) == (200, b"a" * (WORDS - 1) + b"b", 2)
    assert sent([bytes(WORDS), b"b", b"c", b"d"]) == (413, b"", 2)


def test_uploads_of_one_caller_are_bounded_over_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    callers, half = Callers(1, 9, gigabytes=0.001), [bytes(250_000)] * 2
    for _ in range(2):
        assert sent(half, UPLOAD, callers)[0] == 200
    assert sent(half, UPLOAD, callers) == (429, b"", 0)  # it is not even read
    assert sent(half, UPLOAD, callers, "8.8.4.4")[0] == 200
    assert sent(half, "/gradio_api/call/status", callers)[0] == 200  # what brings no files passes
    now[0] = HOUR + 1
    assert sent(half, UPLOAD, callers)[0] == 200
    assert sent(3 * half, UPLOAD, EVERYBODY)[0] == 200  # on a computer of one's own


def test_of_one_caller_so_many_uploads_come_at_a_time() -> None:
    callers = Callers(2, 9, gigabytes=1)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(callers.upload(SENDER))
        with pytest.raises(CallerError, match="2 uploads of yours"), callers.upload(SENDER):
            raise AssertionError("a third came")
    with callers.upload(SENDER):  # they have come
        pass


@pytest.fixture
def page(make_studio, launch, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The address of a page that takes two megabytes, and what lies in its cache."""
    monkeypatch.setattr(intake, "FORM", 1000)
    link = urlsplit(launch(make_studio(upload_megabytes=1, clip_megabytes=2)))
    before = {path for path in cache.rglob("*") if path.is_file()}

    def left() -> set[Path]:
        return {path for path in cache.rglob("*") if path.is_file()} - before

    def connect() -> http.client.HTTPConnection:
        return http.client.HTTPConnection(str(link.hostname), link.port, timeout=WAIT)

    return SimpleNamespace(connect=connect, left=left)


def post(page: Any, path: str, body: bytes, kind: str) -> tuple[int, str]:
    link = page.connect()
    try:
        link.request("POST", path, body, {"Content-Type": kind})
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    except ConnectionError:
        return HUNG_UP
    finally:
        link.close()


def test_an_upload_is_bounded_over_all_of_its_files(page) -> None:
    one = HEAD + bytes(900_000) + b"\r\n"
    status, text = post(page, UPLOAD, 2 * one + b"--mark--\r\n", FORM)
    assert status == 200
    until(lambda: {str(path) for path in page.left()} == set(json.loads(text)))  # twice the same
    large = post(page, UPLOAD, 3 * one + b"--mark--\r\n", FORM)
    assert large in ((413, texts.UPLOAD_LARGE.format(limit=2)), HUNG_UP)
    until(lambda: len(page.left()) == 1)


def test_a_sender_who_hangs_up_leaves_nothing(page, capfd: pytest.CaptureFixture) -> None:
    link = page.connect()
    link.putrequest("POST", UPLOAD)
    link.putheader("Content-Type", FORM)
    link.putheader("Content-Length", "1000000")
    link.endheaders(HEAD + bytes(100_000))
    until(page.left)
    link.close()
    until(lambda: not page.left())
    assert "Traceback" not in capfd.readouterr().err


def test_a_full_disk_takes_no_uploads(page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=intake.ROOM - 1))
    told = post(page, UPLOAD, HEAD + b"x\r\n--mark--\r\n", FORM)
    assert told in ((507, texts.UPLOADS_FULL), HUNG_UP) and not page.left()
    assert sent([HEAD], UPLOAD) == (507, b"", 0)  # it is not even read


def test_a_call_of_many_megabytes_is_a_sentence(page) -> None:
    many = json.dumps({"data": ["x" * 3 * WORDS]}).encode()
    for path in ("/gradio_api/call/status", "/gradio_api/cancel"):
        assert post(page, path, many, "application/json") in ((413, texts.CALL_LARGE), HUNG_UP)
