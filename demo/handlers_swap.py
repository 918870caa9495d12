"""The callbacks of the tab "Swap clothes": two people exchange the textures of what they wear."""

from dataclasses import dataclass

import gradio as gr
import numpy as np
import view
from callbacks import ChoosesPerson, known, one_sentence
from studio import Studio, Subject
from tailor import Made, Tailor, checked_regions, composition, scores_of

from pgt.plot import color_parsing

# ((number of a person, scene) twice, name); the first are who the tab opens with
EXAMPLES = (
    ((0, "Studio"), (31, "Studio"), "T-shirts"), ((41, "Studio"), (60, "Studio"), "Jumpers"),
    ((2, "Studio"), (39, "Studio"), "Skirts"), ((19, "Studio"), (89, "Studio"), "Dresses"),
)  # fmt: skip
NO_TRUTH = "There is no truth to compare with: it needs two synthetic people without dresses."


@dataclass(frozen=True, eq=False)
class SwapSession:
    """The two people whom one visitor sees."""

    subjects: tuple[Subject, Subject]
    regions: tuple[str, ...]
    made: tuple[Made, Made]


class Side(ChoosesPerson):
    """Callbacks that exchange one of the two people."""

    def __init__(self, handlers: "SwapHandlers", index: int) -> None:
        self.studio = handlers.studio
        self.handlers = handlers
        self.index = index

    def show(self, subject: Subject, session: SwapSession | None, regions: list[str]) -> tuple:
        """Show somebody on this side; the other side keeps its person."""
        subjects = list(known(session).subjects)
        subjects[self.index] = subject
        return self.handlers.draw(*subjects, regions)


class SwapHandlers:
    """Callbacks over one studio and its tailor."""

    def __init__(self, studio: Studio, tailor: Tailor, device: str) -> None:
        self.studio = studio
        self.tailor = tailor
        self.device = device
        self.sides = (Side(self, 0), Side(self, 1))

    def draw(self, first: Subject, second: Subject, regions: list[str]) -> tuple:
        """Swap, and return the session and both sides' pictures before and after."""
        made = self.tailor.swap(first, second, regions)
        session = SwapSession((first, second), tuple(regions), made)
        return session, *(self._pair(session, index) for index in (0, 1))

    @one_sentence
    def open(self, session: SwapSession | None, regions: list[str]) -> tuple:
        """Fill the tab when it is first opened: the examples, then as `use_example`."""
        if session is not None:
            return (gr.skip(),) * 8
        cards = []
        for first, second, name in EXAMPLES:
            pictures = [self.studio.portrait(*who) for who in (first, second)]
            cards.append((np.concatenate(pictures, axis=1), f"{first[0]} and {second[0]}", name))
        return view.example_cards(cards), *self.use_example(*EXAMPLES[0][:2], regions)

    @one_sentence
    def use_example(self, first: tuple[int, str], second: tuple[int, str], regions: list[str]) -> tuple:
        """Show two synthetic people; their numbers and scenes come first."""
        subjects = [self.studio.synthetic(*who) for who in (first, second)]
        return *first, *second, *self.draw(*subjects, regions)

    @one_sentence
    def release(self, session: SwapSession | None, regions: list[str]) -> tuple:
        """Swap other regions of the same people."""
        return self.draw(*known(session).subjects, regions)

    @one_sentence
    def compare(self, session: SwapSession | None) -> tuple[str, str]:
        """Show for both sides the truth and the scores, where synthetic people have one."""
        if session is None:
            return "", ""
        return self._compared(session, 0), self._compared(session, 1)

    @one_sentence
    def explain(self, session: SwapSession | None, wanted: bool) -> str:
        """Show how the first person's result came about, if somebody is looking."""
        if not wanted or session is None:
            return ""
        first, second = (self.tailor.person(subject) for subject in session.subjects)
        given = [
            (first.image, "First person", "pose, map and background are kept"),
            (second.image, "Second person", "lends the textures"),
            (color_parsing(second.label_map), "The second's map", "which texture belongs to which label"),
        ]
        return view.steps([*given, *composition(session.made[0].result)], legend=True)

    def _pair(self, session: SwapSession, index: int) -> str:
        """Return one side's picture before and after."""
        subject, made = session.subjects[index], session.made[index]
        before = view.source(self.tailor.person(subject).image, subject.is_synthetic)
        facts = (f"{made.milliseconds:.0f} ms", self.device)
        after = view.result(made.result.image, facts, "The same person in the other one's textures")
        unchanged = "" if made.result.mask.any() else view.note("Wears none of that, so nothing changes.")
        return view.strip([before, after]) + unchanged

    def _compared(self, session: SwapSession, index: int) -> str:
        subject, other = session.subjects[index], session.subjects[1 - index]
        result, labels = session.made[index].result, checked_regions(session.regions)
        truth = self.tailor.swap_truth(subject, other, session.regions)
        if truth is None:
            return view.note(NO_TRUTH)
        if not result.mask.any():
            return ""
        scores = scores_of({"SPT": result.image, "As before": result.base}, truth, labels)
        figure = view.figure(truth.image, "Truth", "rendered in that cloth")
        return view.strip([figure, view.region_table(scores)])

    # For programs: no session -----------------------------------------------------------------------------

    @one_sentence
    def api_swap_clothes(
        self,
        first_seed: int,
        first_scene: str,
        second_seed: int,
        second_scene: str,
        regions: list[str],
    ) -> dict:
        """Exchange the clothes' textures of two synthetic people.

        Args:
            first_seed, second_seed: 0 to 999999.
            first_scene, second_scene: "Studio", "Room" or "Street".
            regions: among "Upper clothes", "Pants", "Skirt".

        Returns:
            first and second (PNG as data addresses), milliseconds.
        """
        people = (first_seed, first_scene), (second_seed, second_scene)
        made = self.tailor.swap(*(self.studio.synthetic(*who) for who in people), regions)
        first, second = (view.picture_address(one.result.image) for one in made)
        return {"first": first, "second": second, "milliseconds": round(made[0].milliseconds, 1)}
