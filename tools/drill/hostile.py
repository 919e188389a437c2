"""Hostile visitors: the page answers them, stays quick, tells nothing and gives nothing away."""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from svad.ui.sharing import token_of
from tools.drill import attacks, bodies, tiny
from tools.drill.server import LARGEST, Answer, Page, served

SLOWEST = 1.0  # s for the page itself, whatever else goes on
VISITOR, ATTACKER = "8.8.4.77", "9.9.9.66"  # addresses that must be in no log
NAME = "hush-hush-holiday"  # of a photo, the same
CODE = "Something went wrong on our side"  # an error that nobody expected
HUNG_UP = ("large", "cut")  # kinds that the server need not hear to their end
GROWTH = 1.5e9  # bytes of memory above that at the start, at any time


def drill(options: argparse.Namespace, folder: Path, end: float) -> dict[str, Any]:
    """Some hundred hostile inputs one by one, then many submissions at once."""
    random.seed(options.seed)
    photo = tiny.save_photo(folder / "photo.png").read_bytes()
    with served(folder / "page", hosted=True) as page, _Canary() as canary:
        victim = _Victim(page, photo)
        watch = _Watch(page, victim)
        start = page.memory()
        for k, attack in enumerate(_attacks(page, victim, canary, options.inputs)):
            if time.monotonic() > end - 60:
                watch.missed.append(f"only {k} of {options.inputs} inputs in the time")
                break
            watch.look(*attack())
        quick = _at_once(page, photo, options.quick, watch) if options.quick else Counter()
        watch.page_is_quick("at the end")
        most, peak = page.memory(), page.peak()
        if peak - start > GROWTH:
            watch.missed.append(f"memory went up to {peak / 1e6:.0f} MB")
        if canary.asked:
            watch.missed.append(f"the server fetched {canary.asked[:3]}")
        watch.log_tells_nothing()
        watch.missed += [f"{name} was kept of a refused upload" for name in bodies.left(page)[:3]]
        ended = page.ended()
        if options.log:
            shutil.copyfile(page.log, options.log)
    missed = [ended, *watch.missed] if ended else watch.missed
    return {
        "inputs": watch.count,
        "kinds": dict(watch.kinds),
        "submissions": dict(quick),
        "page_seconds_most": round(watch.slowest, 3),
        "page_seconds_most_with_waits": round(watch.longest, 3),  # for a processor
        "memory_mb": [round(one / 1e6) for one in (start, peak, most)],
        "missed": list(dict.fromkeys(missed))[:12],
    }


class _Victim:
    """A visitor with a finished avatar, whose things nobody else may have."""

    def __init__(self, page: Page, photo: bytes) -> None:
        sent = page.upload(photo, f"{NAME}.png", VISITOR)
        path = json.loads(sent.body)[0]
        made = page.call("generate", [{"path": path}, None, "default"], VISITOR)
        last = next((x for x in made.text.splitlines()[::-1] if x.startswith("data: ")), "")
        if '"job"' not in last:
            raise RuntimeError(f"the first avatar was not made: {made.status} {made.text[-200:]}")
        self.job: str = json.loads(last.removeprefix("data: "))[0]["job"]
        folder = page.jobs / self.job
        self.secrets = [str(path) for path in folder.rglob("*") if path.is_file()]
        self.secrets += [str(page.jobs), str(folder), str(page.log)]
        self.pictures = [(folder / name).read_bytes() for name in ("input.png", "picture-1")]


class _Watch:
    """Looks at every answer."""

    def __init__(self, page: Page, victim: _Victim) -> None:
        self._page, self._victim = page, victim
        self.missed: list[str] = []
        self.kinds: Counter[str] = Counter()
        self.slowest, self.longest, self.count = 0.0, 0.0, 0

    def look(self, kind: str, what: str, answer: Answer) -> None:
        """One answer to a hostile input."""
        self.kinds[kind] += 1
        self.count += 1
        wrong = self._wrong(kind, what, answer)
        if wrong:
            self.missed.append(f"{kind} {what[:120]!r}: {wrong}")
        if self.count % 10 == 0:
            self.page_is_quick(f"after {kind}")

    def _wrong(self, kind: str, what: str, answer: Answer) -> str:
        text = answer.text
        if answer.status == 0:
            return "" if kind in HUNG_UP else f"no answer ({text[:80]})"
        if kind == "large" and answer.status == 200:
            return "it was taken"
        full = answer.status == 503 and "queue is full" in text.lower()  # told so, and to come back
        if answer.status >= 500 and not full:
            return f"status {answer.status}"
        if "root:x:" in text or "GRADIO_TEMP_DIR=" in text:
            return "a file of the machine was given"
        if any(picture in answer.body for picture in self._victim.pictures):
            return "another visitor's picture was given"
        if self._victim.job in text and self._victim.job not in what:
            return "another visitor's job was named"
        if "Traceback" in text or CODE in text:
            return f"an error that nobody expected: {attacks.words_of(text)[:100]}"
        return ""

    def page_is_quick(self, when: str) -> None:
        """The page itself is there within a second in which it has a processor.

        Where other programs have the machine, the seconds that its busiest thread stood in line for
        one are theirs.
        """
        before = self._page.waits()
        answer = self._page.ask("GET", "/")
        line = max((s - before.get(t, s) for t, s in self._page.waits().items()), default=0.0)
        seconds = max(0.0, answer.seconds - line)
        self.slowest, self.longest = max(self.slowest, seconds), max(self.longest, answer.seconds)
        if answer.status != 200 or seconds > SLOWEST:
            self.missed.append(f"the page {when}: {answer.status} in {seconds:.1f} s")

    def log_tells_nothing(self) -> None:
        """No name of a photo, address or id of a job in what the server wrote."""
        log = self._page.log.read_text("utf-8", "replace")
        for word in (NAME, VISITOR, ATTACKER, self._victim.job, token_of(self._victim.job)):
            if word in log:
                line = next(line for line in log.splitlines() if word in line)
                self.missed.append(f"the log tells {word}: {line[:200]}")
        for part in log.split("Traceback (most recent call last):")[1:]:
            ends = [line for line in part.splitlines() if line and not line.startswith(" ")]
            self.missed.append(f"the log has an error: {ends[0][:200] if ends else ''}")


