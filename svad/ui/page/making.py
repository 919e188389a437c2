"""The left column of the page: what is sent, what is made of it, and its progress."""

from __future__ import annotations

from typing import Any

import gradio as gr

from svad.config.preset import BUILT_IN
from svad.config.presets import PHOTO_PRESETS
from svad.run.bodies import bodies_here
from svad.ui import texts
from svad.ui.inputs import PICTURES
from svad.ui.offering import offer_panel
from svad.ui.page.plain import html
from svad.ui.panels import uploads, visit
from svad.ui.studio import Studio

PRESS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-pick]');
  if (button) trigger('click', { pick: button.dataset.pick });
});
"""


def making_column(studio: Studio, shown: str) -> dict[str, Any]:
    """Fills the column; its parts by their names in `Parts`. `shown`: the key of the first avatar.

    The parts stand on the page in the order in which they are made here.
    """
    html(visit.last(), elem_id="last")
    parts = _pictures() | _choices(studio) | _run() | _better()
    html(visit.terms(studio.settings.keep_hours))
    return parts | _own_job() | _examples(studio, shown)


def _pictures() -> dict[str, Any]:
    """Where pictures are put, and what was understood of them."""
    photo = gr.Gallery(
        file_types=PICTURES,
        label=texts.PHOTO,
        show_label=False,
        sources=["upload", "clipboard"],
        height=400,
        columns=2,
        object_fit="contain",
        allow_preview=False,
        buttons=[],
        interactive=True,
        elem_id="photo",
    )
    return {"photo": photo, "check": html(uploads.tips(), elem_id="check")}


def _choices(studio: Studio) -> dict[str, Any]:
    """Preset and body, what the preset gives, and its files."""
    preset = gr.Radio(
        [(preset.title, name) for name, preset in PHOTO_PRESETS.items()],
        value=studio.settings.preset,
        label=texts.QUALITY,
        container=False,
        elem_id="presets",
    )
    bodies = bodies_here()
    body = gr.Radio(
        [(texts.BODIES[name], name) for name in bodies],
        value=BUILT_IN,
        label=texts.BODY,
        container=False,
        visible=len(bodies) > 1,
        elem_id="bodies",
    )
    body_note = html("", elem_id="body-note")
    offered = html(offer_panel(studio.settings.preset, studio.settings), elem_id="offer")
    accept = gr.Checkbox(label=texts.ACCEPT_TERMS, visible=False, elem_id="accept")
    with gr.Row(elem_id="fetch-row"):
        fetch = gr.Button(texts.FETCH_HERE, visible=False, elem_id="fetch")
        halt = gr.Button(texts.FETCH_STOP, visible=False, elem_id="halt")
    return {
        **{"preset": preset, "body": body, "body_note": body_note},
        **{"offer": offered, "accept": accept, "fetch": fetch, "halt": halt},
    }


def _run() -> dict[str, Any]:
    """What begins a run, stops it and goes on with it."""
    with gr.Row(elem_id="press"):
        create = gr.Button(texts.CREATE, variant="primary", interactive=False, elem_id="create")
        stop = gr.Button(texts.STOP, visible=False, min_width=110, scale=0, elem_id="stop")
    status = html("", elem_id="status")
    resume = gr.Button(texts.RESUME, variant="primary", visible=False, elem_id="resume")
    return {"create": create, "stop": stop, "status": status, "resume": resume}


def _better() -> dict[str, Any]:
    """What would make more of a finished avatar."""
    better = html("", elem_id="better")
    with gr.Row(elem_id="better-row"):
        improve = gr.Button(visible=False, size="md", elem_id="improve")
        more = gr.UploadButton(
            texts.MORE,
            file_types=PICTURES,
            file_count="multiple",
            visible=False,
            size="md",
            elem_id="more",
        )
    return {"better": better, "improve": improve, "more": more}


def _own_job() -> dict[str, Any]:
    """The visitor's own job: its mark for the script, and how it is deleted."""
    mark = html(visit.mark(""), elem_id="mark")
    with gr.Row(elem_id="delete-row"):
        delete = gr.Button(texts.DELETE, visible=False, size="sm", elem_id="delete")
        sure = gr.Button(texts.DELETE_SURE, visible=False, size="sm", elem_id="sure")
    return {"mark": mark, "delete": delete, "sure": sure}


def _examples(studio: Studio, shown: str) -> dict[str, Any]:
    choices = visit.examples(studio.examples, shown, studio.shelf)
    return {"examples": html(choices, js_on_load=PRESS, elem_id="examples")}
