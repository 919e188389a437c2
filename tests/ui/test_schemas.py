"""What gradio asks of every component for each session costs no visitor's time."""

from __future__ import annotations

import gradio as gr
from gradio.data_classes import FileData
from gradio.state_holder import SessionState

from svad.ui.schemas import keep_configs


def test_a_new_session_works_nothing_out_anew_and_gets_its_own_copy(monkeypatch) -> None:
    with gr.Blocks() as page, gr.Row():
        button, choice = gr.UploadButton(), gr.Radio(["a", "b"], value="b")
    before = SessionState(page).config_values
    keep_configs(page)
    monkeypatch.setattr(FileData, "model_json_schema", None)  # calling it would fail
    monkeypatch.setattr(gr.blocks.Block, "get_config", None)
    for _ in range(2):
        found = SessionState(page).config_values
        assert found == before
        found[button._id]["api_info"].clear()
        found[choice._id]["props"].clear()


def test_a_component_that_changes_for_one_visitor_tells_what_it_is_now() -> None:
    with gr.Blocks() as page:
        choice = gr.Radio(["a", "b"])
    keep_configs(page)
    changed = choice.__class__(**{**choice.constructor_args, "choices": ["c"]})
    assert changed.get_config()["choices"] == [("c", "c")]
