"""A small stand-in for the Hub on 127.0.0.1: repositories, commits, large files, faults."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

from svad.weights.manifest import Entry
from tests.waiting import WAIT
from tools.checks.serving import Server

COMMIT = "c0ffee" + "0" * 34
PAGE = b"<!doctype html><title>Sign in</title>"
LARGE = 1000  # bytes; such files are redirected to the store of large files, as on the Hub


@dataclass
class Hub:
    """What the server serves, how it fails, and what it was asked."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)  # repo -> file -> content
    gated: set[str] = field(default_factory=set)
    cuts: list[int] = field(default_factory=list)  # bytes after which the next answers break off
    busy: list[int] = field(default_factory=list)  # HTTP states of the next answers
    busy_store: list[int] = field(default_factory=list)  # the same, for large files' bytes only
    lies: dict[str, bytes] = field(default_factory=dict)  # sent instead of a file's true content
    plain: dict[str, bytes] = field(default_factory=dict)  # files on a page of their authors
    moved: dict[str, str] = field(default_factory=dict)  # path -> where it sends on to
    stalls: list[int] = field(default_factory=list)  # bytes after which answers go silent
    silent: set[int] = field(default_factory=set)  # ports of those to whom it has gone silent
    wait: str = ""  # Retry-After of busy answers
    ended: threading.Event = field(default_factory=threading.Event)  # silent answers may end
    api: Callable[[str, str, bytes], tuple[int, object]] | None = None  # of accounts
    ranges: bool = True  # whether it can go on in the middle of a file
    log: list[tuple[str, str, str, str]] = field(default_factory=list)  # method, path, Range, token
    url: str = ""
    store: str = ""  # address of the store of large files

    def sent(self, method: str = "GET") -> list[tuple[str, str]]:
        """Path and Range of the requests for large files' bytes."""
        return [(p, r) for m, p, r, _ in self.log if m == method and p.startswith("/store/")]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Keeps the test output clean."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_POST(self) -> None:
        self._account(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    do_DELETE = do_POST

    def _account(self, sent: bytes = b"") -> None:
        token = self.headers.get("Authorization", "")
        self.hub.log.append((self.command, unquote(self.path), "", token))
        if self.hub.busy:
            return self._send(self.hub.busy.pop(0), {"Retry-After": self.hub.wait})
        if self.hub.api is None or token != "Bearer good":
            return self._send(401, {"X-Error-Message": "who are you"})
        state, value = self.hub.api(self.command, unquote(self.path).partition("?")[0], sent)
        head = {"Content-Type": "application/json"}
        head |= {"X-Error-Code": "RepoNotFound"} if state == 404 else {}
        value = {"error": value} if isinstance(value, str) else value
        self._send(state, head, json.dumps(value).encode())

    def _answer(self, *, body: bool) -> None:
        if self.path.startswith("/api/"):
            return self._account()
        asked, token = self.headers.get("Range", ""), self.headers.get("Authorization", "")
        self.hub.log.append((self.command, unquote(self.path), asked, token))
        if self.hub.busy:
            return self._send(self.hub.busy.pop(0), {"Retry-After": self.hub.wait})
        if self.path in self.hub.moved:
            return self._send(302, {"Location": self.hub.moved[self.path]})
        if self.path.startswith("/login"):
            return self._send(200, {"Content-Type": "text/html; charset=utf-8"}, PAGE, body)
        parts = unquote(self.path).strip("/").split("/")
        if parts[0] == "store" and self.hub.busy_store:
            return self._send(self.hub.busy_store.pop(0), {"Retry-After": self.hub.wait})
        if parts[0] == "store":
            return self._bytes("/".join(parts[1:3]), "/".join(parts[3:]), asked, body)
        if parts[0] == "plain":
            there = parts[1] in self.hub.plain
            return self._bytes("plain", parts[1], asked, body) if there else self._send(404, {})
        repo, revision, file = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
        if repo not in self.hub.files:
            return self._send(401, {"X-Error-Code": "RepoNotFound"})
        if repo in self.hub.gated and token != "Bearer good":
            return self._send(401 if not token else 403, {"X-Error-Code": "GatedRepo"})
        if revision not in ("main", COMMIT):
            return self._send(404, {"X-Error-Code": "RevisionNotFound"})
        if file not in self.hub.files[repo]:
            return self._send(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        content, head = self.hub.files[repo][file], {"X-Repo-Commit": COMMIT}
        if len(content) >= LARGE:
            head |= {"X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{sha256(content)}"'}
            return self._send(302, head | {"Location": f"{self.hub.store}/store/{repo}/{file}"})
        head["ETag"] = f'"{blob_id(content)}"'
        self._send(200, head, self.hub.lies.get(file, content), body)

    def _bytes(self, repo: str, file: str, asked: str, body: bool) -> None:
        files = self.hub.plain if repo == "plain" else self.hub.files[repo]
        content = self.hub.lies.get(file, files[file])
        part = asked if asked and self.hub.ranges else ""
        first, _, last = part.removeprefix("bytes=").partition("-")
        start, end = int(first or 0), int(last or len(content) - 1)
        if start >= len(content):
            return self._send(416, {"Content-Range": f"bytes */{len(content)}"})
        head = {"Accept-Ranges": "bytes"}
        if part:
            head["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        whole = asked != "bytes=0-0"  # the first byte alone is a question, not the file
        cut = self.hub.cuts.pop(0) if self.hub.cuts and whole else None
        stall = self.hub.stalls.pop(0) if self.hub.stalls and whole else None
        self._send(206 if part else 200, head, content[start : end + 1], body, cut, stall)

    def _send(
        self,
        state: int,
        head: dict,
        content: bytes = b"",
        body: bool = True,
        cut: int | None = None,
        stall: int | None = None,
    ) -> None:
        self.send_response(state)
        for name, value in (head | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content[: cut if stall is None else stall])
        if stall is not None:
            self.wfile.flush()
            self.hub.silent.add(self.client_address[1])
            self.hub.ended.wait(WAIT)
        if cut is not None or stall is not None:
            self.close_connection = True


def serve() -> tuple[Hub, list[Server]]:
    """A running Hub and its store of large files, which has an address of its own."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    servers = [Server(("127.0.0.1", 0), handler) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    hub.url, hub.store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    return hub, servers


def sha256(data: bytes) -> str:
    """As the Hub names large files."""
    return hashlib.sha256(data).hexdigest()


def blob_id(data: bytes) -> str:
    """As git names small files."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry(**values: object) -> Entry:
    """An entry of a manifest, with what a test does not care about filled in."""
    usual = {
        "name": "net",
        "stage": "pose",
        "file": "net.onnx",
        "format": "onnx",
        "license": "MIT",
        "license_url": "https://example.org/licence",
        "terms": "be kind",
        "gate": "none",
        "required_for": ("quick",),
        "repo": "some/repo",
    }
    return Entry(**(usual | values))
