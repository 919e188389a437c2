"""Short notes as HTML: what is wrong, what is to be known, how far something is."""

from __future__ import annotations

from html import escape


def problem(title: str, sentence: str, advice: str) -> str:
    """What is wrong, and what to do."""
    return (
        f'<div class="check bad" role="alert"><h2>{escape(title)}</h2>'
        f"<p>{escape(sentence)}</p><p>{escape(advice)}</p></div>"
    )


def hint(text: str) -> str:
    """A quiet sentence."""
    return f'<div class="empty"><p>{escape(text)}</p></div>'


def busy(text: str, seconds: float, share: float | None, note: str = "") -> str:
    """Something is being made; `share` is how far it is, if that is known."""
    return (
        f'<div class="empty" data-say="{escape(text)}"><p>{escape(text)}</p>'
        f"{bar(text, share)}{detail(note, seconds)}</div>"
    )


def bar(label: str, share: float | None) -> str:
    """How far something is, from 0 to 1; None = it is not known."""
    value = "" if share is None else f' value="{share:.3f}"'
    return f'<progress max="1"{value} aria-label="{escape(label)}"></progress>'


def detail(note: str, seconds: float) -> str:
    """What is being done, and since when."""
    return f"<p>{escape(' · '.join(filter(None, (note, f'{seconds:.0f} s'))))}</p>"
