"""The viewer's figures come from a browser, and say what they are of."""

from __future__ import annotations

import pytest

from tools.bench import viewer


@pytest.mark.browser
def test_a_few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("COUNT", 300), ("FRAMES", 3), ("LONG", 4)):
        monkeypatch.setattr(viewer, name, value)
    found = {figure["bench"]: figure for figure in viewer.run()}
    assert set(found) == {f"viewer.{name}" for name in ("file", "frame", "worker", "memory")}
    assert found["viewer.frame"]["median_ms"] >= 0 and found["viewer.memory"]["frames"] == 4
