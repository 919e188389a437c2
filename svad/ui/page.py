"""The page: its parts, their places, and which callback each of them calls."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from svad.config import BUILT_IN, PHOTO_PRESETS
from svad.export.viewer_page import VIEWING
from svad.media.containers import VIDEO_SUFFIXES
from svad.media.opening import SUFFIXES as HEIF_SUFFIXES
from svad.motion.readers.formats import SUFFIXES as MOTION_SUFFIXES
from svad.run.bodies import bodies_here
from svad.splat.rasterisers import rasteriser
from svad.ui import panels, stages, texts
from svad.ui.api import add_endpoints
from svad.ui.events import Events, motion_choices
from svad.ui.explain import explain
from svad.ui.exporting import export_choices
from svad.ui.gallery import Finished
from svad.ui.headers import SecurityHeaders
from svad.ui.offering import offer_panel
from svad.ui.parts import Given, Parts
from svad.ui.result_view import PAIR_HEIGHT, Sheet, make_sheet
from svad.ui.schemas import keep_schemas
from svad.ui.sharing import routes
from svad.ui.shooting import filming_options
from svad.ui.studio import Studio
from svad.ui.theme import make_theme

log = logging.getLogger(__name__)

HUB = "https://huggingface.co"  # which shows a Space in a frame
HERE = Path(__file__).parent
PACKAGE = str(HERE.parent)
SESSIONS = 500  # visits whose state is kept, of pages that are closed too; gradio would take 10000
PRESS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-pick]');
  if (button) trigger('click', { pick: button.dataset.pick });
});
"""


def html(value: str, **settings: Any) -> gr.HTML:
    """HTML that only our own style sheet styles."""
    return gr.HTML(value, apply_default_css=False, **settings)


def build_page(studio: Studio) -> gr.Blocks:
    """The whole page, ready for `launch(**launch_options(studio))`."""
    gr.set_static_paths([VIEWING, studio.settings.examples.resolve()])
    settings = studio.settings
    first = next(iter(studio.examples.values()), None)
    sheet = make_sheet(first, studio.shelf, settings.keep_hours)
    every = 600, int(settings.keep_hours * 3600)
    page = Page(title=texts.PAGE_TITLE, analytics_enabled=False, delete_cache=every)
    with page:
        html(panels.header(settings.hosted, rasteriser()), elem_id="top")
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="make", scale=4, min_width=320):
                left = _left(studio, sheet.key)
            with gr.Column(elem_id="result", scale=8, min_width=320):
                right = _right(studio, first, sheet)
        parts = Parts(
            **left,
            **right,
            job=gr.State(""),
            given=gr.State(Given()),
            following=gr.State(""),
            shown=gr.State(sheet.key),
        )
        add_endpoints(studio)  # first: they have their names, and the page's own callbacks others
        _wire(page, parts, Events(studio, parts))
    keep_schemas(page)
    page.queue(max_size=settings.waiting, default_concurrency_limit=settings.waiting)
    return page


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


def first_view_files(page: gr.Blocks) -> frozenset[str]:
    """Cached files that every new visitor is shown first; they must not be cleaned away."""
    kept = (getattr(block, "keep_in_cache", ()) for block in page.blocks.values())
    return frozenset(str(path) for paths in kept for path in paths)


def launch_options(studio: Studio) -> dict[str, Any]:
    """What `launch` needs besides the address."""
    style = (HERE / "style.css").read_text("utf-8")
    # Not `js`: that runs when everything is drawn, after the first things a visitor may have done.
    settings = studio.settings
    script = page_script(settings.upload_megabytes, settings.clip_megabytes)
    largest = max(settings.upload_megabytes, settings.clip_megabytes)
    return {
        "theme": make_theme(),
        "head": f"<style>{style}</style><script>({script})();</script>",
        "max_file_size": f"{largest}mb",
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "app_kwargs": {
            "middleware": [Middleware(SecurityHeaders)],
            "routes": routes(studio.shared),
        },
        "state_session_capacity": SESSIONS,
        "mcp_server": has_mcp(),
        "share": False,
        "pwa": False,
        "quiet": True,
    }


