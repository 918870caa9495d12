"""People and their poses, without any page: subjects, ready-made poses, pictures, comparisons.

Every method validates, calls the library, and returns plain values; the tabs lay them out. Anything that a
visitor can get wrong is a `ValueError` (or `DetectorUnavailableError`) of one sentence.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from placing import followed, moved_camera, moved_onto, with_missing_joints
from weights import SPT, approach_of, short_name, trained_on

from pgt.checkpoint import CheckpointError
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.evaluation import score_picture
from pgt.files import first_line
from pgt.photos import DetectorUnavailableError, Finders, frame_person, person_from_photo
from pgt.predictor import Prediction, Predictor, fit_person, fit_pose
from pgt.synthetic.draw import Draw
from pgt.synthetic.people import SceneSpec, SyntheticPeople, SyntheticPerson, render_people
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.scenes import Background

SPLIT = "test"  # identities, clothes and textures that no training of ours has seen
MAX_SEED = 999_999
NON_ICONIC = "Non-iconic"  # small, off centre, in clutter
# shown -> kind of background
SCENES = {"Studio": "plain", "Room": "cluttered", "Street": "street", NON_ICONIC: "cluttered"}
PRESET_KINDS = (
    "standing", "walking", "hands_on_hips", "arms_raised", "arms_crossed", "pointing",
    "running", "sitting", "squatting", "jumping", "bending", "kicking",
)  # fmt: skip
FACING = math.radians(50)  # people of the demo are turned from the viewer by at most this
WHOLE_BODY = 0.62  # image heights per metre beyond which a standing person no longer fits
NUM_VIEWS = 24
MAX_ROUNDS = 5  # of MR-Net's refinement
NO_MAP = (
    "SPT needs the photo's semantic map, but the weights of the human parser that finds it, "
    "human-parser-synthetic-128, are not on this computer."
)

Lend = Callable[[Callable], Callable]
Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Subject:
    """Somebody to be drawn in other poses."""

    person: Person  # in the model's frame
    start: Pose  # the target that the page opens with
    presets: dict[str, Pose]
    specs: tuple[SceneSpec, ...] = ()  # of a synthetic person: as shown, then in every preset

    @property
    def is_synthetic(self) -> bool:
        """Whether the truth in any pose can be rendered."""
        return bool(self.specs)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the result is held against."""

    truth: Person | None  # of a synthetic person
    baseline: Prediction
    scores: dict[str, dict[str, float]]  # method -> metric -> value; empty without a truth


