"""Starts the page: folders, address, warming up, cleaning."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVERY = 600  # seconds between two rounds of the janitors

log = logging.getLogger(__name__)


def serve(examples: Path = ROOT / "examples") -> None:
    """Serves the page until Ctrl-C: on this computer only, or to all on a Space."""
    hosted = "SPACE_ID" in os.environ
    private = private_folder()
    # Uploads and whatever the page shows; read by gradio when it is imported.
    os.environ.setdefault("GRADIO_TEMP_DIR", str(private / "page"))
    from svad.ui.page import build_page, launch_options
    from svad.ui.studio import Settings, Studio

    studio = Studio(Settings(jobs=private / "jobs", examples=examples, hosted=hosted))
    page = build_page(studio)
    page.launch(
        server_name="0.0.0.0" if hosted else "127.0.0.1",
        server_port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
        prevent_thread_lock=True,
        **launch_options(studio),
    )
    print(f"The page is open on {page.local_url}", flush=True)
    threading.Thread(target=warm_up, args=(studio,), daemon=True).start()
    clean = threading.Thread(target=clean_page, args=(studio,), daemon=True)
    clean.start()
    page.block_thread()


def private_folder() -> Path:
    """A folder only this user can read, below the system's folder for temporary files."""
    folder = Path(tempfile.gettempdir()) / f"svad-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        return Path(tempfile.mkdtemp(prefix="svad-"))
    return folder


def warm_up(studio) -> None:
    """Loads what the first visitor would otherwise wait for."""
    begin = time.monotonic()
    try:
        engine = studio.engine()
        one = next(iter(studio.examples.values()), None)
        if one is not None and one.photo is not None:
            engine.pipeline.look(one.photo)
    except Exception:
        log.exception("Warming up failed; the first visitor will wait longer")
    log.info("warm after %.1f s", time.monotonic() - begin)


def clean_page(studio) -> None:
    """Removes what is older than the page promises, now and every ten minutes."""
    from gradio.utils import get_upload_folder

    from svad.jobs import start_janitor
    from svad.ui.files import sweep

    age = studio.settings.keep_hours * 3600
    size = int(studio.settings.keep_gigabytes * 1e9)
    start_janitor(studio.engine().store, EVERY, age, size)
    while True:
        sweep(Path(get_upload_folder()), age)
        time.sleep(EVERY)
