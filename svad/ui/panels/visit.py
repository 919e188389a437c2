"""What frames a visit as HTML: the top, the terms, the examples, the way back to a job."""

from __future__ import annotations

from html import escape

from svad.ui import texts
from svad.ui.files import Shelf
from svad.ui.gallery import Finished


def header(hosted: bool, rasteriser: str) -> str:
    """The top of the page; `rasteriser` is the one that draws here, of interest to its owner."""
    where = texts.HOSTED if hosted else f"{texts.LOCAL} {texts.RASTERISERS[rasteriser]}"
    return (
        f'<header class="top"><p class="brand">{escape(texts.TITLE)}</p>'
        f"<h1>{escape(texts.HEADLINE)}</h1><p>{escape(texts.LEAD)} {escape(where)}</p></header>"
    )


def terms(hours: float) -> str:
    """Consent and retention."""
    kept = texts.RETENTION.format(hours=f"{hours:g}")
    return f'<p class="terms">{escape(texts.CONSENT)} {escape(kept)}</p>'


def examples(all_of_them: dict[str, Finished], shown: str, shelf: Shelf) -> str:
    """One button per finished example."""
    if not all_of_them:
        return f'<p class="terms">{escape(texts.NO_EXAMPLES)}</p>'
    buttons = "".join(
        f'<button type="button" data-pick="{escape(name)}" '
        f'aria-pressed="{str(one.key == shown).lower()}">'
        f'<img src="{escape(shelf.url(one.photo))}" alt=""><span>{escape(one.name)}</span></button>'
        for name, one in all_of_them.items()
        if one.photo is not None
    )
    return f'<h2 class="side">{escape(texts.EXAMPLES)}</h2><div class="examples">{buttons}</div>'


def mark(job: str, forget: str = "") -> str:
    """Tells the page's script which job is open, and which is gone and not to be remembered."""
    return f'<i hidden data-job="{escape(job)}" data-forget="{escape(forget)}"></i>'


def last() -> str:
    """The way back to the last avatar; the script shows it where the browser remembers one."""
    return (
        f'<div class="check last" hidden><p>{escape(texts.LAST)}</p><p>'
        f'<a href="?">{escape(texts.LAST_OPEN)}</a> '
        f'<button type="button" class="copy" data-forget-last>{escape(texts.LAST_FORGET)}</button>'
        f"</p></div>"
    )
