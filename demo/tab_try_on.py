"""The tab "Try on": its panels, and which event calls which handler."""

from collections.abc import Callable

import gradio as gr
import view
from handlers_try_on import EXAMPLES, TryOnHandlers, TryOnSession
from pieces import (
    AFTER,
    HOUR,
    QUICK,
    Follow,
    Parts,
    examples,
    html,
    number_and_scene,
    number_field,
    person_choice,
    steps_panel,
    title,
    wire_examples,
    wire_person,
    wire_steps,
)
from tailor import REGIONS

CLOTH_HINT = "Your picture: JPEG, PNG or WebP of a fabric, a painting, anything; its middle is used."


def lay_out(handlers: TryOnHandlers, tab: gr.Tab) -> None:
    """Lay out the tab and wire its events."""
    number, scene, product = EXAMPLES[0]
    parts: Parts = {"session": gr.State(None, time_to_live=HOUR)}
    with gr.Row(elem_classes="pgt-workbench", equal_height=False):
        with gr.Column(elem_classes="pgt-card"):
            title("1 · Person")
            parts["source"] = html(view.waiting(), elem_id="try-source", elem_classes="pgt-source")
            parts |= person_choice("try-", number, scene)
            parts["examples"] = examples("try-", wide=True)
        with gr.Column(elem_classes="pgt-card pgt-garment-card"):
            title("2 · Garment")
            parts["garment"] = html(view.waiting(), elem_id="try-garment", elem_classes="pgt-garment")
            with gr.Tabs(elem_classes="pgt-garments", overflow_behavior="wrap"):
                parts |= _product_panel(product) | _clothes_panel() | _cloth_panel()
        with gr.Column(elem_classes="pgt-card"):
            title("3 · Tried on")
            parts["drawn"] = html(view.waiting(), elem_id="try-drawn", elem_classes="pgt-drawn")
            parts["compared"] = html(elem_id="try-compared", elem_classes="pgt-compared")
    accordion, steps = steps_panel("try-")
    _wire(handlers, tab, parts, wire_steps(accordion, steps, handlers.explain, parts["session"]))


def _product_panel(product: int) -> Parts:
    parts: Parts = {}
    with gr.Tab("Product") as parts["product_tab"]:
        parts["product"] = number_field(product)
        parts["cut"] = gr.Checkbox(True, label="Cut the person's sleeves to its length", container=False)
        parts["align"] = gr.Checkbox(False, label="Move it under the person first", container=False)
        parts["another"] = gr.Button("Another product", variant="primary", elem_id="try-another")
    return parts


def _clothes_panel() -> Parts:
    parts: Parts = {}
    with gr.Tab("Somebody's clothes") as parts["clothes_tab"]:
        parts["other_seed"], parts["other_scene"] = number_and_scene(58, "Studio")
        parts["other_region"] = _region("try-other-region")
    return parts


def _cloth_panel() -> Parts:
    parts: Parts = {}
    with gr.Tab("Any cloth") as parts["cloth_tab"]:
        parts["cloth_seed"] = number_field(1)
        parts["cloth_region"] = _region("try-cloth-region")
        parts["picture"] = gr.File(
            label="Your picture (optional)",
            file_types=["image"],
            type="filepath",
            height=96,
            elem_id="try-cloth-picture",
        )
        html(view.note(CLOTH_HINT))
    return parts


def _region(name: str) -> gr.Radio:
    first = next(iter(REGIONS))
    return gr.Radio(
        list(REGIONS), value=first, label="Onto", container=False, elem_id=name, elem_classes="pgt-segment"
    )


# Events ---------------------------------------------------------------------------------------------------


def _wire(handlers: TryOnHandlers, tab: gr.Tab, parts: Parts, explain: Follow) -> None:
    def follow(event: gr.events.Dependency) -> None:
        event.success(handlers.compare, parts["session"], parts["compared"], **AFTER)
        explain(event)

    session = parts["session"]
    options = [parts["cut"], parts["align"]]
    shown = [session, parts["source"], parts["garment"], parts["drawn"]]
    named = [parts["seed"], parts["scene"], parts["product"], *shown]
    follow(tab.select(handlers.open, [session, *options], [parts["examples"], *named], **QUICK))
    wire_person(handlers, parts, [session, *options], shown, follow)
    wire_examples(parts["examples"], EXAMPLES, handlers.use_example, options, named, follow)

    another = [parts["product"], *shown]
    follow(parts["another"].click(handlers.another_product, [session, *options], another, **QUICK))
    for kind, handler, inputs, changes in _garments(handlers, parts):
        last = {"trigger_mode": "always_last", **QUICK}
        follow(gr.on(changes, handler, [session, *inputs], shown, **last))
        follow(parts[kind].select(_if_open(handler, len(shown)), [session, *inputs], shown, **last))


def _garments(handlers: TryOnHandlers, parts: Parts) -> list[tuple]:
    """List the three kinds of garments: name of the inner tab, handler, its inputs, what calls it."""
    product = [parts[name] for name in ("product", "cut", "align")]
    clothes = [parts[f"other_{name}"] for name in ("seed", "scene", "region")]
    cloth = [parts["cloth_seed"], parts["picture"], parts["cloth_region"]]
    upload = parts["picture"]
    return [
        ("product_tab", handlers.wear_product, product, [part.input for part in product]),
        ("clothes_tab", handlers.wear_clothes, clothes, [part.input for part in clothes]),
        ("cloth_tab", handlers.wear_cloth, cloth, [
            parts["cloth_seed"].input, parts["cloth_region"].input, upload.upload, upload.clear,
        ]),
    ]  # fmt: skip


def _if_open(handler: Callable, num_shown: int) -> Callable:
    """Skip what an inner tab says of itself when the outer one first appears: nobody is there to dress."""

    def handle(session: TryOnSession | None, *values: object) -> tuple:
        return (gr.skip(),) * num_shown if session is None else handler(session, *values)

    return handle
