"""The tab "Swap clothes": its panels, and which event calls which handler."""

import gradio as gr
import view
from handlers_swap import EXAMPLES, SwapHandlers
from pieces import (
    AFTER,
    HOUR,
    QUICK,
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
from tailor import REGIONS


def lay_out(handlers: SwapHandlers, tab: gr.Tab) -> None:
    """Lay out the tab and wire its events."""
    session = gr.State(None, time_to_live=HOUR)
    with gr.Row(elem_classes="pgt-card pgt-bar"):
        title("Swap the textures of")
        regions = gr.CheckboxGroup(
            list(REGIONS),
            value=list(REGIONS),
            label="Swap the textures of",
            container=False,
            elem_id="swap-regions",
        )
    with gr.Row(elem_classes="pgt-pair", equal_height=False):
        sides = [_side(index) for index in (0, 1)]
    with gr.Row(elem_classes="pgt-card"):
        cards = examples("swap-", wide=True)
    accordion, steps = steps_panel("swap-")
    explain = wire_steps(accordion, steps, handlers.explain, session)

    def follow(event: gr.events.Dependency) -> None:
        compared = [side["compared"] for side in sides]
        event.success(handlers.compare, session, compared, **AFTER)
        explain(event)

    shown = [session, *(side["pair"] for side in sides)]
    named = [side[name] for side in sides for name in ("seed", "scene")]
    follow(tab.select(handlers.open, [session, regions], [cards, *named, *shown], **QUICK))
    follow(regions.input(handlers.release, [session, regions], shown, trigger_mode="always_last", **QUICK))
    for callbacks, side in zip(handlers.sides, sides, strict=True):
        wire_person(callbacks, side, [session, regions], shown, follow)
    rows = [example[:2] for example in EXAMPLES]
    wire_examples(cards, rows, handlers.use_example, [regions], [*named, *shown], follow)


def _side(index: int) -> Parts:
    """Make the card of one of the two people."""
    prefix = f"swap-{'ab'[index]}-"
    with gr.Column(elem_classes="pgt-card"):
        title(("1 · One person", "2 · Another person")[index], "before and after")
        waiting = view.strip([view.waiting(), view.waiting()])
        pair = html(waiting, elem_id=f"{prefix}pair", elem_classes="pgt-before-after")
        parts = {"pair": pair, **person_choice(prefix, *EXAMPLES[0][index])}
        parts["compared"] = html(elem_id=f"{prefix}compared", elem_classes="pgt-compared")
    return parts
