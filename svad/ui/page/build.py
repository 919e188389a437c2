"""The page: its parts, put together with what they call."""

from __future__ import annotations

import gradio as gr

from svad.export.viewer_page import VIEWING
from svad.splat.rasterisers import rasteriser
from svad.ui import texts
from svad.ui.api import add_endpoints
from svad.ui.events import Events
from svad.ui.page.blocks import Page
from svad.ui.page.making import making_column
from svad.ui.page.plain import html
from svad.ui.page.showing import showing_column
from svad.ui.page.wiring import wire
from svad.ui.panels import visit
from svad.ui.parts import Given, Parts
from svad.ui.result_view import make_sheet
from svad.ui.schemas import keep_configs
from svad.ui.studio import Studio


def build_page(studio: Studio) -> gr.Blocks:
    """The whole page, ready for `launch(**launch_options(studio))`."""
    gr.set_static_paths([VIEWING, studio.settings.examples.resolve()])
    settings = studio.settings
    first = next(iter(studio.examples.values()), None)
    sheet = make_sheet(first, studio.shelf, settings.keep_hours)
    every = 600, int(settings.keep_hours * 3600)
    page = Page(title=texts.PAGE_TITLE, analytics_enabled=False, delete_cache=every)
    with page:
        html(visit.header(settings.hosted, rasteriser()), elem_id="top")
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="make", scale=4, min_width=320):
                making = making_column(studio, sheet.key)
            with gr.Column(elem_id="result", scale=8, min_width=320):
                showing = showing_column(studio, first, sheet)
        parts = Parts(
            **making,
            **showing,
            job=gr.State(""),
            given=gr.State(Given()),
            following=gr.State(""),
            shown=gr.State(sheet.key),
        )
        add_endpoints(studio)  # first: they have their names, and the page's own callbacks others
        wire(page, parts, Events(studio, parts))
    keep_configs(page)
    page.queue(max_size=settings.waiting, default_concurrency_limit=settings.waiting)
    return page
