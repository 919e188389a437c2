"""Certificates of servers, where the environment names a person's own: readable, or a sentence."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from svad.core.errors import SettingError
from svad.core.files import in_short

FILE, FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"


def require_certificates(environ: Mapping[str, str]) -> None:
    """Raises `SettingError` for what libraries would fail at when they first open a connection."""
    file, folder = environ.get(FILE), environ.get(FOLDER)
    if not file and not folder:
        return
    try:
        ssl.create_default_context(cafile=file or None, capath=folder or None)
    except OSError as error:  # of a file that holds none, too
        name, value = (FILE, file) if file else (FOLDER, folder)
        raise SettingError(
            f"The environment variable {name} must name certificates of servers that can be read, "
            f"not {in_short(str(value))} ({error.strerror or error}). Unset it for those of the "
            "system."
        ) from error
