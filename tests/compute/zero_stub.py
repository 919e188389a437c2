"""Calls on the real `spaces` package before a stub of the platform's device API, without torch.

Run as a program: prints what was seen, as JSON.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlparse

GPU = {"nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "yes"}
FRESH = "fresh"


class Platform(BaseHTTPRequestHandler):
    """`/startup-report`, `/schedule`, `/allow`, `/release`, as the platform answers them."""

    asked: ClassVar[list[dict[str, Any]]] = []
    answer = "ok"
    idle = False
    wait = 0.0  # s until there is a GPU

    def do_POST(self) -> None:
        place = urlparse(self.path)
        if place.path != "/schedule":
            return self.send(200, {})
        query = {key: values[0] for key, values in parse_qs(place.query).items()}
        Platform.asked.append(query)
        if Platform.answer == "token" and token_name(query.get("token", "")) != FRESH:
            return self.send(401, {})
        if Platform.answer == "quota":
            return self.send(429, {"left": 12, "wait": 3600})
        if Platform.answer == "none":
            return self.send(503, {})
        time.sleep(Platform.wait)
        found = GPU | {"idle": Platform.idle}
        Platform.idle = True  # the worker of the first call is warm then
        return self.send(200, found)

    def send(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class Headers(dict):
    """Of a request."""


def token_of(name: str) -> str:
    """A token as the Hub's proxy puts it into a request's headers."""
    body = base64.urlsafe_b64encode(json.dumps({"name": name}).encode()).decode().rstrip("=")
    return f"e30.{body}.x"


def token_name(token: str) -> str:
    body = token.split(".")[1] if token.count(".") == 2 else ""
    return json.loads(base64.urlsafe_b64decode(body + "==") or b"{}").get("name", "")


def learning(engine: Any, works: Any, silent: Any) -> dict[str, Any]:
    """What a call took apart from its wait, and what is asked after some runs that took so long."""
    from svad.config.presets import QUICK
    from svad.run import costs
    from svad.run.learned import MACHINE
    from svad.run.makers import on_gpu

    Platform.wait = wait = 1.0
    begun = time.monotonic()
    with engine.timed() as taken:
        engine.run(works.silent_for, 0.2, report=silent)
    whole = time.monotonic() - begun
    Platform.wait = 0.0
    with tempfile.TemporaryDirectory() as folder:
        MACHINE.root = Path(folder)
        line = {"name": "diffusion", "state": "done", "seconds": 600.0, "gpu_seconds": 0.2}
        for _ in range(3):
            costs.learn({"preset": "quick", "state": "done", "stages": [line]}, MACHINE.root)
        seconds = on_gpu.asked_seconds("diffusion", QUICK)
        engine.run(works.add, 1, 2, seconds=seconds, report=silent)
        told = costs.cost(QUICK, MACHINE.root).asks
        MACHINE.root = None
    asked = int(Platform.asked[-1]["durationSeconds"])
    times = {"taken": taken, "whole": whole, "wait": wait}
    return times | {"asked after learning": asked, "told after learning": told}


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["SPACES_ZERO_GPU"] = "true"
    os.environ["SPACES_ZERO_DEVICE_API_URL"] = f"http://127.0.0.1:{server.server_port}"
    sys.modules["torch"] = None  # type: ignore[assignment]  # one without CUDA is refused
    from gradio.context import LocalContext

    configs = files("spaces.zero").joinpath("configs.json")
    from svad.compute import engine
    from svad.config.presets import QUICK
    from svad.core.errors import Stopped
    from svad.run.makers.on_gpu import asked_seconds
    from svad.run.stages import asked, on_gpu
    from tests.compute import engine_work as works

    def silent(*_: Any) -> None:
        """A report nobody reads."""

    def refused(answer: str) -> str:
        Platform.answer = answer
        try:
            engine.run(works.add, 1, 2, report=silent)
        except engine.GpuUnavailable as error:
            return str(error)
        finally:
            Platform.answer = "ok"
        return ""

    rows = on_gpu(QUICK)
    pids = []
    for row in rows:
        seconds = asked_seconds(row.name, QUICK)
        pids.append(engine.run(works.add, 1, 2, seconds=seconds, report=silent)[1])
    engine.run(works.add, 1, 2, seconds=1000, report=silent)
    seen: dict[str, Any] = {
        "asked": [int(one["durationSeconds"]) for one in Platform.asked],
        "sizes": sorted({one["gpuSize"] for one in Platform.asked}),
        "tasks": len({one["taskId"] for one in Platform.asked}),
        "table": [asked_seconds(row.name, QUICK) for row in rows],
        "in all": asked(QUICK),
        "platform's": [one["duration_factor"] for one in json.loads(configs.read_text())],
        "workers": len(set(pids)),
        "elsewhere": os.getpid() not in pids,
        "refused": {answer: refused(answer) for answer in ("quota", "none")},
    }

    class Request:
        """A request as the Hub's proxy passes it on."""

        def __init__(self, token: str) -> None:
            self.headers = Headers({"x-ip-token": token})

    def asked_as(name: str) -> Any:
        Platform.answer = "token"
        LocalContext.request.set(Request(token_of(name)))
        try:
            return engine.run(works.add, 1, 2, report=silent)[0]
        except engine.GpuUnavailable as error:
            return str(error)
        finally:
            Platform.answer = "ok"
            LocalContext.request.set(None)

    seen["old token"], seen["fresh token"] = asked_as("old"), asked_as(FRESH)
    seen |= learning(engine, works, silent)

    def stop(done: int, *_: Any) -> None:
        if done >= 3:
            raise Stopped("Stopped.")

    try:
        engine.run(works.endless, report=stop)  # for ever, were it not stopped
    except Stopped:
        seen["stopped"] = True
    print(json.dumps(seen), flush=True)
    for worker in multiprocessing.active_children():
        worker.kill()  # it waits for more, and holds what is printed into
    os._exit(0)


if __name__ == "__main__":
    main()
