"""The page: its panels, and which event calls which handler."""

from pathlib import Path

import gradio as gr
import view
from handlers import Handlers, Session
from pose_editor import PoseEditor
from studio import MAX_SEED, SCENES, Studio

# (number of the person, scene, ready-made pose); the first is what the page opens with
EXAMPLES = (
    (7, "Studio", "Arms raised"), (21, "Studio", "Walking"), (34, "Street", "Running"),
    (58, "Studio", "Sitting"), (63, "Street", "Kicking"), (90, "Studio", "Hands on hips"),
)  # fmt: skip
TITLE = "Pose-guided person images"
SUBTITLE = "Choose a person, drag the joints, and see PG2 draw that person in your pose."
LIMITS = (
    "<p><b>Limits.</b> Trained on synthetic people alone: on a photograph expect the pose and the main "
    "colours, not the face or the fabric; unusual poses come out worse.</p>"
    "<p><b>Terms.</b> MIT. Use photos only of people who agree; uploads stay on the computer that runs this "
    "page and are deleted within an hour; results are no photographs.</p>"
)
PHOTO_HINT = (
    "One person; JPEG, PNG or WebP. Joints: JSON (ours, OpenPose) or CSV; without, they are detected."
)
EXAMPLE_SCRIPT = """
element.addEventListener('click', (event) => {
  const card = event.target.closest('[data-index]');
  if (card) trigger('picked', { index: Number(card.dataset.index) });
});
"""

# Pictures must follow the hand: nobody's drawing waits for another's, and of a burst only the last counts.
QUICK = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
Parts = dict[str, gr.components.Component]


def create_demo(studio: Studio, device: str) -> gr.Blocks:
    """Lay out the page and wire its events.

    Args:
        studio: what draws.
        device: what computes, in words.
    """
    handlers = Handlers(studio, device)
    seed, scene, preset = EXAMPLES[0]
    subject = studio.synthetic(seed, scene)
    first, source, editor, result = handlers.show(subject, subject.presets[preset])

    with gr.Blocks(title=TITLE, delete_cache=(300, 3000), analytics_enabled=False) as demo:
        parts: Parts = {"session": gr.State(first, time_to_live=3600), "looking": gr.State(False)}
        _html(view.header(TITLE, SUBTITLE, (*_weights(studio), device)))
        with gr.Row(elem_id="workbench", equal_height=False):
            with gr.Column(elem_id="person", elem_classes="pgt-card"):
                parts |= _person_panel(source, seed, scene, studio)
            with gr.Column(elem_id="pose", elem_classes="pgt-card"):
                _html("<h2>2 · Pose <small>drag the joints</small></h2>", elem_classes="pgt-title")
                settings = {name: value for name, value in editor.items() if name != "__type__"}
                parts["editor"] = PoseEditor(**settings, elem_id="editor")
                parts |= _copy_panel()
            with gr.Column(elem_id="result", elem_classes="pgt-card"):
                _html("<h2>3 · Result</h2>", elem_classes="pgt-title")
                parts["drawn"] = _html(result, elem_id="drawn")
                parts["compared"] = _html(handlers.compare(first), elem_id="compared")
        with gr.Accordion("What happened, step by step", open=False, elem_id="steps") as accordion:
            parts["steps"] = _html("", elem_id="steps-strip")
        _html(LIMITS, elem_classes="pgt-terms")

        # First, so that no event of the page takes one of these names.
        gr.api(handlers.api_render_person, api_name="render_person")
        gr.api(handlers.api_generate, api_name="generate")
        gr.api(handlers.api_generate_from_photo, api_name="generate_from_photo")
        _wire_editor(handlers, parts)
        _wire_people(handlers, parts)
        _wire_copying(handlers, parts)
        opened = accordion.expand(lambda: True, None, parts["looking"], **QUICK)
        opened.then(handlers.explain, [parts["session"], parts["looking"]], parts["steps"], **QUICK)
        accordion.collapse(lambda: False, None, parts["looking"], **QUICK)
    return demo.queue(max_size=64, default_concurrency_limit=4)


# Panels ---------------------------------------------------------------------------------------------------


def _html(text: str, **settings) -> gr.HTML:
    """Make a piece of the page that only `style.css` styles."""
    return gr.HTML(text, apply_default_css=False, **settings)


def _weights(studio: Studio) -> tuple[str, str]:
    source = str(getattr(studio.predictor.model, "checkpoint_source", ""))
    place = source if source.startswith("the Hub") else "bundled" if "bundled" in source else "a local folder"
    name = Path(studio.predictor.name).name  # the rest of a path is nobody's business
    return f"{name} ({place})", f"{studio.predictor.num_parameters / 1e6:.1f} M weights"


