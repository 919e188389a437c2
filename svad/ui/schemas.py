"""What gradio asks of every component for each new session, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import gradio as gr


def keep_configs(page: gr.Blocks) -> None:
    """Lets the page's components tell their properties, and upload buttons their schemas, as now.

    Each call of a program is a session, and gradio works them out anew for it in the one thread
    that answers everybody: some ten milliseconds or more, for which all visitors wait.
    """
    for block in page.blocks.values():
        if isinstance(block, gr.UploadButton):
            setattr(block, "api_info", _again(block.api_info()))  # noqa: B010
        setattr(block, "get_config", _again(block.get_config()))  # noqa: B010


def _again(told: Any) -> Callable[..., Any]:
    """A function that tells the same each time; whoever asks may change what he gets."""
    return lambda *_: deepcopy(told)
