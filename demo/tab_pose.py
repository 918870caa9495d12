"""The tab "Pose transfer": its panels, and which event calls which handler."""

import gradio as gr
import view
from callbacks import Turn, sent
from handlers import ALL, Handlers, Session
from pieces import (
    AFTER,
    AT_ONCE,
    HOUR,
    QUICK,
    SLOW,
    Follow,
    Parts,
    examples,
    html,
    number_and_scene,
    person_choice,
    steps_panel,
    title,
    uploads,
    wire_examples,
    wire_person,
    wire_steps,
)
from pose_editor import PoseEditor
from studio import MAX_ROUNDS, NON_ICONIC, SCENES, Studio

# (number of the person, scene, ready-made pose); the first is what the page opens with
EXAMPLES = (
    (7, "Studio", "Arms raised"), (21, "Studio", "Walking"), (34, "Street", "Running"),
    (58, "Studio", "Sitting"), (63, "Street", "Kicking"), (90, "Studio", "Hands on hips"),
    (12, NON_ICONIC, "Walking"), (45, NON_ICONIC, "Jumping"), (71, NON_ICONIC, "Bending"),
)  # fmt: skip
ALL_OF = {2: "Both", 3: "All three", 4: "All four"}  # number of approaches -> what their view is called
PLAIN_ROUNDS = 3  # where the weights of no approach that refines tell


def lay_out(handlers: Handlers) -> None:
    """Lay out the tab and wire its events."""
    seed, scene, preset = EXAMPLES[0]
    subject = handlers.studio.synthetic(seed, scene)
    first, source, editor, result = handlers.show(subject, pose=subject.presets[preset])

    parts: Parts = {"session": gr.State(first, time_to_live=HOUR), "turn": gr.State(Turn())}
    with gr.Row(elem_id="workbench", elem_classes="pgt-workbench", equal_height=False):
        with gr.Column(elem_id="person", elem_classes="pgt-card"):
            title("1 · Person")
            parts["source"] = html(source, elem_id="source", elem_classes="pgt-source")
            parts |= person_choice("", seed, scene)
            parts["examples"] = examples("", _cards(handlers.studio))
        with gr.Column(elem_id="pose", elem_classes="pgt-card"):
            title("2 · Pose", "drag a joint, or the whole body")
            settings = {name: value for name, value in editor.items() if name != "__type__"}
            parts["editor"] = PoseEditor(**settings, elem_id="editor", elem_classes="pgt-editor")
            parts |= _copy_panel()
        with gr.Column(elem_id="result", elem_classes="pgt-card"):
            title("3 · Result")
            parts["approach"] = _approach(handlers.studio)
            parts["rounds"] = _rounds(handlers)
            parts["drawn"] = html(result, elem_id="drawn", elem_classes="pgt-drawn")
            compared = handlers.compare(first)
            parts["compared"] = html(compared, elem_id="compared", elem_classes="pgt-compared")
    accordion, panel = steps_panel("")
    _wire(handlers, parts, wire_steps(accordion, panel, handlers.explain, parts["session"]))


def _cards(studio: Studio) -> str:
    return view.example_cards((studio.portrait(seed, scene), seed, name) for seed, scene, name in EXAMPLES)


def _approach(studio: Studio) -> gr.Radio:
    """Make the choice between the approaches; nothing is shown where there is no choice."""
    names = list(studio.approaches)
    choices = [(name, name) for name in names]
    if len(names) > 1:
        choices.append((ALL_OF.get(len(names), "All"), ALL))
    return gr.Radio(
        choices,
        value=names[0],
        label="Drawn by",
        visible=len(names) > 1,
        container=False,
        elem_id="approach",
        elem_classes="pgt-segment",
    )


def _rounds(handlers: Handlers) -> gr.Slider:
    """Make the choice of MR-Net's rounds, which is shown only while MR-Net draws."""
    approaches = handlers.studio.approaches
    refiners = [one for one in approaches.values() if one.has_rounds]
    trained = refiners[0].model.config.num_rounds if refiners else PLAIN_ROUNDS
    return gr.Slider(
        1,
        MAX_ROUNDS,
        value=min(trained, MAX_ROUNDS),
        step=1,
        label="Rounds of refinement",
        visible=handlers.tools(next(iter(approaches)))["visible"],
        elem_id="rounds",
        elem_classes="pgt-option",
    )


def _copy_panel() -> Parts:
    parts: Parts = {}
    with gr.Accordion("Copy the pose of somebody else", open=False, elem_id="copy"), gr.Tabs():
        with gr.Tab("Synthetic person"):
            parts["copy_seed"], parts["copy_scene"] = number_and_scene(1, next(iter(SCENES)))
            parts["copy_person"] = gr.Button("Copy this pose", elem_id="copy-person")
        with gr.Tab("Photo"):
            parts["copy_photo"], parts["copy_joints"] = uploads()
            parts["copy_from_photo"] = gr.Button("Copy this pose", elem_id="copy-photo")
    return parts


# Events ---------------------------------------------------------------------------------------------------


def _wire(handlers: Handlers, parts: Parts, explain: Follow) -> None:
    def follow(event: gr.events.Dependency) -> None:
        """After a new picture: show what belongs to it, and explain it if somebody is looking."""
        filled = [parts["drawn"], parts["compared"]]
        event.success(handlers.follow, parts["session"], filled, trigger_mode="always_last", **AFTER)
        explain(event)

    session, editor, approach = parts["session"], parts["editor"], parts["approach"]
    how = [approach, parts["rounds"], parts["turn"]]
    shown = [session, parts["source"], editor, parts["drawn"]]
    wire_person(handlers, parts, how, shown, follow)
    named = [parts["seed"], parts["scene"], *shown]
    wire_examples(parts["examples"], EXAMPLES, handlers.use_example, how, named, follow)

    draw = {
        "fn": handlers.release,
        "inputs": [session, editor, *how],
        "outputs": [session, parts["drawn"], editor],
        **QUICK,
    }
    follow(editor.release(**draw, trigger_mode="always_last"))
    approach.input(handlers.tools, approach, parts["rounds"], **AT_ONCE)
    follow(approach.input(**draw, trigger_mode="always_last"))
    follow(parts["rounds"].input(**draw, trigger_mode="always_last"))
    for event in _poses_from_elsewhere(handlers, parts):
        follow(event.success(**draw))


def _poses_from_elsewhere(handlers: Handlers, parts: Parts) -> list[gr.events.Dependency]:
    """Wire what puts another pose into the editor, which then has to be drawn."""

    def read_file(session: Session, event: gr.EventData) -> dict:
        return handlers.imported(session, sent(event, "text"))

    session, editor = parts["session"], parts["editor"]
    person = [session, parts["copy_seed"], parts["copy_scene"]]
    photo = [session, parts["copy_photo"], parts["copy_joints"]]
    return [
        editor.imported(read_file, session, editor, **QUICK),
        parts["copy_person"].click(handlers.copy_from_person, person, editor, **QUICK),
        parts["copy_from_photo"].click(handlers.copy_from_photo, photo, editor, **SLOW),
    ]
