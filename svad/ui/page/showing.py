"""The right column of the page: the finished avatar, its motions, steps and files."""

from __future__ import annotations

from typing import Any

import gradio as gr

from svad.motion.readers.formats import SUFFIXES as MOTION_SUFFIXES
from svad.ui import stages, texts
from svad.ui.events import motion_choices
from svad.ui.exporting import export_choices
from svad.ui.gallery import Finished
from svad.ui.inputs import VIDEOS
from svad.ui.page.plain import html
from svad.ui.panels import notes
from svad.ui.result_view import PAIR_HEIGHT, Sheet
from svad.ui.shooting import filming_options
from svad.ui.studio import Studio


def showing_column(studio: Studio, first: Finished | None, sheet: Sheet) -> dict[str, Any]:
    """Fills the column with the avatar of `sheet`; its parts by their names in `Parts`.

    The parts stand on the page in the order in which they are made here.
    """
    parts = _head(sheet)
    with gr.Tabs(selected="avatar", elem_id="tabs") as tabs:
        with gr.Tab(texts.TAB_AVATAR, id="avatar"), gr.Row(elem_id="screens"):
            parts["video"] = html(sheet.video, elem_id="turntable")
            parts["viewer"] = html(sheet.viewer, elem_id="viewer")
        with gr.Tab(texts.TAB_MOTION, id="motion"):
            parts |= _motion(first, sheet)
        with gr.Tab(texts.TAB_COMPARE, id="compare"):
            parts |= _compare(sheet)
        with gr.Tab(texts.TAB_STEPS, id="steps"):
            parts["steps"] = html(stages.step_list((), studio.shelf.url), elem_id="steps")
        with gr.Tab(texts.TAB_FILES, id="files"):
            parts |= _files(sheet)
    return parts | {"tabs": tabs}


def _head(sheet: Sheet) -> dict[str, Any]:
    """Whose avatar it is, its archive, and the avatars of one job."""
    with gr.Row(elem_id="head"):
        heading = html(sheet.heading, elem_id="heading")
        download = gr.DownloadButton(
            texts.DOWNLOAD,
            value=None if sheet.archive is None else str(sheet.archive),
            interactive=sheet.archive is not None,
            variant="primary",
            elem_id="download",
            min_width=210,
            scale=0,
        )
    versions = gr.Radio(
        [], label=texts.VERSIONS, container=False, visible=False, elem_id="versions"
    )
    return {"heading": heading, "download": download, "versions": versions}


def _motion(first: Finished | None, sheet: Sheet) -> dict[str, Any]:
    """Bundled motions, those of a visitor's clip or file, and how they are filmed."""
    motion = gr.Radio(
        motion_choices(first), label=texts.MOTION_PICK, container=False, elem_id="motions"
    )
    with gr.Row(elem_id="follow-row"):
        follow = gr.UploadButton(
            texts.FOLLOW,
            file_types=[*VIDEOS, *MOTION_SUFFIXES, ".fbx"],  # of which we say what to do
            interactive=first is not None and first.movable,
            size="md",
            scale=0,
            min_width=190,
            elem_id="follow",
        )
        follow_stop = gr.Button(
            texts.FOLLOW_STOP, visible=False, scale=0, min_width=110, elem_id="follow-stop"
        )
        html(f'<p class="terms">{texts.FOLLOW_HINT}</p>')
    options = filming_options()
    motion_video = html(sheet.motion, elem_id="motion-video")
    return {
        **{"motion": motion, "follow": follow, "follow_stop": follow_stop},
        **{"filming": options, "motion_video": motion_video},
    }


def _compare(sheet: Sheet) -> dict[str, Any]:
    """The photo against the avatar, and the avatars of one job beside each other."""
    pair = None if sheet.pair is None else (str(sheet.pair[0]), str(sheet.pair[1]))
    compare = gr.ImageSlider(
        pair,
        label=texts.COMPARE,
        show_label=False,
        interactive=False,
        buttons=[],
        visible=pair is not None,
        elem_id="compare",
        max_height=PAIR_HEIGHT,
        width=f"min(100%, {sheet.pair_width}px)",
    )
    html(f'<p class="terms">{texts.COMPARE_HINT}</p>')
    no_compare = html(notes.hint(texts.NO_COMPARE), visible=pair is None)
    return {"compare": compare, "no_compare": no_compare, "side": html("", elem_id="side")}


def _files(sheet: Sheet) -> dict[str, Any]:
    """The files that were made, and those that are made when asked for."""
    files = html(sheet.files, elem_id="files")
    photo_too = gr.Checkbox(
        label=texts.SHARE_PHOTO, visible=False, container=False, elem_id="photo-too"
    )
    export = gr.Radio(export_choices(), label=texts.EXPORT_PICK, elem_id="exports")
    exported = html("", elem_id="exported")
    return {"files": files, "photo_too": photo_too, "export": export, "exported": exported}
