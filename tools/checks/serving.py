"""A server on this computer for browsers and downloads that hang up when they have enough."""

from __future__ import annotations

import http.server
import sys
from typing import Any


class Server(http.server.ThreadingHTTPServer):
    """Says nothing of a line that the other side has cut, which is no error; of others it does."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An answer was not sent to its end."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
