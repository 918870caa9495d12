"""What the tabs are built from: panels that several of them show, and how their events are wired."""

import os
from collections.abc import Callable, Sequence

import gradio as gr
import view
from callbacks import ChoosesPerson, sent
from studio import MAX_SEED, SCENES

PHOTO_HINT = (
    "One person; JPEG, PNG or WebP. Joints: JSON (ours, OpenPose) or CSV; without, they are detected."
)
EXAMPLE_SCRIPT = """
element.addEventListener('click', (event) => {
  const card = event.target.closest('[data-index]');
  if (card) trigger('picked', { index: Number(card.dataset.index) });
});
"""
NO_CARDS = view.example_cards([])  # of a tab that nobody has opened yet
HOUR = 3600  # seconds that Gradio keeps what a visitor is looking at

_HIDDEN = {"show_progress": "hidden", "api_visibility": "private"}
_CORES = os.cpu_count() or 1
# Pictures must follow the hand, and of a burst only the last counts. As many are drawn at once as there are
# cores: a crowd is served sooner, and with less memory, one after the other than all at the same time.
QUICK = {"concurrency_limit": max(2, _CORES), "concurrency_id": "draw", **_HIDDEN}
# What comes after a picture, such as the truth, waits in a queue of its own: it must not keep a hand waiting.
AFTER = {"concurrency_limit": max(1, _CORES // 2), "concurrency_id": "after", **_HIDDEN}
# What costs nothing never waits.
AT_ONCE = {"concurrency_limit": None, **_HIDDEN}
# The only slow ones: detecting joints takes seconds, so they show their progress and wait their turn.
SLOW = {"concurrency_limit": 1, "api_visibility": "private"}
Parts = dict[str, gr.components.Component]
Follow = Callable[[gr.events.Dependency], None]


# Panels ---------------------------------------------------------------------------------------------------


def html(text: str = "", **settings) -> gr.HTML:
    """Make a piece of the page that only `style.css` styles."""
    return gr.HTML(text, apply_default_css=False, **settings)


def title(text: str, remark: str = "") -> gr.HTML:
    """Make the heading of a card."""
    quiet = f" <small>{remark}</small>" if remark else ""
    return html(f"<h2>{text}{quiet}</h2>", elem_classes="pgt-title")


def person_choice(prefix: str, seed: int, scene: str) -> Parts:
    """Make the fields that choose a person: by number and scene, or by a photo."""
    parts: Parts = {}
    with gr.Tabs(elem_id=f"{prefix}choose", elem_classes="pgt-choose"):
        with gr.Tab("Synthetic"):
            parts["seed"], parts["scene"] = number_and_scene(seed, scene)
            parts["roll"] = gr.Button("Somebody else", variant="primary", elem_id=f"{prefix}roll")
        with gr.Tab("Photo"):
            parts["photo"], parts["joints"] = uploads()
            html(view.note(PHOTO_HINT))
            parts["use"] = gr.Button("Use this photo", variant="primary", elem_id=f"{prefix}use-photo")
    return parts


def number_and_scene(seed: int, scene: str) -> tuple[gr.Number, gr.Dropdown]:
    """Make the two fields of a synthetic person."""
    with gr.Row(elem_classes="pgt-tight"):
        number = number_field(seed)
        choice = gr.Dropdown(
            list(SCENES), value=scene, label="Scene", filterable=False, min_width=100, scale=2
        )
    return number, choice


def number_field(seed: int, label: str = "Number") -> gr.Number:
    """Make the field of a person's, a product's or a cloth's number."""
    return gr.Number(seed, label=label, precision=0, minimum=0, maximum=MAX_SEED, min_width=80, scale=2)


def uploads() -> tuple[gr.File, gr.File]:
    """Make the two fields of a photo."""
    photo = gr.File(label="Photo", file_types=["image"], type="filepath", height=96)
    joints = gr.File(label="Joints (optional)", file_types=[".json", ".csv"], type="filepath", height=96)
    return photo, joints


def examples(prefix: str, cards: str = NO_CARDS, *, wide: bool = False) -> gr.HTML:
    """Make the row of examples, of one picture or two each; its event `picked` carries a card's `index`."""
    return gr.HTML(
        cards,
        js_on_load=EXAMPLE_SCRIPT,
        apply_default_css=False,
        elem_id=f"{prefix}examples",
        elem_classes=["pgt-examples-box", *["pgt-wide"] * wide],
    )


def steps_panel(prefix: str) -> tuple[gr.Accordion, Parts]:
    """Make the closed panel that explains a result to those who open it."""
    parts: Parts = {"looking": gr.State(False)}
    with gr.Accordion(
        "What happened, step by step", open=False, elem_id=f"{prefix}steps", elem_classes="pgt-steps"
    ) as accordion:
        parts["steps"] = html(elem_id=f"{prefix}steps-strip")
    return accordion, parts


# Events ---------------------------------------------------------------------------------------------------


def wire_person(
    handlers: ChoosesPerson, panel: Parts, others: Sequence, shown: Sequence, follow: Follow
) -> None:
    """Show whoever is chosen.

    Args:
        handlers: of the tab, or of its side.
        panel: from `person_choice`.
        others: the further inputs of `handlers.show`.
        shown: the components that `handlers.show` fills.
        follow: what comes after a new picture.
    """
    seed, scene = panel["seed"], panel["scene"]
    changed = gr.on(
        [seed.input, scene.input],
        handlers.render_person,
        [seed, scene, *others],
        shown,
        trigger_mode="always_last",
        **QUICK,
    )
    follow(changed)
    follow(panel["roll"].click(handlers.roll, [scene, *others], [seed, *shown], **QUICK))
    uploaded = [panel["photo"], panel["joints"], *others]
    follow(panel["use"].click(handlers.use_photo, uploaded, shown, **SLOW))


def wire_examples(
    cards: gr.HTML, rows: Sequence, use: Callable, others: Sequence, shown: Sequence, follow: Follow
) -> None:
    """Show the example whose card is clicked: `use` gets its row of `rows`, then the `others`."""

    def pick(event: gr.EventData, *values: object) -> tuple:
        index = sent(event, "index")
        if index not in range(len(rows)):
            raise gr.Error("There is no such example.", print_exception=False)
        return use(*rows[index], *values)

    follow(cards.picked(pick, list(others), list(shown), **QUICK))


def wire_steps(
    accordion: gr.Accordion, parts: Parts, explain: Callable, session: gr.State
) -> Callable[[gr.events.Dependency], None]:
    """Explain when the panel is opened; return what explains anew after an event."""
    explained = {"fn": explain, "inputs": [session, parts["looking"]], "outputs": parts["steps"], **AT_ONCE}
    opened = accordion.expand(lambda: True, None, parts["looking"], **AT_ONCE)
    opened.then(**explained)
    accordion.collapse(lambda: False, None, parts["looking"], **AT_ONCE)
    return lambda event: event.success(**explained)
