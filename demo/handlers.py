"""The callbacks of the tab "Pose transfer" as plain functions: validate, ask the studio, return HTML.

They hold no Gradio state of their own: what a visitor's page needs between two events travels in a `Session`.
"""

from dataclasses import dataclass

import gradio as gr
import view
from callbacks import ChoosesPerson, one_sentence, photo_file
from pose_editor import checked_pose, pose_to_value, preset_entry, value_to_pose
from studio import Studio, Subject, moved_onto

from pgt.data.pose import Pose
from pgt.photos import says_its_size
from pgt.predictor import Prediction, fit_pose

MAX_POSE_TEXT = 1_000_000  # characters of an imported pose


@dataclass(frozen=True, eq=False)
class Session:
    """What one visitor is looking at."""

    subject: Subject
    pose: Pose  # as in the editor
    approach: str
    prediction: Prediction


class Handlers(ChoosesPerson):
    """Callbacks over one studio."""

    def __init__(self, studio: Studio, device: str) -> None:
        self.studio = studio
        self.device = device

    # Choosing somebody: each returns (session, source, editor, result) ------------------------------------

    def show(self, subject: Subject, approach: str = "", pose: Pose | None = None) -> tuple:
        """Show somebody, drawn in a pose (the subject's own suggestion by default)."""
        value = pose_to_value(pose or subject.start)
        drawn = self._draw(subject, value_to_pose(value), approach)  # the pose as the page will send it back
        session, result, pictures = drawn
        editor = gr.update(
            value=value,
            initial=pose_to_value(subject.person.pose),
            presets=[preset_entry(name, preset) for name, preset in subject.presets.items()],
            pictures=pictures,
        )
        return session, view.source(subject.person.image, subject.is_synthetic), editor, result

    @one_sentence
    def use_example(self, seed: int, scene: str, preset: str, approach: str = "") -> tuple:
        """Show a synthetic person in one of its ready-made poses; its number and scene come first."""
        subject = self.studio.synthetic(seed, scene)
        return seed, scene, *self.show(subject, approach, subject.presets[preset])

    # Drawing ----------------------------------------------------------------------------------------------

    @one_sentence
    def release(self, session: Session, pose: Pose, approach: str = "") -> tuple:
        """Draw the session's person in the edited pose: (session, result, editor's pictures)."""
        session, result, pictures = self._draw(session.subject, pose, approach)
        return session, result, gr.update(pictures=pictures)

    @one_sentence
    def compare(self, session: Session) -> str:
        """Show the truth, what the others draw, the rival without learning, and the scores."""
        comparison = self.studio.compare(session.subject, session.pose, session.prediction, session.approach)
        figures = [
            *(view.figure(other.image, name, "same pose") for name, other in comparison.others.items()),
            view.figure(comparison.baseline.image, "Part warp", "no learning"),
        ]
        if comparison.truth is None:
            remark = view.note("A photo has no truth in another pose to score against.")
            return view.strip(figures) + remark
        truth = view.figure(comparison.truth.image, "Truth", "rendered")
        return view.strip([truth, *figures]) + view.score_table(comparison.scores)

    @one_sentence
    def explain(self, session: Session, wanted: bool) -> str:
        """Show how the result came about, if somebody is looking."""
        if not wanted:
            return ""
        maps = session.prediction.label_map is not None
        return view.steps(self.studio.explain(session.prediction), legend=maps)

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
            scene: "Studio", "Room" or "Street".

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
            scene: "Studio", "Room" or "Street".
            pose: as from /render_person.
            approach: "PG2" or "SPT", as far as the page offers them; "" is the page's first.

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
        comparison = self.studio.compare(subject, pose, prediction, approach)
        answer = {
            "picture": view.picture_address(prediction.image),
            "part_warp": view.picture_address(comparison.baseline.image),
            "milliseconds": round(prediction.milliseconds, 1),
        }
        if comparison.truth is not None:
            answer |= {"truth": view.picture_address(comparison.truth.image), "scores": comparison.scores}
        return answer

    def _draw(self, subject: Subject, pose: Pose, approach: str) -> tuple[Session, str, dict[str, str]]:
        """Draw, and return the session, the result's HTML and the pictures that may lie under the joints."""
        prediction = self.studio.draw(subject, pose, approach)
        facts = (f"{prediction.milliseconds:.0f} ms", self.device)
        pictures = {
            "source": view.picture_address(subject.person.image, "JPEG"),
            "result": view.picture_address(prediction.image, "JPEG"),
        }
        session = Session(subject, pose, approach, prediction)
        return session, view.result(prediction.image, facts, "The person in the new pose"), pictures
