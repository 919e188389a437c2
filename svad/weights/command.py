"""`python -m svad weights`: shows, fetches and checks the pretrained files."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence

from svad.config.presets import PRESETS
from svad.core.errors import Stopped, SvadError
from svad.terminal.arguments import add_debug
from svad.terminal.codes import OK
from svad.terminal.screen import Screen
from svad.types import StageState
from svad.weights.convert import in_words
from svad.weights.download import Outcome, download
from svad.weights.manifest import UNPINNED, Entry
from svad.weights.own_repo import store_to_fill
from svad.weights.push import push
from svad.weights.store import Found, Store, sha256_of
from svad.weights.transfer import DONE, Progress

FAILED = 2
HEADINGS = ("name", "state", "size", "for", "terms", "file", "where it comes from")
EPILOG = """\
Your own files: set SVAD_WEIGHTS to a folder that holds them, or to a YAML list such as
  yolox_l: {path: /data/yolox_l.onnx}
  vae: {repo: me/my-vae, file: vae.safetensors, revision: <commit>}
Such a list may also lie in the folder, as weights.yaml. Or to a repository of yours on the Hub,
such as me/my-weights, into which --push puts what you brought by hand; --download then brings it
to another machine, or a Space. Fetched files go to SVAD_CACHE, by default
the folder svad in your cache folder. A file that the Hub guards wants HF_TOKEN."""

PUSHED = """\
Done. On another machine, or as variables of a Space: SVAD_WEIGHTS={repo}, and HF_TOKEN (on a Space
as a secret) with a token that may read it. Then `python -m svad weights --download` there, or
SVAD_FETCH=own on the Space, brings the files."""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        prog="python -m svad weights",
        description="Shows which pretrained files there are, on this machine and elsewhere.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--preset", metavar="NAME", help="only the files this preset reads")
    made.add_argument(
        "--download", action="store_true", help="fetch what is missing; goes on after a cut"
    )
    made.add_argument("--verify", action="store_true", help="hash the files that are here")
    made.add_argument(
        "--accept-terms",
        action="store_true",
        help="you read and accept the terms of the files that ask for it",
    )
    made.add_argument(
        "--push",
        metavar="NAME/NAME",
        help="put the files that you brought by hand (BFRffusion, SMPL-X, FLAME) into a private "
        "repository of yours on the Hub",
    )
    add_debug(made)
    return made


def run(options: argparse.Namespace, stop: threading.Event, screen: Screen) -> int:
    """Runs the command; returns 0, or 2 when a file could not be had or is wrong."""
    store = store_to_fill() if options.download else Store.from_environment()
    entries = _chosen(store, options.preset)
    bars = _Bars(screen, stop)
    try:
        good = True
        if options.download:
            good = _download(store, entries, bars, options.accept_terms)
        if options.push:
            push(store, options.push, screen.say, stop)
            screen.say(PUSHED.format(repo=options.push))
        if options.verify:
            good = _verify(store, entries, bars) and good
    finally:
        screen.end()
    print("\n".join([*table(store, entries), "", *notes(store, entries)]))
    return OK if good else FAILED


def table(store: Store, entries: Sequence[Entry]) -> list[str]:
    """The lines of the table, one per file."""
    rows = [HEADINGS, *(_row(store, entry) for entry in entries)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    cells = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in cells]


def notes(store: Store, entries: Sequence[Entry]) -> list[str]:
    """What the table means: sums, presets, terms in full."""
    named = list(dict.fromkeys(preset for entry in entries for preset in entry.presets))
    lines = []
    for preset in named:
        gone = [entry for entry in store.missing(preset) if entry in entries]
        sizes = in_words(sum(entry.size or 0 for entry in gone))
        state = f"{len(gone)} needed files are missing, about {sizes}" if gone else "complete"
        later = "" if preset in PRESETS else " (not offered by this version yet)"
        lines.append(f"{preset}{later}: {state}.")
    free = [name for name in PRESETS if not store.of_preset(name)]
    if store.unread:
        lines.append(
            f"SVAD_WEIGHTS names the repository {store.unread} on the Hub; --download looks which "
            "of these files it holds."
        )
    if free:
        lines += [f"{name}: needs none of these files." for name in free]
    if any(entry.sha256 == UNPINNED and entry.repo for entry in entries):
        lines.append(
            "Some sizes are estimates, and files without a pinned commit come from the branch main "
            "as it is when they are fetched; the commit is noted then."
        )
    lines.append("* not needed, but used when there.  + accept the terms first (--accept-terms).")
    lines.append(
        "! cannot be downloaded: get it from there yourself and set SVAD_WEIGHTS (see --help)."
    )
    lines.append("Terms in full:")
    terms = {f"{e.license} ({e.license_url}): {e.terms}" for e in entries}
    return [*lines, *(f"  {text}" for text in sorted(terms))]


def _chosen(store: Store, preset: str | None) -> list[Entry]:
    if preset is None:
        return list(store.entries.values())
    known = dict.fromkeys([*PRESETS, *(p for e in store.entries.values() for p in e.presets)])
    if preset not in known:
        raise SvadError(f"There is no preset {preset}. Choose one of: {', '.join(known)}.")
    return store.of_preset(preset)


def _row(store: Store, entry: Entry) -> tuple[str, ...]:
    found = store.locate(entry.name)
    size = found.path.stat().st_size if found else entry.size
    presets = [*entry.required_for, *(f"{name}*" for name in entry.useful_for)]
    gate = {"accept-terms": " +", "user-supplied": " !"}.get(entry.gate, "")
    return (
        entry.name,
        f"present ({found.origin})" if found else "missing",
        in_words(size),
        " ".join(presets) or f"--body {entry.name}",
        entry.license + gate,
        entry.base,
        str(found.path) if found and found.origin == "own file" else entry.where,
    )


def _download(store: Store, entries: Sequence[Entry], bars: _Bars, accepted: bool) -> bool:
    wanted = [e for e in entries if e.online and store.locate(e.name) is None]
    for terms in dict.fromkeys(f"{e.license}: {e.terms}." for e in wanted):
        bars.screen.say(f"Terms of {terms}")
    if wanted:
        size = in_words(sum(entry.size or 0 for entry in wanted))
        unknown = sum(entry.size is None for entry in wanted)
        more = f" and {unknown} of unknown size" if unknown else ""
        bars.screen.say(f"Fetching {len(wanted)} files, about {size}{more}, into {store.cache}.")
    else:
        bars.screen.say("Nothing to fetch: all files that can be fetched are here.")
    outcomes = download(store, wanted, bars.progress, accepted=accepted)
    for outcome in outcomes:
        _tell(outcome, bars)
    astray = [e for e in entries if e.path and not e.path.is_file()]
    bring = [e for e in entries if not e.online and not e.path and not store.locate(e.name)]
    if bring:
        bars.screen.say("To be brought by yourself, into a folder that SVAD_WEIGHTS names:")
    for entry in bring:
        bars.screen.say(f"  {entry.base} from {entry.where}")
    for entry in astray:
        bars.screen.say(f"{entry.name}: {store.advice(entry)}")
    return not astray and not any(outcome.error for outcome in outcomes)


def _tell(outcome: Outcome, bars: _Bars) -> None:
    entry = outcome.entry
    if outcome.error:
        bars.screen.say(f"{entry.name}: {outcome.error}")
    elif entry.repo and UNPINNED in (entry.revision, entry.sha256):
        bars.screen.say(
            f"{entry.name}: came from commit {outcome.revision}, sha256 {outcome.sha256}"
        )


def _verify(store: Store, entries: Sequence[Entry], bars: _Bars) -> bool:
    good, here = True, 0
    for entry in entries:
        found = store.locate(entry.name)
        if found is None:
            continue
        here += 1
        good = _verified(entry, found, store.expected(found), bars) and good
    if not here:
        bars.screen.say("Nothing to verify: none of these files is on this machine.")
    return good


def _verified(entry: Entry, found: Found, expected: str | None, bars: _Bars) -> bool:
    progress = bars.progress(entry)
    digest = sha256_of(found.path, lambda done, size: progress(done, size, "hashing"))
    size = found.path.stat().st_size
    progress(size, size, DONE)
    if expected is None:
        bars.screen.say(f"{entry.name}: nothing to compare with; its sha256 is {digest}")
    elif digest == expected:
        bars.screen.say(f"{entry.name}: right")
    else:
        bars.screen.say(
            f"{entry.name}: WRONG. {found.path} has sha256 {digest}, {expected} was expected. "
            "Delete it and fetch it again."
        )
    return digest == expected or expected is None


class _Bars:
    """One bar per file; also where a stop gets through."""

    def __init__(self, screen: Screen, stop: threading.Event) -> None:
        self.screen, self._stop, self._made = screen, stop, 0

    def progress(self, entry: Entry) -> Progress:
        """The progress of one file."""
        self._made += 1
        name, begun = f"{entry.name} {self._made}", time.monotonic()  # a second bar is another one
        first: list[int] = []  # bytes that were there before

        def show(done: int, total: int | None, note: str) -> None:
            if self._stop.is_set():
                raise Stopped("Stopped.")
            if not first:
                first.append(done)
            seconds, came = time.monotonic() - begun, done - first[0]
            left = seconds / came * (total - done) if came > 0 and total else None
            words = f"{in_words(done)} of {in_words(total)} {note}".rstrip()
            state, whole = "done" if note == DONE else "running", total or max(done, 1)
            bar = (state, done, whole, words, seconds, left, None)
            self.screen.show((StageState(name, entry.name, *bar),))

        return show