Attack = Callable[[], tuple[str, str, Answer]]


def _attacks(page: Page, victim: _Victim, canary: _Canary, count: int) -> Iterator[Attack]:
    """So many inputs, of all kinds in turn."""
    kinds = (
        _file_attacks(page), _payload_attacks(page), _path_attacks(page, victim),
        _job_attacks(page, victim), _address_attacks(page, canary),
        bodies.attacks(page, LARGEST, ATTACKER),
    )  # fmt: skip
    turns = itertools.cycle((0, 1, 2, 0, 5, 1, 2, 3, 0, 4, 2, 5))
    return (next(kinds[k]) for k in itertools.islice(turns, count))


def _file_attacks(page: Page) -> Iterator[Attack]:
    for name, data in attacks.files():

        def attack(name: str = name, data: bytes = data) -> tuple[str, str, Answer]:
            what = f"{name} {data[:12]!r} {len(data)}"
            sent = page.upload(data, name, ATTACKER)
            if sent.status != 200:
                return "file", what, sent
            path = {"path": json.loads(sent.body)[0]}
            if random.random() < 0.2:
                return "file", what, page.call("follow", ["a" * 22, path], ATTACKER)
            photo = random.choice((path, [path], [path, path], [path] * 5))
            return "file", what, page.call("generate", [photo, None, "default"], ATTACKER)

        yield attack


def _payload_attacks(page: Page) -> Iterator[Attack]:
    for name, data in attacks.payloads():
        yield lambda name=name, data=data: (
            "payload", f"{name} {json.dumps(data)[:90]}", page.call(name, data, ATTACKER),
        )  # fmt: skip


def _path_attacks(page: Page, victim: _Victim) -> Iterator[Attack]:
    headers = {"X-Forwarded-For": ATTACKER}
    for method, path in attacks.paths(victim.secrets, victim.job):
        if f"/share/{victim.job}" in path or not path.isascii() or " " in path:
            continue
        yield lambda method=method, path=path: (
            "path", f"{method} {path}", page.ask(method, path, headers=headers),
        )  # fmt: skip


def _job_attacks(page: Page, victim: _Victim) -> Iterator[Attack]:
    """Words near another visitor's, and what others get by a link."""
    token, job = token_of(victim.job), victim.job
    guesses = (
        token,
        job[:-1],
        job[:-1] + "A",
        job.swapcase(),
        f"../{token}",
        f"job:{token}",
        token[::-1],
    )
    more = {"animate": ["wave"], "export": ["archive"], "follow": [{"path": "x"}]}
    for name, guess in itertools.cycle(itertools.product(attacks.ENDPOINTS[1:6], guesses)):
        yield lambda name=name, guess=guess: (
            "job", f"{name} {guess}", page.call(name, [guess, *more.get(name, [])], ATTACKER),
        )  # fmt: skip


def _address_attacks(page: Page, canary: _Canary) -> Iterator[Attack]:
    for place, file in enumerate(attacks.addresses(canary.url)):
        name, data = [("generate", [file, None, "default"]), ("follow", ["a" * 22, file])][
            place % 2
        ]
        yield lambda name=name, data=data: (
            "address", f"{name} {data}", page.call(name, data, ATTACKER),
        )  # fmt: skip


def _at_once(page: Page, photo: bytes, count: int, watch: _Watch) -> Counter[str]:
    """Submissions at the same time from some addresses; the page is asked meanwhile."""
    path = {"path": json.loads(page.upload(photo, "quick.png", ATTACKER).body)[0]}

    def submit(k: int) -> str:
        answer = page.call("generate", [path, None, "default"], f"8.8.8.{k % 40}")
        watch.look("quick", str(k), answer)
        if '"state": "done"' in answer.text:
            return "done"
        told = "queue is full" if "queue is full" in answer.text.lower() else ""
        return told or attacks.words_of(answer.text)[:60] or f"status {answer.status}"

    with ThreadPoolExecutor(count) as pool:
        runs = [pool.submit(submit, k) for k in range(count)]
        while not all(run.done() for run in runs):
            watch.page_is_quick("under many submissions")
            time.sleep(0.5)
    return Counter(run.result() for run in runs)


class _Canary:
    """A server inside the machine that nothing should ever ask."""

    def __init__(self) -> None:
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/secret.png"

    def __enter__(self) -> _Canary:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
