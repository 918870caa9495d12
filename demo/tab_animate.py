"""The tab "Animate": its panels, and which event calls which handler."""

import gradio as gr
import view
from animator import BASELINE, MAX_FRAMES, MIN_FRAMES, MOTIONS
from callbacks import Turn
from handlers_animate import EXAMPLES, OF_MOTION, AnimateHandlers
from pieces import (
    AT_ONCE,
    HOUR,
    QUICK,
    Parts,
    examples,
    html,
    person_choice,
    title,
    wire_examples,
    wire_person,
)

SHOWN = {**QUICK, "show_progress": "minimal"}  # finding the poses may take a second or two
FRAMES = 48  # of a film, unless somebody chooses
SEQUENCE_HINT = (
    "JSON (ours: fps, image_size, frames), or a keypoint CSV with one row per frame, shown at 25 a second."
)
IDLE = "Choose who moves and how, then press Animate."


def lay_out(handlers: AnimateHandlers, tab: gr.Tab) -> None:
    """Lay out the tab and wire its events."""
    parts: Parts = {"session": gr.State(None, time_to_live=HOUR), "turn": gr.State(Turn())}
    seed, scene, motion = EXAMPLES[0]
    with gr.Row(elem_classes="pgt-workbench pgt-stacked", equal_height=False):
        with gr.Column(elem_classes="pgt-card"):
            title("1 · Person")
            parts["source"] = html(view.waiting(), elem_id="animate-source", elem_classes="pgt-source")
            parts |= person_choice("animate-", seed, scene)
            parts["examples"] = examples("animate-")
        with gr.Column(elem_classes="pgt-card"):
            title("2 · Motion")
            parts |= _motion_panel(handlers, motion)
        with gr.Column(elem_classes="pgt-card"):
            title("3 · Film")
            parts["film"] = html(view.empty(IDLE), elem_id="film", elem_classes="pgt-drawn")
    _wire(handlers, tab, parts)


def _motion_panel(handlers: AnimateHandlers, motion: str) -> Parts:
    parts: Parts = {"is_file": gr.State(False)}
    with gr.Tabs(elem_id="motion-choose", elem_classes="pgt-choose") as parts["kind"]:
        with gr.Tab("Motion", id=OF_MOTION) as of_motion:
            parts["motion"] = gr.Radio(
                list(MOTIONS),
                value=motion,
                label="Motion",
                container=False,
                elem_id="motion",
            )
        with gr.Tab("Upload", id="upload") as of_file:
            parts["file"] = gr.File(
                label="Pose sequence",
                file_types=[".json", ".csv"],
                type="filepath",
                height=96,
                elem_id="sequence",
            )
            html(view.note(SEQUENCE_HINT))
    of_motion.select(lambda: False, None, parts["is_file"], **AT_ONCE)
    of_file.select(lambda: True, None, parts["is_file"], **AT_ONCE)
    names = [*handlers.studio.approaches, BASELINE]
    parts["approach"] = gr.Radio(
        names, value=names[0], label="Drawn by", elem_id="animate-approach", elem_classes="pgt-option"
    )
    parts["frames"] = gr.Slider(
        MIN_FRAMES,
        MAX_FRAMES,
        value=FRAMES,
        step=1,
        label="Frames",
        elem_id="animate-frames",
        elem_classes="pgt-option",
    )
    parts["smoothed"] = gr.Checkbox(
        True, label="Smooth the joints in time", elem_id="animate-smooth", elem_classes="pgt-option"
    )
    with gr.Row(elem_classes="pgt-tight pgt-buttons"):
        parts["run"] = gr.Button("Animate", variant="primary", elem_id="animate-run")
        parts["stop"] = gr.Button("Stop", elem_id="animate-stop")
    return parts


def _wire(handlers: AnimateHandlers, tab: gr.Tab, parts: Parts) -> None:
    def nothing_more(event: gr.events.Dependency) -> None:
        """A person who is chosen stands still until somebody presses the button."""

    session, turn, film = parts["session"], parts["turn"], parts["film"]
    shown = [session, parts["source"]]
    tab.select(handlers.open, session, [parts["examples"], *shown], **QUICK)
    wire_person(handlers, parts, [], shown, nothing_more)

    wanted = [parts[name] for name in ("motion", "is_file", "file", "approach", "frames", "smoothed")]
    # Drawing waits in a queue of its own, one film at a time; what can be wrong is found before.
    begin = {"fn": handlers.begin, "inputs": [session, *wanted, turn], "outputs": [session, film], **SHOWN}
    one_by_one = {**QUICK, "concurrency_limit": 1, "concurrency_id": "film", "trigger_mode": "always_last"}

    def film_after(event: gr.events.Dependency) -> None:
        event.success(handlers.run, session, film, **one_by_one)

    film_after(parts["run"].click(**begin))
    parts["stop"].click(handlers.stop, turn, None, **AT_ONCE)

    named = [parts[name] for name in ("seed", "scene", "motion", "is_file", "kind")]

    def film_of_example(event: gr.events.Dependency) -> None:
        film_after(event.success(**begin))

    wire_examples(parts["examples"], EXAMPLES, handlers.use_example, [], [*named, *shown], film_of_example)
