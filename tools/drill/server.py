"""A page with tiny stages in a process of its own, for drills; and how to speak to it."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STARTS = 120.0  # s that the page may take to open
PATIENCE = 120.0  # s for an answer
LARGEST = 30  # MB of a clip
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What the page said to one request."""

    status: int  # 0 = the connection was cut
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Page:
    """A page that is being served."""

    port: int
    process: subprocess.Popen
    folder: Path  # of its jobs and its cache
    log: Path  # all it wrote

    @property
    def jobs(self) -> Path:
        """The folder of the jobs."""
        return self.folder / "jobs"

    @property
    def cache(self) -> Path:
        """The folder of uploads and of what the page shows."""
        return self.folder / "cache"

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        """One request; `path` goes as it is, with nothing tidied away."""

        def sent(link: http.client.HTTPConnection) -> None:
            link.putrequest(method, path, skip_accept_encoding=True)
            for name, value in {"Content-Length": str(len(body or b"")), **headers}.items():
                link.putheader(name, value)
            link.endheaders(body or b"")

        return self.answer(sent)

    def answer(self, sent: Callable[[http.client.HTTPConnection], object]) -> Answer:
        """What it says to a request that `sent` sends; status 0 where it hung up on it."""
        begun = time.monotonic()
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            sent(link)
            answer = link.getresponse()
            return Answer(answer.status, answer.read(), time.monotonic() - begun)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, repr(error).encode(), time.monotonic() - begun)
        finally:
            link.close()

    def upload(self, data: bytes, name: str, who: str = "10.0.0.1") -> Answer:
        """Sends a file as a browser does."""
        mark = secrets.token_hex(16)
        told = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "").replace("\n", "")
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{told}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}", "X-Forwarded-For": who}
        return self.ask("POST", "/gradio_api/upload", body, kind)

    def call(self, name: str, data: Any, who: str = "10.0.0.1") -> Answer:
        """Calls an endpoint and waits for its end; the body has all its events."""
        begun = time.monotonic()
        told = {"Content-Type": "application/json", "X-Forwarded-For": who}
        path = f"/gradio_api/call/{name}"
        first = self.ask("POST", path, json.dumps({"data": data}).encode(), told)
        try:
            event = json.loads(first.body)["event_id"]
        except (ValueError, KeyError, TypeError):
            return first
        rest = self.ask("GET", f"{path}/{event}", headers={"X-Forwarded-For": who})
        return Answer(rest.status, rest.body, time.monotonic() - begun)

    def memory(self) -> int:
        """Bytes of memory the process has, of its own and shared."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most that it ever had."""
        return self._status("VmHWM")

    def waits(self) -> dict[str, float]:
        """Seconds that each of its threads has been ready and had no processor; {} where unknown.

        What else runs on the machine makes the page wait so, whatever the page does.
        """
        found = {}
        for thread in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            with suppress(OSError, ValueError, IndexError):  # it has ended
                found[thread.parent.name] = int(thread.read_text().split()[1]) / 1e9
        return found

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        found = [line.split()[1] for line in lines if line.startswith(name)]
        return 1024 * int(found[0]) if found else 0  # of a process that has ended

    def ended(self) -> str:
        """How the process ended, if it has, and what it said last."""
        code = self.process.poll()
        return "" if code is None else f"the server ended ({code}): {self.log.read_text()[-500:]}"


@contextmanager
def served(
    folder: Path,
    *,
    hosted: bool,
    keep_seconds: float = 3600.0,
    at_once: int = 1,
) -> Iterator[Page]:
    """Serves a page while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    words = [
        *(sys.executable, "-m", "tools.drill.server", str(folder), "--port", str(port)),
        *("--keep", str(keep_seconds), "--at-once", str(at_once)),
        *(["--hosted"] if hosted else []),
    ]
    more = {"GRADIO_TEMP_DIR": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            words, cwd=ROOT, env={**os.environ, **more}, stdout=file, stderr=file
        )
    page = Page(port, process, folder, log)
    try:
        end = time.monotonic() + STARTS
        while page.ask("GET", "/").status != 200:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the page did not open: {log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield page
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> None:
    """Serves until it is ended: the page as it is, with tiny stages behind it."""
    parser = argparse.ArgumentParser(prog="python -m tools.drill.server")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keep", type=float, default=3600.0, help="seconds")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--hosted", action="store_true")
    options = parser.parse_args()
    from svad.core.startup import prepare

    prepare()
    import logging
    import threading

    from svad.config.presets import PREVIEW
    from svad.run.job_store import JobStore
    from svad.run.pipeline import Pipeline
    from svad.ui import serve
    from svad.ui.engine import Engine, Settings
    from svad.ui.page.build import build_page
    from svad.ui.page.launch import first_view_files, launch_options
    from svad.ui.studio import Studio
    from tools.drill.tiny import Forgetful

    logging.basicConfig(level=logging.INFO)
    serve.EVERY = 2  # type: ignore[assignment]
    settings = Settings(
        jobs=options.folder / "jobs", examples=ROOT / "examples", hosted=options.hosted,
        keep_hours=options.keep / 3600, at_once=options.at_once, clip_megabytes=LARGEST,
        an_hour=10_000,
    )  # fmt: skip
    pipeline = Pipeline(PREVIEW, makers=Forgetful(0.02).makers())
    studio = Studio(settings, lambda s: Engine(pipeline, JobStore(s.jobs)))
    page = build_page(studio)
    page.launch(
        server_name="127.0.0.1", server_port=options.port, prevent_thread_lock=True,
        **launch_options(studio),
    )  # fmt: skip
    keep = first_view_files(page)
    threading.Thread(target=serve.clean, args=(studio, keep), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Event().wait()


if __name__ == "__main__":
    main()
