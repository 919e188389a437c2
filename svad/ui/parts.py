"""The components of the page that change, and what it remembers of a visitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

Updates = dict[Any, Any]  # component -> its new value or properties


@dataclass(frozen=True)
class Parts:
    """The components of the page that change."""

    photo: gr.Gallery  # the photo, photos or clip
    check: gr.HTML
    preset: gr.Radio  # of one photo; a clip has its own
    body: gr.Radio  # shown where there is a choice
    body_note: gr.HTML
    offer: gr.HTML
    accept: gr.Checkbox  # the terms of files that ask for it
    fetch: gr.Button
    halt: gr.Button  # stops fetching
    create: gr.Button
    stop: gr.Button
    status: gr.HTML
    resume: gr.Button  # goes on where no GPU was to be had
    better: gr.HTML  # what would make more of a finished avatar
    improve: gr.Button
    more: gr.UploadButton  # a clip or photos for it
    mark: gr.HTML  # tells the page's script which job is open
    delete: gr.Button
    sure: gr.Button
    examples: gr.HTML
    heading: gr.HTML
    download: gr.DownloadButton
    versions: gr.Radio  # the avatars of one job
    tabs: gr.Tabs
    video: gr.HTML
    viewer: gr.HTML
    compare: gr.ImageSlider
    no_compare: gr.HTML
    side: gr.HTML  # those avatars beside each other
    motion: gr.Radio
    follow: gr.UploadButton  # a clip whose motion the avatar takes
    follow_stop: gr.Button
    motion_video: gr.HTML
    filming: list[Any]  # what is chosen of a video, see `svad.ui.shooting.filming`
    steps: gr.HTML
    files: gr.HTML
    photo_too: gr.Checkbox  # others may see the photo
    export: gr.Radio  # a format that is made when asked for
    exported: gr.HTML
    job: gr.State  # id of the job of the pictures on the left, "" for none
    given: gr.State  # `Given`
    following: gr.State  # ticket of the video that is made from a clip, "" for none
    shown: gr.State  # key of the avatar on the right, "" for none


@dataclass(frozen=True)
class Given:
    """What lies in the place of the photo, as far as the page has dealt with it."""

    paths: tuple[str, ...] = ()  # of the files as the browser knows them
    ticket: str = ""  # of the look at them
    several: bool = False  # a clip or several photos, so that there is no preset to choose
