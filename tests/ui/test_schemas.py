"""What gradio asks of every component for each session costs no visitor's time."""

from __future__ import annotations

import gradio as gr
from gradio.data_classes import FileData
from gradio.state_holder import SessionState

from svad.ui.schemas import keep_schemas


def test_a_new_session_makes_no_schema_anew_and_gets_one_of_its_own(monkeypatch) -> None:
    with gr.Blocks() as page:
        button = gr.UploadButton()
    before = button.api_info()
    keep_schemas(page)
    monkeypatch.setattr(FileData, "model_json_schema", None)  # calling it would fail
    session = SessionState(page)
    assert session.config_values[button._id]["api_info"] == before
    button.api_info().clear()
    assert button.api_info() == before
