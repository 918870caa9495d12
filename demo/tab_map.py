"""The tab "Edit the map": its panels, and which event calls which handler."""

import gradio as gr
import numpy as np
import view
from callbacks import sent
from handlers_map import EXAMPLES, MapHandlers, MapSession
from map_editor import MapEditor
from pieces import (
    HOUR,
    QUICK,
    Follow,
    Parts,
    examples,
    html,
    person_choice,
    steps_panel,
    title,
    wire_examples,
    wire_person,
    wire_steps,
)
from tailor import EDITS, WHERE

REMARK = (
    "SPT draws along your map in this person's looks. It is inclined to copy what it sees, so what you paint "
    "is first tinted in the mean colour of its new label (ours; the paper shows the picture as it is)."
)


def lay_out(handlers: MapHandlers, tab: gr.Tab) -> None:
    """Lay out the tab and wire its events."""
    parts: Parts = {"session": gr.State(None, time_to_live=HOUR)}
    with gr.Row(elem_classes="pgt-workbench", equal_height=False):
        with gr.Column(elem_classes="pgt-card"):
            title("1 · Person")
            parts["source"] = html(view.waiting(), elem_id="map-source", elem_classes="pgt-source")
            parts |= person_choice("map-", *EXAMPLES[0][:2])
            parts["examples"] = examples("map-")
        with gr.Column(elem_classes="pgt-card"):
            title("2 · Semantic map", "paint on it")
            parts["editor"] = MapEditor(edits=list(EDITS), elem_id="map-editor", elem_classes="pgt-editor")
        with gr.Column(elem_classes="pgt-card"):
            title("3 · Redrawn by the map")
            parts["drawn"] = html(view.waiting(), elem_id="map-drawn", elem_classes="pgt-drawn")
            parts["where"] = gr.Radio(
                list(WHERE),
                value=next(iter(WHERE)),
                label="What is redrawn",
                container=False,
                elem_id="map-where",
                elem_classes="pgt-segment",
            )
            parts["tint"] = gr.Checkbox(
                True, label="Tint what changed first", container=False, elem_classes="pgt-option"
            )
            html(view.note(REMARK), elem_classes="pgt-compared")
    accordion, steps = steps_panel("map-")
    explain = wire_steps(accordion, steps, handlers.explain, parts["session"])
    _wire(handlers, tab, parts, explain)


def _wire(handlers: MapHandlers, tab: gr.Tab, parts: Parts, explain: Follow) -> None:
    def ready_made(session: MapSession | None, label_map: np.ndarray, event: gr.EventData) -> dict:
        return handlers.premade(session, label_map, sent(event, "name"))

    session, editor = parts["session"], parts["editor"]
    options = [parts["where"], parts["tint"]]
    shown = [session, parts["source"], editor, parts["drawn"]]
    named = [parts["seed"], parts["scene"], *shown]
    explain(tab.select(handlers.open, [session, *options], [parts["examples"], *named], **QUICK))
    wire_person(handlers, parts, options, shown, explain)
    wire_examples(parts["examples"], EXAMPLES, handlers.use_example, options, named, explain)

    draw = {
        "fn": handlers.release,
        "inputs": [session, editor, *options],
        "outputs": [session, parts["drawn"], editor],
        **QUICK,
    }
    explain(editor.release(**draw, trigger_mode="always_last"))
    for option in options:
        explain(option.input(**draw, trigger_mode="always_last"))
    edited = editor.premade(ready_made, [session, editor], editor, **QUICK)
    explain(edited.success(**draw))
