"""What happens when a visitor comes back, shares the avatar, or deletes it."""

from __future__ import annotations

import gradio as gr

from svad.core.errors import SvadError
from svad.ui import stages, texts
from svad.ui.gallery import own_job
from svad.ui.panels import uploads, visit
from svad.ui.parts import Given, Updates
from svad.ui.showing import Showing


class ReturnEvents(Showing):
    """The callbacks of *Delete now* and of sharing."""

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
        return updates | (self.nothing() if shown.startswith(f"job:{job}") else {})

    def share_photo(self, shown: str, wanted: bool) -> Updates:
        """*Show the photo, too* was ticked, or no longer is."""
        job = own_job(shown)
        if job:
            self.studio.share_photo(job, wanted)
        return {self.parts.status: gr.skip()}  # gradio wants something