def has_mcp() -> bool:
    """Whether the package is here with which models of others call the endpoints as tools."""
    try:
        import mcp.server  # noqa: F401
    except ImportError:  # absent, or it does not go with another package
        log.warning(texts.MCP_OFF)
        return False
    return True


def page_script(upload_megabytes: int, clip_megabytes: int) -> str:
    """The page's script with its few words and numbers put in."""
    script = (HERE / "page.js").read_text("utf-8")
    for name, value in (
        ("LIMIT_MB", upload_megabytes),
        ("HUB_PAGE", HUB),
        ("CLIP_MB", clip_megabytes),
        ("CLIP_TOO_LARGE", texts.TOO_LARGE_CLIP),
        ("TOO_LARGE", texts.TOO_LARGE),
        ("BAD_PHOTO", texts.BAD_PHOTO),
        ("BAD_CLIP", texts.BAD_CLIP),
        ("ADD_WORDS", texts.ADD),
        ("DROP_WORDS", [texts.DROP, texts.DROP_MORE, texts.CHOOSE]),
    ):
        script = script.replace(name, json.dumps(value).replace("<", "\\u003c"))
    return script.strip()


# By name, too, since many browsers do not know the kind of these files.
VIDEOS = ["video", *sorted(VIDEO_SUFFIXES)]
PICTURES = ["image", *HEIF_SUFFIXES, ".avif", *VIDEOS]


def _left(studio: Studio, shown: str) -> dict[str, Any]:
    """Photo, check, buttons, status, examples."""
    html(panels.last(), elem_id="last")
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
    check = html(panels.tips(), elem_id="check")
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
    with gr.Row(elem_id="press"):
        create = gr.Button(texts.CREATE, variant="primary", interactive=False, elem_id="create")
        stop = gr.Button(texts.STOP, visible=False, min_width=110, scale=0, elem_id="stop")
    status = html("", elem_id="status")
    resume = gr.Button(texts.RESUME, variant="primary", visible=False, elem_id="resume")
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
    html(panels.terms(studio.settings.keep_hours))
    mark = html(panels.mark(""), elem_id="mark")
    with gr.Row(elem_id="delete-row"):
        delete = gr.Button(texts.DELETE, visible=False, size="sm", elem_id="delete")
        sure = gr.Button(texts.DELETE_SURE, visible=False, size="sm", elem_id="sure")
    choices = panels.examples(studio.examples, shown, studio.shelf)
    examples = html(choices, js_on_load=PRESS, elem_id="examples")
    return dict(
        photo=photo,
        check=check,
        preset=preset,
        body=body,
        body_note=body_note,
        offer=offered,
        accept=accept,
        fetch=fetch,
        halt=halt,
        create=create,
        stop=stop,
        status=status,
        resume=resume,
        better=better,
        improve=improve,
        more=more,
        mark=mark,
        delete=delete,
        sure=sure,
        examples=examples,
    )


def _right(studio: Studio, first: Finished | None, sheet: Sheet) -> dict[str, Any]:
    """The finished avatar, its motions, the steps."""
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
    with gr.Tabs(selected="avatar", elem_id="tabs") as tabs:
        with gr.Tab(texts.TAB_AVATAR, id="avatar"), gr.Row(elem_id="screens"):
            video = html(sheet.video, elem_id="turntable")
            viewer = html(sheet.viewer, elem_id="viewer")
        with gr.Tab(texts.TAB_MOTION, id="motion"):
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
        with gr.Tab(texts.TAB_COMPARE, id="compare"):
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
            no_compare = html(panels.hint(texts.NO_COMPARE), visible=pair is None)
            side = html("", elem_id="side")
        with gr.Tab(texts.TAB_STEPS, id="steps"):
            steps = html(stages.step_list((), studio.shelf.url), elem_id="steps")
        with gr.Tab(texts.TAB_FILES, id="files"):
            files = html(sheet.files, elem_id="files")
            photo_too = gr.Checkbox(
                label=texts.SHARE_PHOTO, visible=False, container=False, elem_id="photo-too"
            )
            export = gr.Radio(export_choices(), label=texts.EXPORT_PICK, elem_id="exports")
            exported = html("", elem_id="exported")
    return dict(
        heading=heading,
        download=download,
        versions=versions,
        tabs=tabs,
        video=video,
        viewer=viewer,
        compare=compare,
        no_compare=no_compare,
        side=side,
        motion=motion,
        follow=follow,
        follow_stop=follow_stop,
        motion_video=motion_video,
        filming=options,
        steps=steps,
        files=files,
        photo_too=photo_too,
        export=export,
        exported=exported,
    )


