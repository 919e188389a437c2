"""The right side of the page: the avatar that is shown there, or that there is none."""

from __future__ import annotations

import gradio as gr

from svad.config.presets import PRESETS
from svad.ui import texts
from svad.ui.gallery import Finished, own_job
from svad.ui.motions import motion_choices
from svad.ui.panels import avatar, notes, visit
from svad.ui.parts import Parts, Updates
from svad.ui.result_view import make_sheet
from svad.ui.studio import Studio


class Showing:
    """Whatever callback changes what is shown does it with these."""

    studio: Studio
    parts: Parts

    def show(self, finished: Finished) -> Updates:
        """The right side of the page with this avatar."""
        p = self.parts
        sheet = make_sheet(finished, self.studio.shelf, self.studio.settings.keep_hours)
        archive = None if sheet.archive is None else str(sheet.archive)
        pair = None if sheet.pair is None else (str(sheet.pair[0]), str(sheet.pair[1]))
        return {
            p.shown: sheet.key,
            p.heading: sheet.heading,
            p.download: gr.DownloadButton(value=archive, interactive=archive is not None),
            p.video: sheet.video,
            p.viewer: sheet.viewer,
            p.compare: gr.ImageSlider(
                value=pair, visible=pair is not None, width=f"min(100%, {sheet.pair_width}px)"
            ),
            p.no_compare: gr.HTML(visible=pair is None),
            p.motion: gr.Radio(choices=motion_choices(finished), value=None),
            p.follow: gr.UploadButton(interactive=finished.movable),
            p.motion_video: sheet.motion,
            p.files: sheet.files,
            p.export: gr.Radio(value=None),
            p.exported: "",
            **self.several(finished),
            **self.sharing(finished),
        }

    def nothing(self, heading: str = "", words: str = texts.NOTHING_YET) -> Updates:
        """The right side without an avatar; `heading` is HTML in the place of its name."""
        p, shelf = self.parts, self.studio.shelf
        sheet = make_sheet(None, shelf, self.studio.settings.keep_hours)
        return {
            p.shown: "",
            p.heading: heading or sheet.heading,
            p.download: gr.DownloadButton(value=None, interactive=False),
            p.video: notes.hint(words),
            p.viewer: sheet.viewer,
            p.compare: gr.ImageSlider(value=None, visible=False),
            p.no_compare: gr.HTML(visible=True),
            p.motion: gr.Radio(choices=[], value=None),
            p.follow: gr.UploadButton(interactive=False),
            p.motion_video: sheet.motion,
            p.files: sheet.files,
            p.exported: "",
            p.versions: gr.Radio(choices=[], visible=False),
            p.side: "",
            p.photo_too: gr.Checkbox(visible=False),
            p.examples: self.shown_examples(""),
        }

    def unfinished(self, job: str, shown: str) -> Updates:
        """The right side while a job has no avatar yet: the one of another is none of its own."""
        if shown and own_job(shown) == job:
            return {}
        return self.nothing(avatar.unfinished(), texts.STANDS_HERE)

    def several(self, shown: Finished) -> Updates:
        """The choice between a job's avatars, and all of them side by side, where there are two."""
        p, key = self.parts, shown.key
        job = own_job(key)
        made = self.studio.versions(job) if job else []
        choices = [(_title(one), one.key) for one in made]
        return {
            p.versions: gr.Radio(choices=choices, value=key, visible=len(made) > 1),
            p.side: avatar.side_by_side(made, self.studio.shelf) if len(made) > 1 else "",
        }

    def sharing(self, finished: Finished) -> Updates:
        """The tick for the photo: of a visitor's own avatar only."""
        job = own_job(finished.key)
        value = bool(job) and self.studio.photo_shared(job)
        return {self.parts.photo_too: gr.Checkbox(value=value, visible=bool(job))}

    def shown_examples(self, shown: str) -> str:
        return visit.examples(self.studio.examples, shown, self.studio.shelf)


def _title(made: Finished) -> str:
    preset = PRESETS.get(made.preset)
    return made.name if preset is None else preset.title
