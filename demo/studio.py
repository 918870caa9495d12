"""People and their poses, without any page: subjects, ready-made poses, pictures, comparisons, explanations.

Every method validates, calls the library, and returns plain values; the tabs lay them out. Anything that a
visitor can get wrong is a `ValueError` (or `DetectorUnavailableError`) of one sentence.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from pgt.checkpoint import CheckpointError
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.evaluation import score_picture
from pgt.photos import frame_person, person_from_photo
from pgt.plot import color_parsing, mask_picture, overlay_heatmaps
from pgt.predictor import Prediction, Predictor, fit_person, fit_pose
from pgt.synthetic.draw import Draw
from pgt.synthetic.people import SceneSpec, SyntheticPeople, render_people
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.scenes import Background

SPLIT = "test"  # identities, clothes and textures that no training of ours has seen
MAX_SEED = 999_999
SCENES = {"Studio": "plain", "Room": "cluttered", "Street": "street"}  # shown -> kind of background
PRESET_KINDS = (
    "standing", "walking", "hands_on_hips", "arms_raised", "arms_crossed", "pointing",
    "running", "sitting", "squatting", "jumping", "bending", "kicking",
)  # fmt: skip
FACING = math.radians(50)  # people of the demo are turned from the viewer by at most this
WHOLE_BODY = 0.62  # image heights per metre beyond which a standing person no longer fits
NUM_VIEWS = 24
TORSO = (1, 8, 11)  # neck and hips
SPT = "SPT"
APPROACHES = {"PG2Generator": "PG2", "SPTGenerator": SPT}  # class of a model -> what people call it
NO_MAP = (
    "SPT needs the photo's semantic map, but the weights of the human parser that finds it, "
    "human-parser-synthetic-128, are not on this computer."
)

Step = tuple[np.ndarray, str, str]  # a picture, its caption, a remark
Lend = Callable[[Callable], Callable]


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
    others: dict[str, Prediction]  # the other approaches', by name
    baseline: Prediction
    scores: dict[str, dict[str, float]]  # method -> metric -> value; empty without a truth


class Studio:
    """The approaches and their rival without learning.

    Args:
        predictor: draws the result, unless another approach is asked for.
        baseline: a predictor of `PartWarp`.
        spt: SPT's predictor, if there is one beside `predictor`.
        lend: wraps what computes on the device, for example `spaces.GPU`.
    """

    def __init__(
        self,
        predictor: Predictor,
        baseline: Predictor,
        *,
        spt: Predictor | None = None,
        lend: Lend = lambda work: work,
    ) -> None:
        self.predictor = predictor
        self.baseline = baseline
        self.lend = lend
        self.size = predictor.image_size or (128, 128)
        self.approaches = {approach_of(one): one for one in (predictor, spt) if one is not None}
        self._generate = {name: lend(one.generate) for name, one in self.approaches.items()}
        self._people = SyntheticPeople(SPLIT, self.size, scene="plain", identical_shots=False)
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
        specs = [self._people.spec(number, view) for view in range(NUM_VIEWS)]
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
        framed = frame_person(person_from_photo(photo, joints), self.size)
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

    def draw(self, subject: Subject, pose: Pose, approach: str = "") -> Prediction:
        """Draw the subject in a pose, by the first approach unless another is named."""
        name = self.checked_approach(approach)
        if not self._can_draw(subject, name):
            raise ValueError(NO_MAP)
        return self._generate[name](subject.person, fit_pose(pose, self.size))

    def checked_approach(self, approach: object) -> str:
        """Return the name of an approach, the first one's for "", or raise a ValueError of one sentence."""
        if approach == "":
            return next(iter(self.approaches))
        if not isinstance(approach, str) or approach not in self.approaches:
            raise ValueError(f"The approach must be one of {', '.join(self.approaches)}.")
        return approach

    def _can_draw(self, subject: Subject, approach: str) -> bool:
        return approach != SPT or subject.person.label_map is not None

    def compare(self, subject: Subject, pose: Pose, prediction: Prediction, approach: str = "") -> Comparison:
        """Draw what rivals make of the pose and, for a synthetic person, the truth; score them all."""
        chosen, pose = self.checked_approach(approach), fit_pose(pose, self.size)
        names = [name for name in self.approaches if name != chosen and self._can_draw(subject, name)]
        others = {name: self.draw(subject, pose, name) for name in names}
        baseline = self.baseline.generate(subject.person, pose)
        if not subject.is_synthetic:
            return Comparison(None, others, baseline, {})
        truth = self._people.in_pose(_nearest(subject, pose), pose)
        drawn = {chosen: prediction, **others}
        pictures = {
            **{short_name(self.approaches[name]): one.image for name, one in drawn.items()},
            "Part warp": baseline.image,
            "Copy of source": subject.person.image,
        }
        scores = {name: score_picture(picture, truth) for name, picture in pictures.items()}
        return Comparison(truth, others, baseline, scores)

    def explain(self, prediction: Prediction) -> list[Step]:
        """Return the steps of a prediction: (picture, caption, note)."""
        heat_maps = overlay_heatmaps(None, prediction.target_pose)
        steps = [
            (prediction.source.image, "Source", "what the network is shown"),
            (heat_maps, "Heat maps", "18 joints, one channel each, drawn in one"),
        ]
        return steps + (_pg2_steps(prediction) if prediction.label_map is None else _spt_steps(prediction))


