"""What all endpoints share: errors as sentences, whose job it is, files as programs get them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from svad.core.errors import SvadError
from svad.ui import texts
from svad.ui.explain import explain
from svad.ui.gallery import Finished
from svad.ui.studio import Studio


def explained(endpoint: Callable[..., dict]) -> Callable[..., dict]:
    """The endpoint with every error as a sentence."""

    @wraps(endpoint)
    def answer(*arguments: Any) -> dict:
        try:
            return endpoint(*arguments)
        except Exception as error:
            raise gr.Error(explain(error), print_exception=False) from error

    return answer


def streaming(endpoint: Callable[..., Iterator[dict]]) -> Callable[..., Iterator[dict]]:
    """The same for one that streams."""

    @wraps(endpoint)
    def answer(*arguments: Any) -> Iterator[dict]:
        try:
            yield from endpoint(*arguments)
        except Exception as error:
            raise gr.Error(explain(error), print_exception=False) from error

    return answer


def word(name: str, value: Any, example: str) -> str:
    """A text from outside; raises `SvadError` for anything else that JSON can hold."""
    if not isinstance(value, str):
        raise SvadError(texts.WORD_NEEDED.format(name=name, example=example))
    return value


def job_named(studio: Studio, job: Any) -> str:
    """The id of a job that is here; raises `SvadError`."""
    if not isinstance(job, str) or not job:
        raise SvadError(texts.JOB_WORD)
    if studio.is_share(job):
        raise SvadError(texts.JOB_TOKEN)
    return studio.job(job).id


def newest(studio: Studio, job: Any) -> Finished:
    """The newest avatar of a job; raises `SvadError` while there is none."""
    made = studio.versions(job_named(studio, job))
    if not made:
        raise SvadError(texts.LINK_UNFINISHED)
    return made[-1]


def file_data(path: Path) -> dict[str, Any]:
    """A file that the page may show, as gradio hands it to programs."""
    return gr.FileData(path=str(path)).model_dump()
