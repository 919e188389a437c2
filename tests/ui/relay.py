"""A line between browser and page that can be cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlparse


class Relay:
    """Passes on what comes to its own port, until it is cut; everything ends with `close`."""

    def __init__(self, url: str) -> None:
        place = urlparse(url)
        self._page = place.hostname, place.port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        self._whole = threading.Event()
        self._whole.set()
        self._open: set[socket.socket] = set()
        self._spawn(self._accept)

    def cut(self) -> None:
        """Ends all connections; new ones are closed at once."""
        self._whole.clear()
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Passes on again what comes from now on."""
        self._whole.set()

    def close(self) -> None:
        """The end."""
        self._server.close()
        self.cut()

    def _spawn(self, work, *arguments: socket.socket) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                browser, _ = self._server.accept()
                if not self._whole.is_set():
                    browser.close()
                    continue
                page = socket.create_connection(self._page)
                self._open |= {browser, page}
                self._spawn(self._pass, browser, page)
                self._spawn(self._pass, page, browser)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