def _wire(page: gr.Blocks, p: Parts, events: Events) -> None:
    """Which callback belongs to which event. All of them are internal to the page."""
    everything = [part for part in vars(p).values() if part is not p.filming]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    raw = {"preprocess": False}  # decoding would fail on bad files before we can say why
    kind = [p.preset, p.offer, p.accept, p.fetch, p.steps, p.better, p.improve, p.more]
    p.photo.change(
        events.look,
        [p.photo, p.given, p.job, p.preset],
        [
            p.job,
            p.given,
            p.create,
            p.check,
            p.status,
            p.photo,
            p.mark,
            p.delete,
            p.sure,
            p.resume,
            *kind,
        ],
        trigger_mode="always_last",
        **raw,
        **quiet,
    )
    p.photo.change(
        events.interrupt,
        [p.photo, p.given],
        None,
        trigger_mode="multiple",
        queue=False,  # now, while the look is running
        **raw,
        **quiet,
    )
    fetching = [p.offer, p.accept, p.fetch, p.halt, p.preset]
    p.preset.change(events.choose, p.preset, [*fetching, p.steps], **quiet)
    p.body.change(panels.body_note, p.body, p.body_note, **quiet)
    p.fetch.click(events.fetch, [p.preset, p.accept], fetching, **quiet)
    p.halt.click(events.halt, None, p.halt, queue=False, **quiet)
    created = p.create.click(events.create, [p.job, p.preset, p.body], everything, **quiet)
    p.stop.click(events.stop, p.job, p.stop, queue=False, **quiet)
    resumed = p.resume.click(events.resume, [p.job, p.body], everything, **quiet)
    improved = p.improve.click(events.improve, [p.job, p.body], everything, **quiet)
    for run in (created, resumed, improved):
        run.then(events.cost, p.preset, p.offer, **quiet)
    p.more.upload(events.add, [p.more, p.job, p.body], everything, **raw, **quiet)
    p.versions.input(events.pick_version, p.versions, everything, **quiet)
    p.delete.click(events.ask_delete, None, [p.delete, p.sure], **quiet)
    p.sure.click(events.delete, [p.job, p.shown], everything, **quiet)
    p.photo_too.input(events.share_photo, [p.shown, p.photo_too], p.status, **quiet)
    p.examples.click(events.pick, None, everything, **quiet)
    p.motion.input(
        events.move,
        [p.motion, p.shown, *p.filming],
        p.motion_video,
        trigger_mode="always_last",
        **raw,
        **quiet,
    )
    changed = [part.upload if isinstance(part, gr.File) else part.input for part in p.filming]
    gr.on(
        changed,
        events.film_anew,
        [p.motion, p.shown, *p.filming],
        p.motion_video,
        trigger_mode="always_last",
        **raw,
        **quiet,
    )
    p.export.input(
        events.export, [p.export, p.shown], p.exported, trigger_mode="always_last", **quiet
    )
    moved = [p.following, p.follow, p.follow_stop, p.motion, p.motion_video]
    p.follow.upload(events.follow_clip, [p.follow, p.shown, *p.filming], moved, **raw, **quiet)
    p.follow_stop.click(events.halt_follow, p.following, p.follow_stop, queue=False, **quiet)
    page.load(events.arrive, None, everything, **quiet)
