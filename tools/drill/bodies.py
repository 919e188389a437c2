"""Bodies of requests that are too large, lie about their length, or are cut in the middle."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from svad.ui.intake import UPLOAD, WORDS
from tools.drill.server import PATIENCE, Answer, Page

FORM = "multipart/form-data; boundary=mark"
HEAD = b'--mark\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
END = b"\r\n--mark--\r\n"
MARK = b"never-to-be-kept"  # in all of them, so that what stays of one is found
PART = 2**16  # bytes sent at a time
GIVEN_BACK = 30.0  # s that the server may take to remove what it has written of one
WORD_PATHS = ("/gradio_api/call/generate", "/gradio_api/queue/join", "/gradio_api/cancel", "/login")

Attack = Callable[[], tuple[str, str, Answer]]


def attacks(page: Page, megabytes: int, who: str) -> Iterator[Attack]:
    """Endless bodies: of words, of files larger than `megabytes`, and of files that break off."""
    return itertools.cycle(
        (
            *(_words(page, path, who) for path in WORD_PATHS),
            _chunks(page, who),
            _files(page, megabytes, who),
            *(_cut(page, share, who) for share in (0.0, 0.01, 0.5, 0.999)),
            _longer(page, who),
        )
    )


def left(page: Page) -> list[str]:
    """Files in which something of them has stayed; the server has a moment to remove it."""
    end = time.monotonic() + GIVEN_BACK
    while found := [path.name for path in _files_of(page) if _is_marked(path)]:
        if time.monotonic() > end:
            return found
        time.sleep(0.5)
    return []


def _files_of(page: Page) -> Iterator[Path]:
    return (path for path in page.cache.rglob("*") if path.is_file())


def _is_marked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MARK in file.read(PART)
    except OSError:
        return False  # removed this moment


def _words(page: Page, path: str, who: str) -> Attack:
    body = json.dumps({"data": [MARK.decode() * (3 * WORDS // len(MARK))]}).encode()
    return lambda: ("large", f"words to {path}", _sent(page, path, "application/json", who, body))


def _chunks(page: Page, who: str) -> Attack:
    """In parts, so that no length is told before."""
    parts = [HEAD, *[MARK * (PART // len(MARK))] * (3 * WORDS // PART)]
    path = WORD_PATHS[0]
    return lambda: ("large", "words in parts", _sent(page, path, FORM, who, iter(parts)))


def _files(page: Page, megabytes: int, who: str) -> Attack:
    size = (megabytes + 3) * 2**20
    parts = [HEAD, *[MARK * (PART // len(MARK))] * (size // PART), END]
    return lambda: ("large", "files in parts", _sent(page, UPLOAD, FORM, who, iter(parts)))


def _cut(page: Page, share: float, who: str) -> Attack:
    """An upload that ends after a share of what it said it would bring."""
    body = HEAD + MARK * 60_000 + END

    def attack() -> tuple[str, str, Answer]:
        begun = time.monotonic()
        link = http.client.HTTPConnection("127.0.0.1", page.port, timeout=PATIENCE)
        try:
            link.putrequest("POST", UPLOAD)
            for name, value in _headers(FORM, who, len(body)).items():
                link.putheader(name, value)
            link.endheaders(body[: int(share * len(body))])
        except OSError:
            pass
        finally:
            link.close()
        return "cut", f"after {share:g} of it", Answer(0, b"", time.monotonic() - begun)

    return attack


def _longer(page: Page, who: str) -> Attack:
    """One that says less than it brings: what follows must not pass for a request of its own."""
    body = HEAD + MARK + END

    def attack() -> tuple[str, str, Answer]:
        more = _headers(FORM, who, len(HEAD))
        return "cut", "longer than it says", page.ask("POST", UPLOAD, body, more)

    return attack


def _headers(kind: str, who: str, length: int) -> dict[str, str]:
    return {"Content-Type": kind, "X-Forwarded-For": who, "Content-Length": str(length)}


def _sent(page: Page, path: str, kind: str, who: str, body: bytes | Iterator[bytes]) -> Answer:
    """The answer to a body; of parts no length is told."""
    headers = {"Content-Type": kind, "X-Forwarded-For": who}
    return page.answer(lambda link: link.request("POST", path, body, headers))
