"""Starts the page: folders, address, warming up, cleaning."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import threading
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from svad.compute.device import on_zero
from svad.compute.engine import dispatcher
from svad.config.presets import PRESETS
from svad.core.certificates import require_certificates
from svad.core.errors import SvadError
from svad.core.places import private_folder
from svad.run.makers.networks import preload
from svad.run.offers import offer
from svad.run.stages import STAGES
from svad.ui.address import free_port, no_proxies, wanted_host, wanted_port

if TYPE_CHECKING:
    import gradio as gr

    from svad.ui.studio import Studio

ROOT = Path(__file__).resolve().parents[2]
PER_VISITOR = "SVAD_PER_VISITOR"  # how many things one visitor may have made at once; 0 = any
EVERY = 600  # seconds between two rounds of the janitors
GRACE = 2  # seconds the first request gets before warming up takes the processor

log = logging.getLogger(__name__)


def fetch_at_start() -> None:
    """Fetches what the owner asked for with SVAD_FETCH; nothing otherwise."""
    from svad.ui import fetching

    if os.environ.get(fetching.FETCH):
        fetching.fetch_at_start()


def serve(examples: Path = ROOT / "examples") -> None:
    """Serves the page until Ctrl-C: on this computer only, or to all on a Space."""
    hosted = "SPACE_ID" in os.environ
    try:
        # before gradio is imported, which reads the same
        require_certificates(os.environ)
        wanted, private = wanted_port(os.environ), private_folder()
    except SvadError as error:
        sys.exit(f"svad: {error}")
    # Uploads and whatever the page shows; read by gradio when it is imported.
    os.environ.setdefault("GRADIO_TEMP_DIR", str(private / "page"))
    if on_zero():
        fetch_at_start()  # before the networks are put on the GPU, and that before the page opens
        ready_for_zero()
    with no_proxies():  # gradio is imported here, and looks for them then, too
        studio, page = _open(private, examples, hosted, wanted)
    print(f"The page is open on {page.local_url}", flush=True)
    if not on_zero():
        threading.Thread(target=fetch_at_start, daemon=True).start()
    threading.Thread(target=warm_up, args=(studio,), daemon=True).start()
    from svad.ui.page.launch import first_view_files

    threading.Thread(target=clean, args=(studio, first_view_files(page)), daemon=True).start()
    page.block_thread()


def _open(private: Path, examples: Path, hosted: bool, wanted: int) -> tuple[Studio, gr.Blocks]:
    """Builds the page and launches it on the wanted port or the next free one."""
    from svad.ui.engine import Settings
    from svad.ui.page.build import build_page
    from svad.ui.page.launch import launch_options
    from svad.ui.studio import Studio

    settings = Settings(jobs=private / "jobs", examples=examples, hosted=hosted)
    if own := os.environ.get(PER_VISITOR, ""):
        if not own.isdecimal():
            sys.exit(f"svad: {PER_VISITOR} is a whole number, 0 for no limit; it is {own[:40]!r}.")
        settings = replace(settings, per_visitor=int(own))
    studio = Studio(settings)
    try:
        host = wanted_host(os.environ, hosted)
        page = build_page(studio)
    except SvadError as error:
        sys.exit(f"svad: {error}")
    port = wanted if hosted else free_port(wanted, host)
    if port != wanted:
        print(f"Port {wanted} is taken; the page opens on port {port}.", flush=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # gradio speaks of its MCP server first
            page.launch(
                server_name=host,
                server_port=port,
                prevent_thread_lock=True,
                inbrowser=not hosted and has_screen(),
                **launch_options(studio),
            )
    except ValueError as error:  # what gradio finds when it looks at the page it has opened
        sys.exit(
            f"svad: The page does not answer where it should ({str(error).partition('.')[0]}). "
            "Look at GRADIO_ROOT_PATH and at other variables whose names begin with GRADIO, and "
            "whether a firewall keeps this computer from itself."
        )
    except OSError as error:
        sys.exit(
            f"The page could not be opened on port {port} ({error}). If something else uses the "
            "port, choose another: GRADIO_SERVER_PORT=7861 make demo"
        )
    return studio, page


def ready_for_zero() -> None:
    """What a ZeroGPU Space wants before the page is launched.

    The decorated function must exist, and networks that every run of an offered preset needs are
    put on the GPU here: the platform streams them to each worker.
    """
    dispatcher()
    try:
        for preset in PRESETS.values():
            if offer(preset).ready:
                preload(preset)
    except SvadError:  # a wrong file; the preview needs none, and a run will say what is wrong
        log.exception("The networks could not be loaded before the start")


def has_screen() -> bool:
    """Whether somebody sits in front of this computer, so that a browser may be opened."""
    if not sys.stdout.isatty():
        return False
    return sys.platform != "linux" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())


def warm_up(studio: Studio) -> None:
    """Loads and compiles what the first visitor would otherwise wait for."""
    time.sleep(GRACE)
    begin = time.monotonic()
    try:
        engine = studio.engine()
        from svad.splat import render_cpu

        render_cpu.warm_up()
        for row in STAGES:
            row.code()
        with contextlib.suppress(ImportError):
            import_module("matplotlib.pyplot")  # as gradio does in the first event, before all else
        photo = next((one.photo for one in studio.examples.values() if one.photo), None)
        if photo is not None:
            engine.pipeline.look(photo)
    except Exception:
        log.exception("Warming up failed; the first visitor will wait longer")
    log.info("warm after %.1f s", time.monotonic() - begin)


def clean(studio: Studio, keep: frozenset[str]) -> None:
    """Removes what is older than the page promises, now and every ten minutes."""
    time.sleep(GRACE)
    from gradio.utils import get_upload_folder

    from svad.run.job_store import start_janitor
    from svad.ui.files import sweep

    age = studio.settings.keep_hours * 3600
    most = int(studio.settings.keep_gigabytes * 1e9)
    start_janitor(studio.engine().store, EVERY, age, most)
    while True:
        try:
            sweep(Path(get_upload_folder()), age, keep, most)
        except OSError:
            log.exception("The page's cache could not be cleaned")  # the next round may do better
        time.sleep(EVERY)
