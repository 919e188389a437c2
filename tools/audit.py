"""Known flaws in the packages that are installed: `make lint` fails on one that is not allowed.

What requirements.txt and requirements-dev.txt bring, with all that they bring in turn, is looked up
by pip-audit in PyPI's database of advisories. Without the network nothing is looked up, and that
is said and no failure. A verdict holds for a day, and as long as the packages stay the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from svad.core.files import write_json
from svad.deploy.header import requirements

ROOT = Path(__file__).resolve().parents[1]
LISTS = ("requirements.txt", "requirements-dev.txt")
KEPT = ROOT / ".venv" / "audit.json"
PATIENCE = 18  # seconds; what was looked up until then is kept by pip-audit for the next time
Look = Callable[[Mapping[str, str]], dict[str, Any] | None]


@dataclass(frozen=True)
class Allowed:
    """A flaw that is known and stays for the time being."""

    flaw: str  # its number, as pip-audit or one of its aliases names it
    package: str
    reason: str
    until: dt.date  # when to look again


ALLOWED = (
    Allowed(
        "CVE-2026-0994",
        "protobuf",
        "mediapipe 0.10.21, the last with its models, needs protobuf 4, which is not mended; the "
        "flaw is in json_format, which neither it nor this project calls",
        dt.date(2027, 6, 30),
    ),
)


def installed(names: Iterable[str]) -> dict[str, str]:
    """The packages of these names that are installed, and all they need here, with versions."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(name, frozenset()) for name in names]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        key = canonicalize_name(name), extras
        if key in seen:
            continue
        seen.add(key)
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # optional, or for another system
        found[key[0]] = package.version.partition("+")[0]  # +cpu has the flaws of the same release
        for line in package.requires or ():
            need = Requirement(line)
            asked = [{"extra": extra} for extra in (extras or {""})]
            if need.marker is None or any(need.marker.evaluate(one) for one in asked):
                waiting.append((need.name, frozenset(need.extras)))
    return dict(sorted(found.items()))


def look_up(packages: Mapping[str, str]) -> dict[str, Any] | None:
    """What pip-audit reports of them; None if the database could not be asked in time."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{name}=={version}\n" for name, version in packages.items()))
        file.flush()
        words = ["-r", file.name, "--no-deps", "--disable-pip", "--desc", "off", "-f", "json"]
        quiet = ["--progress-spinner", "off", "--timeout", "5"]
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pip_audit", *words, *quiet],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            report = json.loads(done.stdout)
        except (OSError, subprocess.TimeoutExpired, ValueError):
            return None
    if all("skip_reason" in one for one in report["dependencies"]):
        return None  # a mirror without advisories
    return report


def findings(
    report: Mapping[str, Any], allowed: Iterable[Allowed], today: dt.date
) -> tuple[list[str], list[str]]:
    """What must be mended, and what is only to be known, a line each."""
    known = {(one.package, one.flaw): one for one in allowed}
    bad, notes, used = [], [], set()
    for package in report["dependencies"]:
        for flaw in package.get("vulns", ()):
            names = [flaw["id"], *flaw.get("aliases", ())]
            keys = [(canonicalize_name(package["name"]), name) for name in names]
            key = next((key for key in keys if key in known), None)
            mended = ", ".join(flaw.get("fix_versions", ())) or "nowhere yet"
            line = f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}"
            if key is None:
                bad.append(line)
                continue
            used.add(key)
            one = known[key]
            if one.until < today:
                bad.append(f"{line}; allowed until {one.until}: look again ({one.reason})")
            else:
                notes.append(f"{line}; allowed until {one.until}: {one.reason}")
    skipped = [one["name"] for one in report["dependencies"] if "skip_reason" in one]
    notes += [f"not in the database: {', '.join(skipped)}"] if skipped else []
    notes += [f"{key[0]}: {key[1]} is allowed, but not there" for key in known if key not in used]
    return bad, notes


def main(look: Look = look_up, kept: Path = KEPT, today: dt.date | None = None) -> int:
    """Returns 1 for a flaw that is not allowed, else 0."""
    today = today or dt.date.today()
    texts = ((ROOT / name).read_text(encoding="utf-8") for name in LISTS)
    packages = installed(name for text in texts for name in requirements(text))
    mark = hashlib.sha256(json.dumps([packages, str(today)]).encode()).hexdigest()
    report = _kept(kept, mark)
    if report is None:
        report = look(packages)
        if report is None:
            print("Flaws of packages: not looked up, the database could not be asked.")
            return 0
        write_json(kept, {"mark": mark, "report": report})
    bad, notes = findings(report, ALLOWED, today)
    print("\n".join([f"Flaws of {len(packages)} packages: {len(bad)} to mend.", *bad, *notes]))
    if bad:
        print("Raise the version, or allow it in tools/audit.py with a reason and a date.")
    return 1 if bad else 0


def _kept(path: Path, mark: str) -> dict[str, Any] | None:
    """The report of the same packages on the same day."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found["report"] if found["mark"] == mark else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


if __name__ == "__main__":
    sys.exit(main())