def _person_panel(source: str, seed: int, scene: str, studio: Studio) -> Parts:
    _html("<h2>1 · Person</h2>", elem_classes="pgt-title")
    parts: Parts = {"source": _html(source, elem_id="source")}
    with gr.Tabs(elem_id="choose"):
        with gr.Tab("Synthetic"):
            parts["seed"], parts["scene"] = _number_and_scene(seed, scene)
            parts["roll"] = gr.Button("Somebody else", variant="primary", elem_id="roll")
        with gr.Tab("Photo"):
            parts["photo"], parts["joints"] = _uploads()
            _html(view.note(PHOTO_HINT))
            parts["use"] = gr.Button("Use this photo", variant="primary", elem_id="use-photo")
    cards = [(studio.synthetic(*example[:2]).person.image, *example) for example in EXAMPLES]
    parts["examples"] = gr.HTML(
        view.example_cards(cards), js_on_load=EXAMPLE_SCRIPT, apply_default_css=False, elem_id="examples"
    )
    return parts


def _copy_panel() -> Parts:
    parts: Parts = {}
    with gr.Accordion("Copy the pose of somebody else", open=False, elem_id="copy"), gr.Tabs():
        with gr.Tab("Synthetic person"):
            parts["copy_seed"], parts["copy_scene"] = _number_and_scene(1, next(iter(SCENES)))
            parts["copy_person"] = gr.Button("Copy this pose", elem_id="copy-person")
        with gr.Tab("Photo"):
            parts["copy_photo"], parts["copy_joints"] = _uploads()
            parts["copy_from_photo"] = gr.Button("Copy this pose", elem_id="copy-photo")
    return parts


def _number_and_scene(seed: int, scene: str) -> tuple[gr.Number, gr.Dropdown]:
    with gr.Row(elem_classes="pgt-tight"):
        number = gr.Number(
            seed, label="Number", precision=0, minimum=0, maximum=MAX_SEED, min_width=80, scale=2
        )
        choice = gr.Dropdown(
            list(SCENES), value=scene, label="Scene", filterable=False, min_width=100, scale=2
        )
    return number, choice


def _uploads() -> tuple[gr.File, gr.File]:
    photo = gr.File(label="Photo", file_types=["image"], type="filepath", height=96)
    joints = gr.File(label="Joints (optional)", file_types=[".json", ".csv"], type="filepath", height=96)
    return photo, joints


# Events ---------------------------------------------------------------------------------------------------


def _follow(handlers: Handlers, event: gr.events.Dependency, parts: Parts) -> None:
    """After a new picture: compare it, and explain it if somebody is looking."""
    event.success(handlers.compare, parts["session"], parts["compared"], **QUICK)
    event.success(handlers.explain, [parts["session"], parts["looking"]], parts["steps"], **QUICK)


def _wire_editor(handlers: Handlers, parts: Parts) -> None:
    def read_file(session: Session, event: gr.EventData) -> dict:
        return handlers.imported(session, _sent(event, "text"))

    editor = parts["editor"]
    released = editor.release(
        handlers.release, [parts["session"], editor], _after_edit(parts), trigger_mode="always_last", **QUICK
    )
    _follow(handlers, released, parts)
    _draw_after(handlers, editor.imported(read_file, parts["session"], editor, **QUICK), parts)


def _wire_people(handlers: Handlers, parts: Parts) -> None:
    def pick(event: gr.EventData) -> tuple:
        index = _sent(event, "index")
        if index not in range(len(EXAMPLES)):
            raise gr.Error("There is no such example.", print_exception=False)
        return handlers.use_example(*EXAMPLES[index])

    seed, scene = parts["seed"], parts["scene"]
    shown = [parts["session"], parts["source"], parts["editor"], parts["drawn"]]
    changed = gr.on(
        [seed.input, scene.input],
        handlers.render_person,
        [seed, scene],
        shown,
        trigger_mode="always_last",
        **QUICK,
    )
    _follow(handlers, changed, parts)
    _follow(handlers, parts["roll"].click(handlers.roll, scene, [seed, *shown], **QUICK), parts)
    _follow(handlers, parts["examples"].picked(pick, None, [seed, scene, *shown], **QUICK), parts)
    uploads = [parts["photo"], parts["joints"]]
    # The only slow one: detecting joints takes seconds, so it shows its progress and waits its turn.
    used = parts["use"].click(
        handlers.use_photo, uploads, shown, api_visibility="private", concurrency_limit=1
    )
    _follow(handlers, used, parts)


def _wire_copying(handlers: Handlers, parts: Parts) -> None:
    session, editor = parts["session"], parts["editor"]
    person = [session, parts["copy_seed"], parts["copy_scene"]]
    photo = [session, parts["copy_photo"], parts["copy_joints"]]
    _draw_after(
        handlers, parts["copy_person"].click(handlers.copy_from_person, person, editor, **QUICK), parts
    )
    copied = parts["copy_from_photo"].click(
        handlers.copy_from_photo, photo, editor, api_visibility="private", concurrency_limit=1
    )
    _draw_after(handlers, copied, parts)


def _draw_after(handlers: Handlers, event: gr.events.Dependency, parts: Parts) -> None:
    """Draw once an event has put another pose into the editor."""
    inputs = [parts["session"], parts["editor"]]
    _follow(handlers, event.success(handlers.release, inputs, _after_edit(parts), **QUICK), parts)


def _after_edit(parts: Parts) -> list:
    return [parts["session"], parts["drawn"], parts["editor"]]


def _sent(event: gr.EventData, name: str) -> object:
    """Return what the page sent along with an event; anything may be missing or of any type."""
    return event._data.get(name) if isinstance(event._data, dict) else None
