"""What gradio asks of every component for each new session, worked out once."""

from __future__ import annotations

from copy import deepcopy
from functools import partial

import gradio as gr


def keep_schemas(page: gr.Blocks) -> None:
    """Lets the page's upload buttons answer with their JSON schemas as they are now.

    Each call of a program is a session, and gradio makes the schemas anew for it in the one thread
    that answers everybody: some ten milliseconds, for which all visitors wait.
    """
    for block in page.blocks.values():
        if isinstance(block, gr.UploadButton):
            setattr(block, "api_info", partial(deepcopy, block.api_info()))  # noqa: B010
