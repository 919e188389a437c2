"""What a request brings is bounded, whatever it says of its length; uploads leave no halves."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from svad.ui import intake, texts
from svad.ui.intake import UPLOAD, WORDS, Intake
from tests.waiting import WAIT, until

FORM = "multipart/form-data; boundary=mark"
HUNG_UP = 0, ""  # on who was still sending
HEAD = b'--mark\r\nContent-Disposition: form-data; name="files"; filename="holiday.png"\r\n\r\n'


def sent(parts: list[bytes], path: str = "/gradio_api/queue/join") -> tuple[int, bytes, int]:
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

    asyncio.run(Intake(app, 1)({"type": "http", "path": path}, receive, send))
    return status[0], got[0], len(parts) - len(left)


def test_words_pass_whole_and_too_many_are_not_read() -> None:
    assert sent([b""]) == (200, b"", 1)
    assert sent([b"a" * (WORDS - 1), b"b"]) == (200, b"a" * (WORDS - 1) + b"b", 2)
    assert sent([bytes(WORDS), b"b", b"c", b"d"]) == (413, b"", 2)


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
