"""A server whose callers hang up."""

from __future__ import annotations

import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from tests.waiting import WAIT
from tools.checks.serving import Server


class Handler(BaseHTTPRequestHandler):
    """Sends without end, or fails."""

    ended = threading.Event()

    def do_GET(self) -> None:
        try:
            if self.path == "/wrong":
                raise ValueError("This is one of ours.")
            while True:
                self.wfile.write(bytes(10_000))
        finally:
            self.ended.set()


@pytest.mark.parametrize(("path", "told"), [("/file", False), ("/wrong", True)])
def test_only_what_is_wrong_here_is_told(
    path: str, told: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    Handler.ended.clear()
    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False  # so that closing waits for what it has to say
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with socket.create_connection(("127.0.0.1", server.server_port)) as line:
            line.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            line.recv(100)
            # a reset instead of a farewell, as of a browser that is ended
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert Handler.ended.wait(WAIT)
        server.shutdown()
    assert ("Exception occurred" in capfd.readouterr().err) == told
