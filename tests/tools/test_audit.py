"""A flaw that is not allowed fails; an allowed one does until its day; no network fails nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import audit

TODAY = dt.date(2026, 12, 1)
FLAW = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.0"]}


def report(*flaws: dict) -> dict:
    good = {"name": "numpy", "version": "1.26.4", "vulns": []}
    return {"dependencies": [good, {"name": "Net_Work", "version": "1.0", "vulns": list(flaws)}]}


def allowed(until: dt.date, flaw: str = "CVE-2026-1") -> audit.Allowed:
    return audit.Allowed(flaw, "net-work", "it is not called", until)


def test_what_is_found_is_judged_by_the_list() -> None:
    bad, _ = audit.findings(report(FLAW), (), TODAY)
    assert bad == ["Net_Work 1.0: PYSEC-2026-1, mended in 2.0"]
    bad, notes = audit.findings(report(FLAW), [allowed(TODAY)], TODAY)
    assert not bad and "it is not called" in notes[0]
    bad, _ = audit.findings(report(FLAW), [allowed(TODAY - dt.timedelta(1))], TODAY)
    assert "look again" in bad[0]
    bad, notes = audit.findings(report(), [allowed(TODAY)], TODAY)
    assert not bad and notes == ["net-work: CVE-2026-1 is allowed, but not there"]


def test_each_allowed_flaw_has_a_reason_and_an_end() -> None:
    for one in audit.ALLOWED:
        assert len(one.reason) > 20 and one.until < dt.date(2028, 1, 1)
        assert one.flaw.startswith(("CVE-", "GHSA-", "PYSEC-"))


def test_what_the_lists_bring_in_turn_is_looked_at_and_tools_of_the_environment_are_not() -> None:
    found = audit.installed(["gradio", "torch", "not-a-package-of-anybody"])
    assert {"gradio", "torch", "numpy", "starlette"} <= found.keys()
    assert "+" not in found["torch"] and "pip" not in found and "not-a-package" not in found


def test_a_verdict_is_kept_for_the_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[int] = []

    def look(packages: dict[str, str]) -> dict:
        asked.append(len(packages))
        return report(FLAW)

    kept = tmp_path / "audit.json"
    for _ in range(2):
        assert audit.main(look, kept, TODAY) == 1
    assert len(asked) == 1 and "Net_Work" in capsys.readouterr().out
    assert audit.main(lambda packages: report(), kept, TODAY + dt.timedelta(1)) == 0
    kept.write_text("broken")
    assert audit.main(lambda packages: report(), kept, TODAY) == 0


def test_without_the_database_nothing_fails_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(lambda packages: None, tmp_path / "audit.json", TODAY) == 0
    assert "not looked up" in capsys.readouterr().out and not list(tmp_path.iterdir())
    answers = ["", "no connection", '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}']
    for text in answers:
        done = SimpleNamespace(stdout=text, returncode=1)
        monkeypatch.setattr(audit.subprocess, "run", lambda *a, _=done, **k: _)
        assert audit.look_up({"a": "1"}) is None

    def slow(*arguments: object, **options: object) -> None:
        raise audit.subprocess.TimeoutExpired("pip-audit", 1)

    monkeypatch.setattr(audit.subprocess, "run", slow)
    assert audit.look_up({"a": "1"}) is None
