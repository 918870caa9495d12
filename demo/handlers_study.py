"""The callbacks of a study's page as plain functions: who takes part, what comes next, what was answered.

Between two events a visitor's page holds a `Visitor`. Everything else is in the study's folder, so that a
page that was closed goes on where it was, under the same name.
"""

import base64
import struct
from dataclasses import dataclass
from html import escape
from pathlib import Path

import gradio as gr
from callbacks import known, one_sentence

from pgt.studies.answers import answered, checked_name, record, session_of
from pgt.studies.plan import (
    GENERATED,
    GIVEN,
    LEFT,
    PREFERENCE,
    REAL,
    RIGHT,
    Plan,
    Trial,
    picture_path,
    read_plan,
)

CAPTIONS = dict(zip(GIVEN, ("The person", "The pose"), strict=True))
REAL_OR_NOT = "Is this picture real or generated?"
WHICH = "Which picture is better?"
CRITERIA = (  # SPT, Sec. 4.2
    "the pose is the wanted one", "the clothes are kept", "the background is kept", "it looks natural"
)  # fmt: skip


@dataclass(frozen=True)
class Visitor:
    """One participant's page."""

    name: str
    session: int
    left: tuple[int, ...]  # trials that are not answered yet, the one on the page first

    def __deepcopy__(self, _: dict) -> "Visitor":
        """Return itself: nobody changes it."""
        return self


class StudyHandlers:
    """Callbacks over one study's folder.

    Raises:
        ValueError: the folder holds no study.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.plan: Plan = read_plan(folder)

    def welcome(self) -> str:
        """Say what is asked for, before somebody begins."""
        plan, trials = self.plan, self.plan.sessions[0]
        if plan.kind == PREFERENCE:
            task = (
                "You see a person, a wanted pose, and two pictures of that person in that pose. "
                f"Choose the better one: {', '.join(CRITERIA)}."
            )
        else:
            task = "You see one picture at a time. Some are real, some were generated. Say which is which."
        limit = (
            f"Each picture is shown for {plan.seconds:g} second{'s' * (plan.seconds != 1)}; "
            "you may answer afterwards."
            if plan.seconds
            else "Take as long as you like."
        )
        practice = sum(one.practice for one in trials)
        counted = f'{practice} of them, marked "practice", do not count.' if practice else ""
        lines = [task, plan.note, limit, f"There are {len(trials)} questions. {counted}".strip()]
        keys = "Click, or use the arrow keys: ← for the left button, → for the right one."
        lines += [keys, "You may stop at any time and go on later under the same name."]
        return "".join(f"<p>{escape(line)}</p>" for line in lines if line)

    @one_sentence
    def begin(self, name: str | None) -> tuple:
        """Let somebody in, or go on where they were: (visitor, trial, thanks, three parts of the page)."""
        name = checked_name(name)
        session = session_of(self.folder, name)
        done = answered(self.folder, self.plan, name)
        left = tuple(n for n in range(len(self.plan.session(session))) if n not in done)
        return self._page(Visitor(name, session, left))

    @one_sentence
    def answer(self, visitor: Visitor | None, sent: object) -> tuple:
        """Keep an answer and show what comes next; one that came twice is not kept: as `begin`."""
        visitor = known(visitor)
        sent = sent if isinstance(sent, dict) else {}
        trial = sent.get("trial")
        if not visitor.left or trial != visitor.left[0]:
            return self._page(visitor)
        given = sent.get("answer"), sent.get("milliseconds")
        record(self.folder, self.plan, visitor.name, visitor.session, trial, *given)
        return self._page(Visitor(visitor.name, visitor.session, visitor.left[1:]))

    def _page(self, visitor: Visitor) -> tuple:
        """Return the visitor, the trial to show, and which part of the page is visible."""
        trials = self.plan.session(visitor.session)
        is_over = not visitor.left
        shown = None if is_over else self.shown(trials[visitor.left[0]], visitor.left[0], len(trials))
        thanks = f"<h2>Thank you, {escape(visitor.name)}</h2><p>All {len(trials)} answers are kept.</p>"
        return (
            visitor,
            shown,
            thanks if is_over else "",
            gr.update(visible=False),
            gr.update(visible=not is_over),
            gr.update(visible=is_over),
        )

    def shown(self, trial: Trial, number: int, total: int) -> dict:
        """Return what the page is told of a trial: nothing from which its truth could be guessed."""
        is_pair = self.plan.kind == PREFERENCE
        kinds = [self.plan.origins[picture][0] for picture in trial.given]
        given = [
            {**self._picture(one), "caption": CAPTIONS[kind]}
            for one, kind in zip(trial.given, kinds, strict=True)
        ]
        if is_pair:
            choices = [{"value": LEFT, "label": "Left"}, {"value": RIGHT, "label": "Right"}]
        else:
            choices = [{"value": REAL, "label": "Real"}, {"value": GENERATED, "label": "Generated"}]
        return {
            "number": number,
            "total": total,
            "practice": trial.practice,
            "question": WHICH if is_pair else REAL_OR_NOT,
            "hint": "Better means: " + ", ".join(CRITERIA) + "." if is_pair else "",
            "seconds": self.plan.seconds,
            "given": given,
            "pictures": [self._picture(one) for one in trial.pictures],
            "choices": choices,
        }

    def _picture(self, picture: str) -> dict:
        """Return a picture as a data address, and its (H, W), which its header tells."""
        content = picture_path(self.folder, picture).read_bytes()
        width, height = struct.unpack(">II", content[16:24])
        address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        return {"address": address, "shape": [height, width]}
