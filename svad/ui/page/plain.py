"""Components that are plain HTML."""

from __future__ import annotations

from typing import Any

import gradio as gr


def html(value: str, **settings: Any) -> gr.HTML:
    """HTML that only our own style sheet styles."""
    return gr.HTML(value, apply_default_css=False, **settings)
