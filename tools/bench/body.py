"""Seconds to read and to pose the default body, on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from svad.body.free import DATA_FILE, load_free_body, read_body

REPEATS = 5


def run() -> Iterator[dict[str, Any]]:
    """One dict per figure: the best of a few turns."""
    body = load_free_body()
    rest = body.rest(torch.zeros(50))
    rotations, expression = torch.rand(55, 3), torch.zeros(43)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield _figure("body.read", lambda: read_body(DATA_FILE))
        yield _figure(
            "body.pose", lambda: body.pose_vertices(rest, rotations, rotations[0], expression)
        )
    finally:
        torch.set_num_threads(threads)


def _figure(name: str, work: Callable[[], object]) -> dict[str, Any]:
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return {"bench": name, "seconds": round(min(seconds), 4)}
