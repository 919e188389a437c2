"""The page's blocks: refusals answered with a sentence, and calls of programs forgotten."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import gradio as gr

import svad
from svad.ui import texts
from svad.ui.explain import explain

PACKAGE = str(Path(svad.__file__).parent)


class Page(gr.Blocks):
    """Blocks that answer what gradio itself refuses with a sentence, and forget programs' calls.

    It would otherwise write into the log what was sent: words of jobs, paths, addresses. And it
    keeps what belongs to a session, some hundred kilobytes, for thousands of them, where each call
    of a program is one.
    """

    async def process_api(self, block_fn: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Runs one step of an event; raises `gradio.Error` for whatever goes wrong."""
        goes_on = False
        try:
            output = await super().process_api(block_fn, *arguments, **named)
            goes_on = bool(output.get("is_generating"))
            return output
        except gr.Error:
            raise
        except Exception as error:
            ours = any(frame.filename.startswith(PACKAGE) for frame in inner_frames(error))
            words = explain(error) if ours else texts.BAD_CALL
            raise gr.Error(words, print_exception=False) from error
        finally:
            if not goes_on and getattr(block_fn, "api_visibility", "") == "public":
                self._forget(named.get("session_hash"))

    def _forget(self, session: str | None) -> None:
        """Drops a session: the public endpoints keep nothing in it."""
        holder = getattr(self, "state_holder", None)
        if session and holder is not None:
            holder.session_data.pop(session, None)
            holder.time_last_used.pop(session, None)


def inner_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Where an error came from, without the frame that caught it."""
    return traceback.extract_tb(error.__traceback__)[1:]
