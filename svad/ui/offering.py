"""What a preset gives and lacks, and whether its files can be fetched from the page."""

from __future__ import annotations

import gradio as gr

from svad.config.presets import PRESETS
from svad.core.errors import SvadError
from svad.run.costs import cost
from svad.run.offers import Offer, offer
from svad.ui import texts
from svad.ui.engine import Settings
from svad.ui.panels import notes, offers
from svad.ui.parts import Parts, Updates
from svad.weights.convert import in_words
from svad.weights.manifest import Entry


def offer_panel(preset: str, settings: Settings) -> str:
    """What a preset gives and costs here."""
    chosen = PRESETS[preset]
    return offers.offer(offer(chosen), cost(chosen, settings.jobs), settings.keep_hours)


def offering(p: Parts, preset: str, settings: Settings) -> Updates:
    """The parts of the page that say so."""
    try:
        found = offer(PRESETS[preset])
    except SvadError as error:
        hidden = {p.fetch: gr.Button(visible=False), p.accept: gr.Checkbox(visible=False)}
        return hidden | {p.offer: notes.problem(texts.FAILED, str(error), "")}
    files = [] if settings.hosted else can_fetch(found)
    size = in_words(sum(entry.size or 0 for entry in files))
    asks = any(entry.gate == "accept-terms" for entry in files)
    return {
        p.offer: offer_panel(preset, settings),
        p.fetch: gr.Button(texts.FETCH_SIZE.format(size=size), visible=bool(files)),
        p.accept: gr.Checkbox(visible=asks),
    }


def can_fetch(found: Offer) -> list[Entry]:
    """The files a preset reads and lacks that a program can fetch."""
    return [e for e in (*found.missing, *found.lacks) if e.online]