def _pg2_steps(prediction: Prediction) -> list[Step]:
    steps = [(mask_picture(prediction.pose_mask), "Pose mask", "where errors weigh double in training")]
    if prediction.coarse is not None:
        steps.append((prediction.coarse, "Coarse", "stage I: pose and colours, blurred"))
    if prediction.difference_map is not None:
        steps.append((prediction.difference_map, "Difference map", "stage II: what it adds, grey is nothing"))
    if prediction.refined is not None:
        steps.append((prediction.refined, "Refined", "coarse + difference map"))
    return steps


def _spt_steps(prediction: Prediction) -> list[Step]:
    steps = [
        (color_parsing(prediction.source.label_map), "Source map", "ten labels: what is where"),
        (color_parsing(prediction.label_map), "Predicted map", "where each label goes in the new pose"),
        (prediction.foreground, "Foreground", "the person, drawn region by region of that map"),
    ]
    if prediction.background is None:
        return steps
    return [
        *steps,
        (prediction.background, "Background", "what lies behind the person"),
        (prediction.image, "Composite", "foreground on background, by the predicted map"),
    ]


def approach_of(predictor: Predictor) -> str:
    """Return what people call the approach of a predictor."""
    return APPROACHES.get(type(predictor.model).__name__, short_name(predictor))


def short_name(predictor: Predictor) -> str:
    """Return the name of a predictor without its folder, which is nobody's business."""
    return Path(predictor.name).name


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


def _nearest(subject: Subject, pose: Pose) -> SceneSpec:
    """Return the subject's spec whose joints lie nearest: it tells which limbs point towards the viewer."""
    known = [subject.person.pose, *subject.presets.values()]
    seen = pose.visible
    away = [float(np.square((other.keypoints - pose.keypoints)[seen]).sum()) for other in known]
    return subject.specs[int(np.argmin(away))]


def similarity(pose: Pose, onto: Pose) -> tuple[float, np.ndarray]:
    """Return the scale and shift (2,) that bring a pose onto another: by the torso, else by all both show."""
    shared = pose.visible & onto.visible
    torso = [joint for joint in TORSO if shared[joint]]
    chosen = torso if len(torso) == len(TORSO) else np.flatnonzero(shared)
    if len(chosen) < 2:
        return 1.0, np.zeros(2)
    ours, theirs = pose.keypoints[chosen], onto.keypoints[chosen]
    spread = [np.linalg.norm(points - points.mean(axis=0)) for points in (ours, theirs)]
    scale = float(np.clip(spread[1] / max(spread[0], 1e-6), 0.2, 5.0))
    return scale, theirs.mean(axis=0) - scale * ours.mean(axis=0)


def moved_onto(pose: Pose, onto: Pose) -> Pose:
    """Scale and shift a pose onto another person's place; joints that leave the frame are hidden."""
    scale, shift = similarity(pose, onto)
    keypoints = scale * pose.keypoints + shift
    height, width = onto.image_size
    inside = ((keypoints >= -0.5) & (keypoints <= [width - 0.5, height - 0.5])).all(axis=1)
    return Pose(keypoints, pose.visible & inside, onto.image_size)


def with_missing_joints(pose: Pose, standing: Pose) -> Pose:
    """Put hidden joints where a standing person has them, for an editor to show; they stay hidden."""
    guess = moved_onto(replace(standing, visible=np.ones(len(standing.visible), bool)), pose)
    return Pose(
        np.where(pose.visible[:, None], pose.keypoints, guess.keypoints), pose.visible, pose.image_size
    )
