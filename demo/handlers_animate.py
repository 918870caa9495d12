"""The callbacks of the tab "Animate": a person goes through a motion, frame by frame, and becomes a film."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import gradio as gr
import view
from animator import Animator, Plan, finished, seconds
from callbacks import ChoosesPerson, Turn, known, one_sentence
from studio import Studio, Subject

# (number of the person, scene, motion); the first is what the tab opens with
EXAMPLES = (
    (5, "Studio", "Walk"), (21, "Studio", "Dance"), (34, "Street", "Run"),
    (7, "Studio", "Wave"), (58, "Room", "Squat"), (63, "Studio", "Turn around"),
)  # fmt: skip
OF_MOTION = "motion"  # the tab of motions, beside the one of files
QUEUED = "Waiting for its turn …"
NO_MP4 = "Without PyAV on this computer (pip install av) there is no mp4, only the GIF."


@dataclass(frozen=True, eq=False)
class FilmSession:
    """Who one visitor wants to see moving, and the film that comes next."""

    subject: Subject
    plan: Plan | None = None
    is_stopped: Callable[[], bool] = bool  # no film, nothing to stop


class AnimateHandlers(ChoosesPerson):
    """Callbacks over one studio and its animator."""

    def __init__(self, studio: Studio, device: str) -> None:
        self.studio = studio
        self.animator = Animator(studio)
        self.device = device

    # Choosing somebody: each returns (session, source) -----------------------------------------------------

    @one_sentence
    def open(self, session: FilmSession | None) -> tuple:
        """Fill the tab when it is first opened: the examples, then the first one's person."""
        if session is not None:
            return gr.skip(), gr.skip(), gr.skip()
        cards = [(self.studio.portrait(seed, scene), seed, motion) for seed, scene, motion in EXAMPLES]
        return view.example_cards(cards), *self.show(self.studio.synthetic(*EXAMPLES[0][:2]))

    def show(self, subject: Subject) -> tuple:
        """Show somebody, at rest; a film that is being drawn goes on."""
        return FilmSession(subject), view.source(subject.person.image, subject.is_synthetic)

    @one_sentence
    def use_example(self, seed: int, scene: str, motion: str) -> tuple:
        """Choose a person and a motion: (number, scene, motion, no file, its tab, session, source)."""
        shown = self.show(self.studio.synthetic(seed, scene))
        return seed, scene, motion, False, gr.Tabs(selected=OF_MOTION), *shown

    # The film ---------------------------------------------------------------------------------------------

    @one_sentence
    def begin(
        self,
        session: FilmSession | None,
        motion: str,
        is_file: bool,
        file: str | None,
        approach: str,
        num_frames: int,
        smoothed: bool,
        turn: Turn,
    ) -> tuple:
        """Find the poses, before anything that is shown is taken away: (session, film)."""
        subject = known(session).subject
        if is_file and file is None:
            raise ValueError("Choose a pose sequence first.")
        chosen = file if is_file else None
        plan = self.animator.plan(subject, motion, chosen, approach, num_frames, smoothed)
        return replace(session, plan=plan, is_stopped=turn.next()), view.waiting(QUEUED)

    @one_sentence
    def run(self, session: FilmSession | None) -> Iterator[str]:
        """Draw the film: every frame as it comes, then all of them as a film; a stop ends it early."""
        session = known(session)
        plan, frames, times = session.plan, [], []
        for frame, milliseconds in self.animator.frames(plan):
            frames.append(frame)
            times.append(milliseconds)
            progress = f"Frame {len(frames)} of {len(plan.sequence)}"
            yield view.frame(frame, progress, len(frames) / len(plan.sequence))
            if session.is_stopped():
                break
        film = finished(frames, plan.sequence.fps)
        facts = (
            plan.approach,
            f"{film.num_frames} frames, {seconds(film.num_frames, film.fps)}",
            f"{sum(times) / len(times):.0f} ms a frame",
            self.device,
        )
        notes = [plan.remark] * bool(plan.remark)
        notes += [f"stopped after {film.num_frames} of {len(plan.sequence)} frames"] * (
            film.num_frames < len(plan.sequence)
        )
        notes.append(self.studio.trained_on.get(plan.approach, "draws without any learning"))
        yield view.film(film.mp4, film.gif, frames[0].shape[:2], facts, notes) + (
            view.note(NO_MP4) if film.mp4 is None else ""
        )

    def stop(self, turn: Turn) -> None:
        """Let the film that is being drawn end with the frame at hand."""
        turn.next()
