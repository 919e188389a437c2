"""The list of steps and the short status, as HTML with everything from outside escaped."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from svad.config.presets import PRESETS, PREVIEW
from svad.run.stages import shown
from svad.ui import texts
from svad.ui.panels.avatar import SHOWN

if TYPE_CHECKING:
    from svad.types import StageState

Address = Callable[[Path], str]
OVER = ("done", "kept", "skipped")


def step_list(states: tuple[StageState, ...], url: Address, preset: str = PREVIEW.name) -> str:
    """One row per stage: thumbnail, name, state in words, bar, seconds."""
    if not states:
        coming = enumerate(shown(PRESETS[preset]), 1)
        rows = "".join(_row(n, stage.title, "waiting") for n, stage in coming)
        idle = f'<p class="terms">{escape(texts.STEPS_IDLE)}</p>'
        return f'<ol class="steps">{rows}</ol>{idle}'
    rows = "".join(_state_row(n, state, url) for n, state in enumerate(states, 1))
    return f'<ol class="steps">{rows}</ol>'


def _state_row(n: int, state: StageState, url: Address) -> str:
    share = 1.0 if state.state in OVER else min(state.done / max(state.total, 1), 1.0)
    times = []
    if state.seconds > 0.05:
        times.append(f"{state.seconds:.1f} s")
    if state.state == "running":
        times.append(_left(state.remaining))
    thumbnail = url(state.thumbnail) if state.thumbnail is not None else ""
    return _row(n, state.title, state.state, share, state.note, times, thumbnail)


def _row(
    n: int,
    title: str,
    state: str,
    share: float = 0.0,
    note: str = "",
    times: list[str] | None = None,
    thumbnail: str = "",
) -> str:
    picture = f'<img src="{escape(thumbnail)}" alt="">' if thumbnail else f"<span>{n}</span>"
    word = escape(texts.STATES.get(state, state))
    bar = f'<progress max="1" value="{share:.3f}" aria-label="{escape(title)}"></progress>'
    current = ' aria-current="step"' if state == "running" else ""
    return (
        f'<li class="step {escape(state)}"{current}><div class="thumb">{picture}</div><div>'
        f'<p class="name"><b>{escape(title)}</b><i>{word}</i></p>{bar}'
        f'<p class="detail"><span>{escape(note)}</span>'
        f"<span>{escape(' · '.join(t for t in times or [] if t))}</span></p></div></li>"
    )


def status(states: tuple[StageState, ...], seconds: float) -> str:
    """The short status beside the button: which step, one bar for all, seconds."""
    if not states:
        return note(texts.STARTING, f"{seconds:.0f} s")
    total = len(states)
    over = sum(state.state in OVER for state in states)
    running = next((s for s in states if s.state == "running"), None)
    n = states.index(running) + 1 if running else min(over + 1, total)
    title = running.title if running else states[n - 1].title
    step = texts.STEP.format(n=n, total=total)
    within = min(running.done / max(running.total, 1), 1.0) if running else 0.0
    times = [texts.SO_FAR.format(s=f"{seconds:.0f}"), _left(remaining(states))]
    return (
        f'<div class="status" data-say="{escape(f"{step}: {title}")}">'
        f'<p class="name"><b>{escape(title)}</b><i>{escape(step)}</i></p>'
        f'<progress max="{total}" value="{over + within:.2f}" '
        f'aria-label="{escape(step)}"></progress>'
        f'<p class="detail"><span>{escape(" · ".join(t for t in times if t))}</span></p></div>'
    )


def remaining(states: tuple[StageState, ...]) -> float | None:
    """Seconds left over all stages, or None where a running stage does not know."""
    left = 0.0
    for state in states:
        if state.state == "running" and state.remaining is None:
            return None
        if state.state in ("running", "waiting"):
            left += state.remaining or 0.0
    return left


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return texts.LEFT.format(s=f"{seconds:.0f}") if seconds >= 1 else texts.ALMOST


def note(text: str, detail: str = "", kind: str = "plain") -> str:
    """One sentence in the place of the status; `kind` is plain, good, warn or bad."""
    small = f'<p class="detail"><span>{escape(detail)}</span></p>' if detail else ""
    return (
        f'<div class="status {kind}" data-say="{escape(text)}"><p>{escape(text)}</p>{small}</div>'
    )


def ready(text: str) -> str:
    """The avatar is there, and a way to it: on a phone it is far below."""
    link = f'<a href="#{SHOWN}">{escape(texts.SEE_IT)}</a>'
    return f'<div class="status good" data-say="{escape(text)}"><p>{escape(text)} {link}</p></div>'
