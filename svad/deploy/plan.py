"""What a deployment will do and cost, worked out without network and token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from svad.config.presets import PRESETS
from svad.core.errors import SettingError
from svad.deploy.errors import DeployError
from svad.deploy.files import Upload, to_upload
from svad.deploy.header import problems, read_header, requirements, with_header
from svad.run.offers import DAILY_SECONDS
from svad.run.stages import asked
from svad.weights.convert import in_words
from svad.weights.manifest import Entry, load_manifest
from svad.weights.store import REPOSITORY

ROOT = Path(__file__).resolve().parents[2]
OWN = "own"  # as SVAD_FETCH knows it
ZERO, FREE = "zero-a10g", "cpu-basic"
PRICES = "https://huggingface.co/docs/hub/spaces-gpus"
# Flavour of the Hub -> what it is, and dollars an hour as the page above had them in November 2026
HARDWARE: dict[str, tuple[str, float]] = {
    FREE: ("2 processors, for preview and clip", 0.0),
    "cpu-upgrade": ("8 processors, for preview and clip", 0.03),
    ZERO: ("ZeroGPU: for quick too, on each visitor's own quota", 0.0),
    "l4x1": ("a GPU of 24 GB, for quick", 0.80),
    "a10g-small": ("a GPU of 24 GB, for quick", 1.00),
    "a10g-large": ("a GPU of 24 GB, for quick", 1.50),
    "l40sx1": ("a GPU of 48 GB, for quick and paper", 1.80),
}
SLEEP = 3600  # seconds without a visitor after which hardware that costs goes to sleep
STARTUP = "1h"  # that fetching may take before the platform gives up


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the person asked for."""

    repo: str  # NAME/NAME
    fetch: str = ""  # preset whose files the Space fetches at its start, or OWN
    accepted: bool = False  # the terms of files that ask for it
    weights: str = ""  # private repository of own files
    hardware: str = ""  # "" = as it is, or FREE for a new Space
    private: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that will be done."""

    wish: Wish
    upload: Upload
    readme: str  # as it will stand in the Space
    variables: Mapping[str, str]
    entries: tuple[Entry, ...]  # files that the Space fetches

    @property
    def dollars(self) -> float:
        """What the hardware asked for costs in an hour of use."""
        return HARDWARE[self.wish.hardware or FREE][1]


def plan(wish: Wish, root: Path = ROOT) -> Plan:
    """Raises `SettingError` for a wish that cannot be, `DeployError` for a broken checkout."""
    _check(wish)
    upload = to_upload(root)
    readme = (root / "README.md").read_text(encoding="utf-8")
    entries = load_manifest(root / "weights_manifest.yaml")
    packages = requirements((root / "requirements.txt").read_text(encoding="utf-8"))
    wrong = problems(read_header(readme), entries, packages, root)
    if wrong:
        raise DeployError(f"The header of README.md does not fit: {' '.join(wrong)}")
    variables = {"GRADIO_SSR_MODE": "false"}
    variables |= {"SVAD_FETCH": wish.fetch} if wish.fetch else {}
    variables |= {"SVAD_ACCEPT_TERMS": "1"} if wish.accepted else {}
    variables |= {"SVAD_WEIGHTS": wish.weights} if wish.weights else {}
    fetched = [
        entry
        for entry in entries.values()
        if entry.online and wish.fetch in entry.presets
        and (wish.accepted or entry.gate != "accept-terms")
    ]  # fmt: skip
    if wish.fetch:
        readme = with_header(readme, startup_duration_timeout=STARTUP)
    return Plan(
        wish=wish, upload=upload, readme=readme, variables=variables, entries=tuple(fetched)
    )


def told(made: Plan) -> list[str]:
    """The plan in lines for a person."""
    wish, upload = made.wish, made.upload
    lines = [f"Space: https://huggingface.co/spaces/{wish.repo}" + " (private)" * wish.private]
    lines.append(f"Files: {len(upload.files)}, {in_words(upload.size)}")
    for place, (count, size) in sorted(upload.by_place().items()):
        files = f"{count} files, " if count > 1 else ""
        lines.append(f"  {place}: {files}{in_words(size)}")
    if upload.strangers:
        shown = ", ".join(upload.strangers[:3]) + (" ..." if len(upload.strangers) > 3 else "")
        lines.append(f"Unknown to git, so they stay here: {len(upload.strangers)} ({shown})")
    named = dict.fromkeys(entry.repo for entry in load_manifest().values() if entry.repo)
    lines.append(f"Repositories of pretrained files, named in the header: {', '.join(named)}")
    lines.append("Variables: " + ", ".join(f"{k}={v}" for k, v in made.variables.items()))
    return [*lines, *_weights(made), *_cost(made)]


def _check(wish: Wish) -> None:
    for name in (wish.repo, wish.weights):
        if name and not REPOSITORY.fullmatch(name):
            raise SettingError(f"{name} is no name on the Hub; it looks like me/my-space.")
    if wish.hardware and wish.hardware not in HARDWARE:
        raise SettingError(
            f"{wish.hardware} is no hardware known here. Choose one of {', '.join(HARDWARE)}; "
            f"others can be set on the Space's own page ({PRICES})."
        )
    if wish.fetch == OWN and not wish.weights:
        raise SettingError(f"--fetch {OWN} fetches from the repository that --weights names.")


def _weights(made: Plan) -> list[str]:
    wish, lines = made.wish, []
    if made.entries:
        size = in_words(sum(entry.size or 0 for entry in made.entries))
        lines.append(f"At its start the Space fetches {len(made.entries)} files, about {size}:")
        homes = dict.fromkeys(f"  {e.home} ({e.license}): {e.terms}" for e in made.entries)
        lines += homes
    elif not wish.fetch:
        lines.append("Pretrained files: none; preview and clip need none (see --fetch).")
    if wish.fetch in PRESETS and not wish.accepted:
        gated = [
            entry
            for entry in load_manifest().values()
            if wish.fetch in entry.presets and entry.gate == "accept-terms"
        ]
        if gated:
            names = ", ".join(entry.base for entry in gated)
            lines.append(f"Without --accept-terms these stay away: {names}")
    if wish.weights:
        lines.append(
            f"Your own files come from {wish.weights}. It is private, so set the secret HF_TOKEN "
            f"on https://huggingface.co/spaces/{wish.repo}/settings to a token that may read it."
        )
    return lines


def _cost(made: Plan) -> list[str]:
    wish = made.wish
    words, dollars = HARDWARE[wish.hardware or FREE]
    kept = "" if wish.hardware else "; that of a Space that is there stays as it is"
    lines = [f"Hardware: {wish.hardware or FREE} ({words}){kept}"]
    if dollars:
        lines.append(
            f"Cost: about {dollars:.2f} dollars an hour while it is awake, so at most "
            f"{24 * dollars:.2f} a day; it sleeps after {SLEEP // 60} minutes without a visitor."
        )
    else:
        lines.append("Cost: nothing by the hour; the Hub may want a paid plan for a new Space.")
    if wish.hardware == ZERO:
        daily = ", ".join(f"{kind} {seconds}" for kind, seconds in DAILY_SECONDS.items())
        lines.append(
            f"Visitors: quick asks for {asked(PRESETS['quick'])} seconds of their GPU quota; a day "
            f"has {daily}. The preview asks for none."
        )
    elif not wish.hardware:
        lines.append("For quick: --hardware zero-a10g, or l4x1 and more; for paper: l40sx1.")
    return [*lines, f"Prices change: {PRICES}"]
