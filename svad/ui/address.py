"""Where the page opens: a port that is free, and a look at it that goes through no proxy."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from svad.core.errors import SettingError

PORT, PORTS = 7860, 65535
TRIED = 100  # ports from the wanted one on
VARIABLE, HOST = "GRADIO_SERVER_PORT", "GRADIO_SERVER_NAME"
COUNTS = (
    *("GRADIO_NUM_PORTS", "GRADIO_NODE_NUM_PORTS", "GRADIO_NODE_SERVER_PORT", "GRADIO_DEBUG"),
    *("GRADIO_NUM_WORKERS", "GRADIO_DEFAULT_CONCURRENCY_LIMIT"),
)
ROOT_PATH = "GRADIO_ROOT_PATH"
ROOTS = ("/", "http://", "https://")  # with which a path behind a proxy begins
NONE = {("GRADIO_DEFAULT_CONCURRENCY_LIMIT", "none")}  # words that gradio takes in their place


def wanted_port(environ: Mapping[str, str]) -> int:
    """The port that the person asked for, or the usual one; raises `SettingError` for no number.

    So do other numbers that gradio reads from the environment when it is imported, and a path
    behind a proxy that is none.
    """
    root = environ.get(ROOT_PATH, "")
    if root and not root.startswith(ROOTS):
        raise SettingError(
            f"The environment variable {ROOT_PATH} must be the path under which a proxy shows the "
            f"page, such as /svad, or its whole address, not {root[:40]!r}."
        )
    for name in COUNTS:
        if name in environ and (name, environ[name].lower()) not in NONE:
            _number(name, environ[name], 0)
    return _number(VARIABLE, environ[VARIABLE], 1) if VARIABLE in environ else PORT


def wanted_host(environ: Mapping[str, str], hosted: bool) -> str:
    """The address to listen on: all on a Space, this computer alone elsewhere.

    GRADIO_SERVER_NAME says otherwise, as in a container, which has to listen to its host. Raises
    `SettingError` for one that this machine does not have.
    """
    host = environ.get(HOST, "")
    if not host:
        return "0.0.0.0" if hosted else "127.0.0.1"
    try:
        with socket.socket() as probe:  # of IPv4, as gradio looks for a free port
            probe.bind((host, 0))
    except (OSError, UnicodeError) as error:
        raise SettingError(
            f"The environment variable {HOST} must be an address of this machine, such as 0.0.0.0 "
            f"for all of its networks or 127.0.0.1 for itself alone, not {host[:40]!r}."
        ) from error
    return host


def free_port(wanted: int, host: str) -> int:
    """The wanted port, or the next one that is free; the wanted one if none is, to fail there."""
    ports = range(wanted, min(wanted + TRIED, PORTS + 1))
    return next((port for port in ports if _is_free(port, host)), wanted)


@contextmanager
def no_proxies() -> Iterator[None]:
    """Without the environment's proxies: gradio looks at the page on this computer through them.

    For the start alone; a download that follows finds them where they were.
    """
    names = [name for name in os.environ if name.lower().endswith("_proxy")]
    kept = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(kept)


def _is_free(port: int, host: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return True  # a low port: that this user may not open it is said when it is tried
        except OSError:
            return False
    return True


def _number(name: str, text: str, low: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= PORTS:
        raise SettingError(
            f"The environment variable {name} must be a whole number from {low} to {PORTS}, "
            f"not {text[:40]!r}. For another port: {VARIABLE}=7861 make demo"
        )
    return number
