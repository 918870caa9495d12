"""The screen of a study: a Gradio component that shows one trial and sends one answer for it.

A `gr.HTML` with a fixed template; `study_screen.js` draws the trial, hides its picture when the time is over,
and listens to clicks and to the arrow keys. Its event `answered` carries `trial`, `answer`, `milliseconds`.
"""

from pathlib import Path

import gradio as gr

HERE = Path(__file__).parent


class StudyScreen(gr.HTML):
    """Show the trial that is its value, from `StudyHandlers`; None shows nothing."""

    def __init__(self, value: dict | None = None, **settings) -> None:
        """Show `value`; `settings` are those of `gr.HTML`."""
        super().__init__(
            value=value,
            html_template=(HERE / "study_screen.html").read_text(encoding="utf-8"),
            css_template=(HERE / "study_screen.css").read_text(encoding="utf-8"),
            js_on_load=(HERE / "study_screen.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            **settings,
        )
