"""Requests for the queue come in one by one; whatever else is asked does not wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from svad.ui.callers import Callers
from svad.ui.door import Door
from svad.ui.intake import Intake
from svad.ui.page.launch import launch_options

CALL, JOIN = "/gradio_api/call/generate", "/gradio_api/queue/join"


class House:
    """An application that notes who is being worked on, and answers when it is told to."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.bodies: dict[str, bytes] = {}
        self.answer, self.end = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside.append(scope["name"])
        if scope["type"] == "http":
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            self.bodies[scope["name"]] = body
        if scope["name"] == "broken":
            raise RuntimeError("the application failed")
        if scope["name"] != "page":
            await self.answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.end.wait()  # an event that is followed


def asked(door: Any, name: str, path: str, messages: Iterator[Any] | None = None) -> asyncio.Task:
    """One request that is under way; `messages` of its body, None among them: never ends."""
    left = messages or iter([{"type": "http.request", "body": name.encode(), "more_body": False}])

    async def receive() -> Any:
        message = next(left, None)
        return message if message is not None else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        assert message["type"] == "http.response.start"

    scope = {"type": "http", "path": path, "name": name}
    return asyncio.create_task(door(scope, receive, send))


async def settled() -> None:
    """Everything that can go on has."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_one_is_begun_at_a_time_and_a_followed_event_keeps_no_place() -> None:
    async def drill() -> None:
        house = House()
        door = Door(house)
        tasks = [asked(door, f"call-{k}", CALL) for k in range(3)]
        tasks.append(asked(door, "join", JOIN))
        await settled()
        assert house.inside == ["call-0"]
        tasks.append(asked(door, "page", "/"))
        await settled()
        assert house.inside == ["call-0", "page"]
        house.answer.set()  # all may be begun now, none of them has ended
        await settled()
        assert house.inside == ["call-0", "page", "call-1", "call-2", "join"]
        assert not any(task.done() for task in tasks)
        house.end.set()
        await asyncio.gather(*tasks)
        assert house.bodies["call-2"] == b"call-2"

    asyncio.run(drill())


def test_slow_senders_and_failures_are_in_nobodys_way() -> None:
    async def drill() -> None:
        house = House()
        door = Intake(Door(house), 1, Callers(0, 0))
        house.answer.set()
        house.end.set()
        part = {"type": "http.request", "body": b"{", "more_body": True}
        slow = asked(door, "slow", CALL, iter([part, None]))
        hung_up = asked(door, "hung up", CALL, iter([part, {"type": "http.disconnect"}]))
        broken = asked(door, "broken", CALL)
        whole = asked(door, "whole", CALL, iter([part, {"type": "http.request", "body": b"}"}]))
        await settled()
        assert house.inside == ["hung up", "broken", "whole"] and house.bodies["whole"] == b"{}"
        assert hung_up.done() and whole.done() and not slow.done()
        with pytest.raises(RuntimeError, match="failed"):
            await broken
        slow.cancel()

    asyncio.run(drill())


def test_the_page_has_it(make_studio) -> None:
    entries = launch_options(make_studio())["app_kwargs"]["middleware"]
    order = [entry.cls for entry in entries]
    assert order.index(Intake) < order.index(Door)  # which wants whole requests
