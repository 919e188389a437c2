"""Which callback of the page belongs to which event. All of them are internal to the page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from svad.ui.events import Events
from svad.ui.panels import offers
from svad.ui.parts import Parts

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
RAW = {"preprocess": False}  # decoding would fail on bad files before we can say why
LATEST = {"trigger_mode": "always_last"}  # of several changes the last one counts


def wire(page: gr.Blocks, parts: Parts, events: Events) -> None:
    """Ties every event to its callback."""
    everything = [part for part in vars(parts).values() if part is not parts.filming]
    _wire_pictures(parts, events)
    _wire_choices(parts, events)
    _wire_runs(parts, events, everything)
    _wire_avatars(parts, events, everything)
    _wire_motions(parts, events)
    arrived = page.load(events.arrive, None, everything, **QUIET)
    attended = arrived.then(events.attend, [parts.job, parts.shown], everything, **QUIET)
    attended.then(events.cost, [parts.job, parts.preset], parts.offer, **QUIET)
    # then, since the end of a run shows its avatar anew
    attended.then(events.attend_export, parts.shown, [parts.export, parts.exported], **QUIET)
    attended.then(events.attend_motion, parts.shown, _moved(parts), **QUIET)


def _wire_pictures(p: Parts, events: Events) -> None:
    kind = [p.preset, p.offer, p.accept, p.fetch, p.steps, p.better, p.improve, p.more]
    job = [p.job, p.given, p.create, p.check, p.status, p.photo, p.mark, p.delete, p.sure, p.resume]
    sent = [p.photo, p.given, p.job, p.preset]
    p.photo.change(events.look, sent, [*job, *kind], **LATEST, **RAW, **QUIET)
    p.photo.change(
        events.interrupt,
        [p.photo, p.given],
        None,
        trigger_mode="multiple",
        queue=False,  # now, while the look is running
        **RAW,
        **QUIET,
    )


def _wire_choices(p: Parts, events: Events) -> None:
    fetching = [p.offer, p.accept, p.fetch, p.halt, p.preset]
    p.preset.change(events.choose, p.preset, [*fetching, p.steps], **QUIET)
    p.body.change(offers.body_note, p.body, p.body_note, **QUIET)
    p.fetch.click(events.fetch, [p.preset, p.accept], fetching, **QUIET)
    p.halt.click(events.halt, None, p.halt, queue=False, **QUIET)


def _wire_runs(p: Parts, events: Events, everything: list[Any]) -> None:
    created = p.create.click(events.create, [p.job, p.preset, p.body, p.shown], everything, **QUIET)
    p.stop.click(events.stop, p.job, p.stop, queue=False, **QUIET)
    resumed = p.resume.click(events.resume, [p.job, p.body, p.shown], everything, **QUIET)
    improved = p.improve.click(events.improve, [p.job, p.body, p.shown], everything, **QUIET)
    for run in (created, resumed, improved):
        run.then(events.cost, [p.job, p.preset], p.offer, **QUIET)
    p.more.upload(events.add, [p.more, p.job, p.body, p.shown], everything, **RAW, **QUIET)


def _wire_avatars(p: Parts, events: Events, everything: list[Any]) -> None:
    p.versions.input(events.pick_version, p.versions, everything, **QUIET)
    p.delete.click(events.ask_delete, None, [p.delete, p.sure], **QUIET)
    p.sure.click(events.delete, [p.job, p.shown], everything, **QUIET)
    p.photo_too.input(events.share_photo, [p.shown, p.photo_too], p.status, **QUIET)
    p.examples.click(events.pick, None, everything, **QUIET)
    p.export.input(events.export, [p.export, p.shown], p.exported, **LATEST, **QUIET)


def _wire_motions(p: Parts, events: Events) -> None:
    chosen = [p.motion, p.shown, *p.filming]
    changed = [part.upload if isinstance(part, gr.File) else part.input for part in p.filming]
    p.motion.input(events.move, chosen, p.motion_video, **LATEST, **RAW, **QUIET)
    gr.on(changed, events.film_anew, chosen, p.motion_video, **LATEST, **RAW, **QUIET)
    sent = [p.follow, p.shown, *p.filming]
    p.follow.upload(events.follow_clip, sent, _moved(p), **RAW, **QUIET)
    p.follow_stop.click(events.halt_follow, p.following, p.follow_stop, queue=False, **QUIET)


def _moved(p: Parts) -> list[Any]:
    """What the making of a video from a clip changes."""
    return [p.following, p.follow, p.follow_stop, p.motion, p.motion_video]
