"""The page of a study with people: real or generated, or which of two pictures is better.

    pgt study make my-study          chooses and blinds the pictures
    python demo/study.py my-study    opens the page on http://127.0.0.1:7860
    pgt study report my-study        counts the answers

Answers are appended to `answers.csv` in the study's folder as they come. Any number of people may take part
at once, each under a name of their own.
"""
# ruff: noqa: E402 - the library must be found before it is imported

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported: no request leaves
HERE = Path(__file__).resolve().parent
try:
    import pgt  # noqa: F401
except ModuleNotFoundError:  # not installed: the package lies beside this folder
    sys.path.insert(0, str(HERE.parent))

import gradio as gr
from app import free_port, launch
from callbacks import sent
from handlers_study import StudyHandlers, Visitor
from pieces import AT_ONCE, HOUR, html
from study_screen import StudyScreen

from pgt.studies.plan import PREFERENCE

TITLE = "Real or generated?"
TITLE_OF_PAIRS = "Which is better?"


def create_study(handlers: StudyHandlers) -> gr.Blocks:
    """Lay out the page of a study and wire its events."""
    title = TITLE_OF_PAIRS if handlers.plan.kind == PREFERENCE else TITLE
    with gr.Blocks(title=title, analytics_enabled=False) as page:
        visitor = gr.State(None, time_to_live=24 * HOUR)
        with gr.Column(elem_id="welcome", elem_classes="pgt-card pgt-study") as welcome:
            html(f"<h1>{title}</h1>{handlers.welcome()}")
            name = gr.Textbox(label="Your name, or any other", max_lines=1, max_length=40, elem_id="name")
            start = gr.Button("Begin", variant="primary", elem_id="begin")
        with gr.Column(visible=False, elem_id="trial", elem_classes="pgt-card pgt-study") as running:
            screen = StudyScreen(elem_id="screen")
        with gr.Column(visible=False, elem_id="end", elem_classes="pgt-card pgt-study") as end:
            thanks = html()
        parts = [visitor, screen, thanks, welcome, running, end]

        def answer(now: Visitor | None, event: gr.EventData) -> tuple:
            words = {name: sent(event, name) for name in ("trial", "answer", "milliseconds")}
            return handlers.answer(now, words)

        gr.on([start.click, name.submit], handlers.begin, name, parts, **AT_ONCE)
        screen.answered(answer, visitor, parts, **AT_ONCE)
    return page.queue(max_size=256)


def main() -> None:
    """Parse the flags and open the page."""
    parser = argparse.ArgumentParser(description="The page of a study, for its participants.")
    parser.add_argument("folder", help="of the study, by pgt study make")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other computers in")
    parser.add_argument("--port", type=int, default=7860, help="another free one is taken if it is in use")
    parser.add_argument("--share", action="store_true", help="a public link through Gradio's servers")
    arguments = parser.parse_args()
    try:
        page = create_study(StudyHandlers(arguments.folder))
    except ValueError as error:
        parser.exit(1, f"{error}\n")
    port = free_port(arguments.port, arguments.host)
    launch(
        page,
        server_name=arguments.host,
        server_port=port,
        share=arguments.share,
        footer_links=["gradio"],
    )


if __name__ == "__main__":
    main()
