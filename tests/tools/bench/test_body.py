"""The figures of the body."""

from __future__ import annotations

from tools.bench.__main__ import figures


def test_reading_and_posing_are_measured() -> None:
    found = {figure["bench"]: figure["seconds"] for figure in figures("body", None)}
    assert found.keys() == {"body.read", "body.pose"}
    assert all(seconds > 0 for seconds in found.values())
