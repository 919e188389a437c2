"""What is said of the pictures somebody sends, as HTML."""

from __future__ import annotations

from html import escape

from svad.ui import texts
from svad.ui.panels import notes


def tips() -> str:
    """What kind of photo or clip works best."""
    lines = (texts.TIPS, texts.TIPS_CLIP)
    return f'<div class="check tips">{"".join(f"<p>{escape(line)}</p>" for line in lines)}</div>'


def looking(seconds: float, share: float | None, note: str, ready: bool) -> str:
    """While the pictures are looked at; `share` is how far that is, if that is known."""
    text = texts.LOOKING if share is None else texts.LOOKING_THROUGH
    shown = text if ready else texts.LOADING
    return (
        f'<div class="check busy" data-say="{escape(text)}">'
        f"<h2>{escape(shown)}</h2>{notes.detail(note, seconds)}{notes.bar(shown, share)}</div>"
    )


def seen(warnings: tuple[str, ...], pictures: int, large: str) -> str:
    """What was understood of a photo, or of so many pictures, drawn at the address `large`."""
    text = texts.SEEN_WITH_WARNINGS if warnings else texts.SEEN
    if pictures:
        text = texts.SEEN_CLIP_WITH_WARNINGS if warnings else texts.SEEN_CLIP
        text = texts.SEEN_ONE if pictures == 1 and warnings else text.format(n=pictures)
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    say = " ".join((text, *warnings))
    legend = [(texts.LEGEND_LEFT, "left"), (texts.LEGEND_RIGHT, "right"), (texts.LEGEND_DIM, "")]
    link = ""
    if pictures:
        legend += [(texts.LEGEND_DIAL, "dial"), (texts.LEGEND_FRONT, "front")]
        words = f'title="{escape(texts.LARGE_ALT)}" target="_blank"'
        link = f'<p><a href="{escape(large)}" {words}>{escape(texts.LARGE)}</a></p>'
    marks = "".join(f'<span class="{kind}">{escape(words)}</span>' for words, kind in legend)
    return (
        f'<div class="check {"warn" if warnings else "good"}" data-say="{escape(say)}">'
        f"<h2>{escape(text)}</h2>{f'<ul>{items}</ul>' if items else ''}"
        f'<p class="legend">{marks}</p>{link}</div>'
    )
