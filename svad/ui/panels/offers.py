"""What presets and bodies give, cost and lack, and the files that are fetched, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from svad.config.preset import OWN_BODIES
from svad.config.presets import CLIP, PRESETS
from svad.run.bodies import limits
from svad.run.costs import Cost
from svad.run.offers import Offer
from svad.ui import texts
from svad.ui.fetching import Fetching, FileState
from svad.ui.panels import notes
from svad.weights.convert import in_words
from svad.weights.manifest import Entry


def offer(found: Offer, cost: Cost, hours: float) -> str:
    """What a preset gives, costs, where it runs, and which files it lacks with source and terms."""
    lines = [PRESETS[found.preset].note]
    if found.needs_gpu or found.here == "zero":
        # what is asked of a visitor's quota stands among the costs
        where = {"cpu": texts.ON_CPU, "gpu": texts.ON_GPU, "zero": ""}[found.here]
        lines.append(where if found.fits else texts.TOO_LONG)
    if PRESETS[found.preset].diffusion is not None:
        lines.append(texts.RESEARCH)
    html = f"<p>{escape(' '.join(lines))}</p><p>{escape(_costs(found, cost, hours))}</p>"
    if found.missing:
        return f'<div class="check bad offer">{html}{_missing(found)}</div>'
    if found.lacks:
        names = ", ".join(entry.base for entry in found.lacks)
        html += f"<p>{escape(texts.PRESET_LACKS.format(files=names))}</p>"
    slow = (found.needs_gpu and found.here == "cpu") or not found.fits
    return f'<div class="check {"warn" if slow else "tips"} offer">{html}</div>'


def _costs(found: Offer, cost: Cost, hours: float) -> str:
    """Seconds here, quota against what a visitor has, what is kept and how long."""
    lines = _takes(cost)
    if not lines and found.here != "cpu" and not found.missing:
        lines.append(texts.TAKES_UNKNOWN)
    if cost.asks:
        daily = ", ".join(f"{texts.duration(s)} ({who})" for who, s in cost.daily.items())
        own = round(cost.asks / cost.factor)
        words = texts.ASKS.format(s=cost.asks, own=own, factor=cost.factor, daily=daily)
        lines.append(words)
    lines.append(texts.KEPT_FOR.format(hours=f"{hours:g}"))
    return " ".join(lines)


def _takes(cost: Cost) -> list[str]:
    """The only words about how long a run takes; none where nobody knows."""
    if cost.seconds is None:
        return []
    words = texts.TAKES if cost.runs else texts.TAKES_TABLE
    return [words.format(s=texts.duration(cost.seconds))]


def _missing(found: Offer) -> str:
    name, n = PRESETS[found.preset].title, len(found.missing)
    title = texts.PRESET_MISSING_ONE if n == 1 else texts.PRESET_MISSING
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in found.missing:
        groups.setdefault((entry.where, entry.terms), []).append(entry)
    rows = "".join(map(_missing_files, groups.values()))
    advice = [texts.FETCH.format(preset=found.preset)]
    if any(entry.gate == "accept-terms" for entry in found.missing):
        advice.append(texts.ACCEPT)
    if any(entry.gate == "user-supplied" for entry in found.missing):
        advice.append(texts.BRING)
    return (
        f"<h2>{escape(title.format(name=name, n=n))}</h2>"
        f"<p>{escape(' '.join(advice))}</p>"
        f"<details><summary>{escape(texts.PRESET_FILES)}</summary><ul>{rows}</ul></details>"
    )


def _missing_files(entries: list[Entry]) -> str:
    """Files of one source under the same terms."""
    first, names = entries[0], ", ".join(entry.base for entry in entries)
    address = first.where.split(" ")[0]
    words = [first.terms] + ([texts.BY_HAND] if first.gate == "user-supplied" else [])
    return (
        f'<li><b>{escape(names)}</b> <a href="{escape(address)}" rel="noreferrer" '
        f'target="_blank">{escape(first.repo or address)}</a> '
        f"<i>{escape('; '.join(words))}</i></li>"
    )


def better(found: Sequence[Offer], clip: Cost | None) -> str:
    """What would make more of a finished avatar: further presets, and a clip or photos.

    `clip`: what those cost; None = they are not offered.
    """
    lines = []
    for one in found:
        preset, why = PRESETS[one.preset], ""
        if one.needs_gpu and one.here == "cpu":
            why = texts.BETTER_CPU
        elif one.missing:
            why = texts.BETTER_MISSING.format(n=len(one.missing))
        elif not one.fits:
            why = texts.TOO_LONG
        elif one.asks:
            why = texts.ON_ZERO.format(s=one.asks)
        lines.append((preset.title, f"{preset.note} {why}".strip()))
    if clip is not None:
        words = " ".join((texts.BETTER_CLIP, *_takes(clip)))
        lines.append((PRESETS[CLIP.name].title, words))
    rows = "".join(f"<li><b>{escape(title)}</b> {escape(words)}</li>" for title, words in lines)
    return (
        f'<div class="check better"><h2>{escape(texts.BETTER)}</h2><ul>{rows}</ul>'
        f"<p>{escape(texts.BETTER_KEPT)}</p></div>"
    )


def body_note(body: str) -> str:
    """What it means to stand on this body; nothing for the built-in one."""
    lines = [texts.OWN_BODY, *limits(body)] if body in OWN_BODIES else []
    if not lines:
        return ""
    return f'<div class="check warn offer"><p>{escape(" ".join(lines))}</p></div>'


def fetching(preset: str, beat: Fetching) -> str:
    """A bar per file."""
    title = texts.FETCHING.format(name=PRESETS[preset].title)
    rows = "".join(map(_fetched_file, beat.files))
    return (
        f'<div class="check offer" data-say="{escape(title)}"><h2>{escape(title)}</h2>'
        f'<ol class="fetch">{rows}</ol><p>{escape(texts.FETCH_NOTE)}</p></div>'
    )


def _fetched_file(file: FileState) -> str:
    share = file.done / file.total if file.total else None
    amount = f"{in_words(file.done)} of {in_words(file.total)} {file.note}".strip()
    return (
        f'<li><p class="name"><b>{escape(file.name)}</b><i>{escape(amount)}</i></p>'
        f"{notes.bar(file.name, share)}</li>"
    )


def fetched(beat: Fetching) -> str:
    """How a download ended."""
    if beat.errors:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in beat.errors)
        title = escape(texts.FETCH_FAILED)
        return f'<div class="check bad" role="alert"><h2>{title}</h2><ul>{items}</ul></div>'
    words = escape(texts.FETCH_STOPPED if beat.stopped else texts.FETCHED)
    kind = "warn" if beat.stopped else "good"
    return f'<div class="check {kind}" data-say="{words}"><p>{words}</p></div>'
