"""The callbacks of the tab "Pose transfer" as plain functions: validate, ask the studio, return HTML.

They hold no Gradio state of their own: what a visitor's page needs between two events travels in a `Session`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gradio as gr
import steps
import view
from callbacks import ChoosesPerson, Turn, known, one_sentence, photo_file
from placing import moved_onto
from pose_editor import checked_pose, pose_to_value, preset_entry, value_to_pose
from studio import NO_MAP, Comparison, Studio, Subject
from weights import SPT

from pgt.data.pose import Pose
from pgt.photos import says_its_size
from pgt.predictor import Prediction, fit_pose

MAX_POSE_TEXT = 1_000_000  # characters of an imported pose
ALL = "All"  # in place of an approach: every one of them, side by side
BASELINE = "Part warp"


@dataclass(frozen=True, eq=False)
class Session:
    """What one visitor is looking at."""

    subject: Subject
    pose: Pose  # as in the editor
    approach: str  # or ALL
    prediction: Prediction  # the approach's; of ALL the first one's
    is_overtaken: Callable[[], bool]  # whether the visitor has asked for another picture since

    def __deepcopy__(self, _: dict) -> "Session":
        """Return itself: Gradio copies what a page opens with for every visitor, which nobody changes."""
        return self


class Handlers(ChoosesPerson):
    """Callbacks over one studio."""

    def __init__(self, studio: Studio, device: str) -> None:
        self.studio = studio
        self.device = device

    # Choosing somebody: each returns (session, source, editor, result) ------------------------------------

    def show(
        self,
        subject: Subject,
        approach: str = "",
        rounds: int | None = None,
        turn: Turn | None = None,
        pose: Pose | None = None,
    ) -> tuple:
        """Show somebody, drawn in a pose (the subject's own suggestion by default)."""
        value = pose_to_value(pose or subject.start)
        wanted = value_to_pose(value)  # the pose as the page will send it back
        session, result, pictures = self._draw(subject, wanted, approach, rounds, turn)
        editor = gr.update(
            value=value,
            initial=pose_to_value(subject.person.pose),
            presets=[preset_entry(name, preset) for name, preset in subject.presets.items()],
            pictures=pictures,
        )
        return session, view.source(subject.person.image, subject.is_synthetic), editor, result

    @one_sentence
    def use_example(
        self,
        seed: int,
        scene: str,
        preset: str,
        approach: str = "",
        rounds: int | None = None,
        turn: Turn | None = None,
    ) -> tuple:
        """Show a synthetic person in one of its ready-made poses; its number and scene come first."""
        subject = self.studio.synthetic(seed, scene)
        return seed, scene, *self.show(subject, approach, rounds, turn, subject.presets[preset])

    # Drawing ----------------------------------------------------------------------------------------------

    @one_sentence
    def release(
        self,
        session: Session,
        pose: Pose,
        approach: str = "",
        rounds: int | None = None,
        turn: Turn | None = None,
    ) -> tuple:
        """Draw the session's person in the edited pose: (session, result, editor's pictures)."""
        session, result, pictures = self._draw(known(session).subject, pose, approach, rounds, turn)
        return session, result, gr.update(pictures=pictures)

    @one_sentence
    def follow(self, session: Session) -> Iterator[tuple]:
        """After a picture, show what belongs to it as it comes: (result, comparison)."""
        if session.approach == ALL:
            yield from self._follow_all(session)
        else:
            compared = self._compared(session)
            # Something must be yielded: Gradio empties what a stream without anything should have filled.
            yield gr.skip(), gr.skip() if session.is_overtaken() else compared

    def _follow_all(self, session: Session) -> Iterator[tuple]:
        """Draw by the other approaches, the rival and the truth, one after the other."""
        yield gr.skip(), ""
        studio, subject = self.studio, session.subject
        drawn = {studio.checked_approach(""): session.prediction}
        for name, prediction in studio.draw_others(subject, session.pose):
            if session.is_overtaken():
                return
            drawn[name] = prediction
            yield self._grid(subject, drawn), gr.skip()
        comparison = studio.compare(subject, session.pose, drawn)
        if session.is_overtaken():
            return
        last = [self._cell(BASELINE, comparison.baseline, "no learning")]
        if comparison.truth is not None:
            last.append(view.labelled(comparison.truth.image, "Truth", "", "rendered"))
        yield self._grid(subject, drawn, last), self._scores(comparison)

    @one_sentence
    def compare(self, session: Session) -> str:
        """Show the truth, what the others draw, the rival without learning, and the scores."""
        return self._compared(session)

    def _compared(self, session: Session) -> str:
        """Compare; nothing, as soon as the visitor has asked for another picture."""
        chosen, others = self.studio.checked_approach(session.approach), {}
        for name, prediction in self.studio.draw_others(session.subject, session.pose, chosen):
            if session.is_overtaken():
                return ""
            others[name] = prediction
        drawn = {chosen: session.prediction, **others}
        comparison = self.studio.compare(session.subject, session.pose, drawn)
        figures = [
            *(view.figure(other.image, name, "same pose") for name, other in others.items()),
            view.figure(comparison.baseline.image, BASELINE, "no learning"),
        ]
        if comparison.truth is not None:
            figures.insert(0, view.figure(comparison.truth.image, "Truth", "rendered"))
        return view.strip(figures) + self._scores(comparison)

    def _scores(self, comparison: Comparison) -> str:
        if comparison.truth is None:
            return view.note("A photo has no truth in another pose to score against.")
        return view.score_table(comparison.scores)

    @one_sentence
    def explain(self, session: Session, wanted: bool) -> str:
        """Show how the result came about, if somebody is looking."""
        if not wanted:
            return ""
        first = self.studio.checked_approach("")
        whose = view.note(f"These are the steps of {first}.") if session.approach == ALL else ""
        maps = session.prediction.label_map is not None
        return whose + view.steps(steps.explain(session.prediction), legend=maps)

    @one_sentence
    def tools(self, approach: str) -> dict:
        """Show the rounds of refinement to whoever draws in rounds."""
        predictor = self.studio.approaches.get(approach) if isinstance(approach, str) else None
        return gr.update(visible=predictor is not None and predictor.has_rounds)

    # Poses from elsewhere: each returns the editor's value ------------------------------------------------

    @one_sentence
    def copy_from_person(self, session: Session, seed: float, scene: str) -> dict:
        """Take the pose of another synthetic person, moved to where this one stands."""
        other = self.studio.synthetic(seed, scene).person.pose
        return pose_to_value(moved_onto(other, session.subject.person.pose))

    @one_sentence
    def copy_from_photo(self, session: Session, photo: str | None, joints: str | None) -> dict:
        """Take the pose of a person on a photo, moved to where this one stands."""
        other = self.studio.photo(photo, joints).person.pose
        return pose_to_value(moved_onto(other, session.subject.person.pose))

    @one_sentence
    def imported(self, session: Session, text: object) -> dict:
        """Read a pose file that was chosen in the editor; its frame is fitted to this one's."""
        if not isinstance(text, str) or not 0 < len(text) <= MAX_POSE_TEXT:
            raise ValueError("The pose file is empty or larger than 1 MB.")
        pose = Pose.from_json(text, None if says_its_size(text) else self.studio.size)
        return pose_to_value(fit_pose(checked_pose(pose), self.studio.size))

    # For programs: no session -----------------------------------------------------------------------------

    @one_sentence
    def api_render_person(self, seed: int, scene: str = "Studio") -> dict:
        """Render a synthetic person and list its poses.

        Args:
            seed: 0 to 999999; the same number is the same person.
            scene: "Studio", "Room", "Street" or "Non-iconic".

        Returns:
            picture (PNG as a data address), pose (its own), presets (name -> pose). A pose is
            {"image_size": [H, W], "keypoints": [[x, y, visible], ... 18 joints in OpenPose order]}.
        """
        subject = self.studio.synthetic(seed, scene)
        return {
            "picture": view.picture_address(subject.person.image),
            "pose": pose_to_value(subject.person.pose),
            "presets": {name: pose_to_value(pose) for name, pose in subject.presets.items()},
        }

    @one_sentence
    def api_generate(self, seed: int, scene: str, pose: dict, approach: str = "") -> dict:
        """Draw a synthetic person in a pose.

        Args:
            seed: 0 to 999999.
            scene: "Studio", "Room", "Street" or "Non-iconic".
            pose: as from /render_person.
            approach: "PG2", "SPT", "MR-Net" or "Progressive", as far as the page offers them; "" is the
                page's first.

        Returns:
            picture, truth and part_warp (PNG as data addresses), milliseconds, and scores
            (method -> metric -> value).
        """
        return self._for_program(self.studio.synthetic(seed, scene), pose, approach)

    @one_sentence
    def api_generate_from_photo(self, photo: str, joints: dict, pose: dict, approach: str = "") -> dict:
        """Draw the person on a photo in a pose.

        Args:
            photo: a JPEG, PNG or WebP as base64, at most 10 MB.
            joints: of the person on the photo, in the upright photo's pixels; {} to have them detected.
            pose: the wanted one, in the model's frame.
            approach: as in /generate.

        Returns:
            picture and part_warp (PNG as data addresses), milliseconds.
        """
        with photo_file(photo) as path:
            subject = self.studio.photo(path, value_to_pose(joints) if joints else None)
        return self._for_program(subject, pose, approach)

    def _for_program(self, subject: Subject, value: dict, approach: str) -> dict:
        pose = value_to_pose(value)
        prediction = self.studio.draw(subject, pose, approach)
        chosen = self.studio.checked_approach(approach)
        others = dict(self.studio.draw_others(subject, pose, chosen))
        comparison = self.studio.compare(subject, pose, {chosen: prediction, **others})
        answer = {
            "picture": view.picture_address(prediction.image),
            "part_warp": view.picture_address(comparison.baseline.image),
            "milliseconds": round(prediction.milliseconds, 1),
        }
        if comparison.truth is not None:
            answer |= {"truth": view.picture_address(comparison.truth.image), "scores": comparison.scores}
        return answer

    def _draw(
        self, subject: Subject, pose: Pose, approach: str, rounds: int | None, turn: Turn | None
    ) -> tuple[Session, str, dict[str, str]]:
        """Draw, and return the session, the result's HTML and the pictures that may lie under the joints."""
        overtaken = (turn or Turn()).next()
        name = self.studio.checked_approach("" if approach == ALL else approach)
        prediction = self.studio.draw(subject, pose, name, rounds)
        pictures = {
            "source": view.picture_address(subject.person.image, "JPEG"),
            "result": view.picture_address(prediction.image, "JPEG"),
        }
        session = Session(subject, pose, approach, prediction, overtaken)
        if approach == ALL:
            return session, self._grid(subject, {name: prediction}), pictures
        facts = (f"{prediction.milliseconds:.0f} ms", self.device)
        result = view.result(prediction.image, facts, "The person in the new pose")
        return session, result + view.series(steps.series(prediction)), pictures

    def _grid(self, subject: Subject, drawn: dict[str, Prediction], last: list[str] | None = None) -> str:
        """Lay out what has been drawn so far; places are kept for the rest until `last` is there."""
        cells = []
        for name, source in self.studio.trained_on.items():
            if name in drawn:
                cells.append(self._cell(name, drawn[name], source))
            elif self.studio.can_draw(subject, name):
                cells.append(view.waiting())
        cells += last or [view.waiting()] * (1 + subject.is_synthetic)
        missing = "" if self.studio.can_draw(subject, SPT) or SPT not in self.studio.approaches else NO_MAP
        return view.grid(cells) + (view.note(missing) if missing else "")

    def _cell(self, name: str, prediction: Prediction, source: str) -> str:
        return view.labelled(prediction.image, name, f"{prediction.milliseconds:.0f} ms", source)