class Studio:
    """The approaches and their rival without learning.

    Args:
        predictor: draws the result, unless another approach is asked for.
        baseline: a predictor of `PartWarp`.
        others: predictors of further approaches.
        lend: wraps what computes on the device, for example `spaces.GPU`.
        tell: is given a sentence that the visitor should read though all went well.
    """

    def __init__(
        self,
        predictor: Predictor,
        baseline: Predictor,
        *,
        others: Iterable[Predictor] = (),
        lend: Lend = lambda work: work,
        tell: Tell | None = None,
    ) -> None:
        self.predictor = predictor
        self.baseline = baseline
        self.lend = lend
        self.tell = tell
        self.size = predictor.image_size or (128, 128)
        self.approaches = {approach_of(one): one for one in (predictor, *others)}
        self.trained_on = {name: trained_on(one) for name, one in self.approaches.items()}
        self._generate = {name: lend(one.generate) for name, one in self.approaches.items()}
        self._people = SyntheticPeople(SPLIT, self.size, scene="plain", identical_shots=False)
        self._small_people = SyntheticPeople(SPLIT, self.size, scene="non_iconic")
        self._remembered = lru_cache(maxsize=64)(self._make_synthetic)

    @property
    def spt(self) -> Predictor | None:
        """SPT's predictor, where its weights are present."""
        return self.approaches.get(SPT)

    def synthetic(self, seed: object, scene: object = "Studio") -> Subject:
        """Draw a synthetic person by its number; the same number gives the same person everywhere.

        Raises:
            ValueError: a number that is not one of 0 ... 999999, or an unknown scene.
        """
        number = checked_seed(seed)
        if not isinstance(scene, str) or scene not in SCENES:
            raise ValueError(f"The scene must be one of {', '.join(SCENES)}.")
        return self._remembered(number, scene)

    def portrait(self, number: int, scene: str) -> np.ndarray:
        """Render a synthetic person's picture alone, uint8 (H, W, 3): quicker than with all poses."""
        return render_people([self._spec(number, scene)], self.size)[0].image

    def _make_synthetic(self, number: int, scene: str) -> Subject:
        spec = self._spec(number, scene)
        body = spec.identity.proportions
        poses = [draw_pose(Draw(number, i), kind, body) for i, kind in enumerate(PRESET_KINDS)]
        specs = [replace(spec, pose=pose) for pose in poses]
        shown = render_people([spec], self.size)[0]
        small = render_people(specs, (self.size[0] // 2, self.size[1] // 2))  # for the joints' visibility
        presets = {
            _title(spec.pose.name): seen.pose.resized(self.size)
            for spec, seen in zip(specs, small, strict=True)
        }
        start = list(presets.values())[1 + number % (len(presets) - 1)]
        return Subject(shown, start, presets, (spec, *specs))

    def _spec(self, number: int, scene: str) -> SceneSpec:
        """Choose the first of a person's views that shows the front of the whole body; set its scene."""
        people = self._small_people if scene == NON_ICONIC else self._people
        specs = [people.spec(number, view) for view in range(NUM_VIEWS)]
        best = min(
            specs,
            key=lambda spec: (abs(_wrapped(spec.camera.yaw)) > FACING) + (spec.camera.scale > WHOLE_BODY),
        )
        return replace(best, background=Background(best.background.seed, SCENES[scene]))

    def photo(self, photo: str | Path | None, joints: str | Path | None = None) -> Subject:
        """Read a photo, and its joints from a file or by detection.

        Raises:
            ValueError, DetectorUnavailableError: one sentence.
        """
        if photo is None:
            raise ValueError("Choose a photo first.")
        framed = frame_person(_read_photo(photo, joints, self.tell), self.size)
        person = self._parsed(fit_person(framed, self.size))
        example = self.synthetic(0)
        pose = with_missing_joints(person.pose, example.presets["Standing"])
        presets = {name: moved_onto(preset, pose) for name, preset in example.presets.items()}
        return Subject(replace(person, pose=pose), pose, presets)

    def _parsed(self, person: Person) -> Person:
        """Label a photo's pixels where SPT and the human parser are present."""
        if self.spt is None:
            return person
        try:
            seen = self._generate[SPT](person, person.pose).source
        except CheckpointError:  # PG2 can do without
            return person
        return fit_person(seen, self.size)

    def draw(self, subject: Subject, pose: Pose, approach: str = "", rounds: int | None = None) -> Prediction:
        """Draw the subject in a pose.

        Args:
            subject: who.
            pose: in any frame.
            approach: the first one by default.
            rounds: of refinement, of those who refine; as they were trained by default.

        Raises:
            ValueError: an unknown approach, a number of rounds that is none, or no map for SPT.
        """
        name = self.checked_approach(approach)
        self.check_map(subject, name)
        settings = {}
        if rounds is not None and self.approaches[name].has_rounds:
            settings["num_rounds"] = checked_rounds(rounds)
        return self._generate[name](subject.person, fit_pose(pose, self.size), **settings)

    def draw_others(
        self, subject: Subject, pose: Pose, approach: str = ""
    ) -> Iterator[tuple[str, Prediction]]:
        """Draw the subject by all other approaches that can, one after the other: (name, prediction)."""
        chosen = self.checked_approach(approach)
        for name in self.approaches:
            if name != chosen and self.can_draw(subject, name):
                yield name, self.draw(subject, pose, name)

    def checked_approach(self, approach: object) -> str:
        """Return the name of an approach, the first one's for "", or raise a ValueError of one sentence."""
        if approach == "":
            return next(iter(self.approaches))
        if not isinstance(approach, str) or approach not in self.approaches:
            raise ValueError(f"The approach must be one of {', '.join(self.approaches)}.")
        return approach

    def can_draw(self, subject: Subject, approach: str) -> bool:
        """Say whether an approach has what it needs of a person: SPT wants a semantic map."""
        return approach != SPT or subject.person.label_map is not None

    def check_map(self, subject: Subject, approach: str) -> None:
        """Raise a ValueError of one sentence, if an approach lacks what it needs of a person."""
        if not self.can_draw(subject, approach):
            raise ValueError(NO_MAP)

    def compare(self, subject: Subject, pose: Pose, drawn: Mapping[str, Prediction]) -> Comparison:
        """Draw the rival without learning and, for a synthetic person, the truth; score them all.

        Args:
            subject: who.
            pose: the wanted one.
            drawn: what each approach made of it, by name.
        """
        pose = fit_pose(pose, self.size)
        baseline = self.baseline.generate(subject.person, pose)
        if not subject.is_synthetic:
            return Comparison(None, baseline, {})
        truth = self.truth(subject, pose)
        pictures = {
            **{short_name(self.approaches[name]): one.image for name, one in drawn.items()},
            "Part warp": baseline.image,
            "Copy of source": subject.person.image,
        }
        scores = {name: score_picture(picture, truth) for name, picture in pictures.items()}
        return Comparison(truth, baseline, scores)

    def truth(self, subject: Subject, pose: Pose) -> SyntheticPerson:
        """Render a synthetic subject in a pose; one who is moved or resized whole stays on the ground."""
        known = [subject.person.pose, *subject.presets.values()]
        ways = [followed(other, pose) for other in known]
        nearest = min(range(len(ways)), key=lambda i: ways[i][2])
        scale, shift, _ = ways[nearest]
        spec = subject.specs[nearest]  # also tells which limbs point towards the viewer
        camera = moved_camera(spec.camera, scale, shift, self.size)
        return self._people.in_pose(replace(spec, camera=camera), pose)


def _read_photo(photo: str | Path, joints: str | Path | Pose | None, tell: Tell | None) -> Person:
    """Read a photo; what is wrong with the joints is said without the folder they lie in here."""
    try:
        return person_from_photo(photo, joints, finders=Finders(tell=tell))
    except DetectorUnavailableError:
        raise
    except (ValueError, OSError) as error:
        if joints is None or isinstance(joints, Pose):
            raise
        raise ValueError(f"{first_line(error).replace(str(joints), Path(joints).name)}.") from None


def checked_rounds(rounds: object) -> int:
    """Return a number of rounds of refinement, or raise a ValueError of one sentence."""
    if rounds not in range(1, MAX_ROUNDS + 1):
        raise ValueError(f"MR-Net refines 1 to {MAX_ROUNDS} times.")
    return int(rounds)  # type: ignore[call-overload]


def checked_seed(seed: object) -> int:
    """Return the number of a synthetic person, or raise a ValueError of one sentence."""
    try:
        number = int(seed)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"The person's number must be a whole number from 0 to {MAX_SEED}.") from None
    if number != seed or not 0 <= number <= MAX_SEED:
        raise ValueError(f"The person's number must be a whole number from 0 to {MAX_SEED}.")
    return number


def _title(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _wrapped(angle: float) -> float:
    return (angle + math.pi) % (2 * math.pi) - math.pi
