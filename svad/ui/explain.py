"""What went wrong, in a sentence for the visitor."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

from svad.core.errors import SvadError
from svad.core.files import output_error
from svad.ui import texts

log = logging.getLogger(__name__)


def explain(error: Exception) -> str:
    """A sentence for the visitor; what nobody expected is logged under a code."""
    if isinstance(error, SvadError):
        return str(error)
    if isinstance(error, OSError) and output_error(error, Path()) is not None:
        return texts.NO_WRITE if isinstance(error, PermissionError) else texts.NO_SPACE
    code = secrets.token_hex(3)
    log.error("Unexpected error, code %s", code, exc_info=error)
    return texts.UNEXPECTED.format(code=code)
