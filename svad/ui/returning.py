"""What happens when a visitor comes back, shares the avatar, or deletes it."""

from __future__ import annotations

import gradio as gr

from svad.core.errors import SvadError
from svad.ui import stages, texts
from svad.ui.gallery import Finished, own_job
from svad.ui.panels import notes, uploads, visit
from svad.ui.parts import Given, Parts, Updates
from svad.ui.result_view import make_sheet
from svad.ui.studio import Studio


class ReturnEvents:
    """The callbacks of *Delete now* and of sharing."""

    studio: Studio
    parts: Parts

    def ask_delete(self) -> Updates:
        """*Delete now* was pressed: asks once more."""
        p = self.parts
        return {p.delete: gr.Button(visible=False), p.sure: gr.Button(visible=True)}

    def delete(self, job: str, shown: str) -> Updates:
        """*Delete for good* was pressed."""
        p, forget = self.parts, {self.parts.sure: gr.Button(visible=False)}
        try:
            self.studio.delete(job)
        except SvadError as error:
            kept = {p.delete: gr.Button(visible=True)}
            return forget | kept | {p.status: stages.note(str(error), kind="bad")}
        updates: Updates = forget | {
            p.job: "",
            p.mark: visit.mark("", forget=job),
            p.photo: None,
            p.given: Given(),
            p.check: uploads.tips(),
            p.create: gr.Button(interactive=False),
            p.status: stages.note(texts.DELETED, kind="good"),
            p.resume: gr.Button(visible=False),
            p.better: "",
            p.improve: gr.Button(visible=False),
            p.more: gr.UploadButton(visible=False),
            p.steps: stages.step_list((), self.studio.shelf.url),
        }
        return updates | (self._nothing() if shown.startswith(f"job:{job}") else {})

    def share_photo(self, shown: str, wanted: bool) -> Updates:
        """*Show the photo, too* was ticked, or no longer is."""
        job = own_job(shown)
        if job:
            self.studio.share_photo(job, wanted)
        return {self.parts.status: gr.skip()}  # gradio wants something

    def sharing(self, finished: Finished) -> Updates:
        """The tick for the photo: of a visitor's own avatar only."""
        job = own_job(finished.key)
        value = bool(job) and self.studio.photo_shared(job)
        return {self.parts.photo_too: gr.Checkbox(value=value, visible=bool(job))}

    def _nothing(self) -> Updates:
        """The right side without an avatar."""
        p, shelf = self.parts, self.studio.shelf
        sheet = make_sheet(None, shelf, self.studio.settings.keep_hours)
        return {
            p.shown: "",
            p.heading: sheet.heading,
            p.download: gr.DownloadButton(value=None, interactive=False),
            p.video: notes.hint(texts.NOTHING_YET),
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
        }
