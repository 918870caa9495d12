"""What the commands of `pgt` do; each takes the parsed arguments of `pgt.__main__`.

What only one command needs is imported by that command: `pgt render` must not wait for what `pgt train` uses.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from torch.utils.data import Subset

from pgt.checkpoint import Card, bundled_names, load
from pgt.checkpoint import push as upload
from pgt.config import PRESETS, Config, PoseEstimatorConfig, Stage
from pgt.data.pairs import CachedPeople, PairDataset
from pgt.data.person import Pair, Person
from pgt.data.pose import Pose
from pgt.synthetic.people import SyntheticPeople, render_people

if TYPE_CHECKING:
    from pgt.training.recipe import Recipe

SYNTHETIC = "synthetic"  # in place of a folder
COLUMNS = 6  # pictures in a row of a contact sheet
SAMPLE_PAIRS = 6  # shown while training
ESTIMATOR = "pose-estimator"  # how the names of bundled pose estimators begin
SUMMARIES = {  # of model cards
    "pg2": "PG2 (Ma et al., Pose Guided Person Image Generation, NIPS 2017): draws a person in another pose.",
    ESTIMATOR: "Finds the 18 joints of one person in a picture: the judge behind PCKh.",
}
SYNTHETIC_LIMITS = {
    "pg2": "Trained on synthetic people alone. On photographs the pose follows, but faces, hair and cloth "
    "come out schematic, and cluttered backgrounds smear.",
    ESTIMATOR: "Trained on synthetic people alone: not for photographs, where a detector of people belongs.",
}


def render(arguments: argparse.Namespace) -> None:
    """Draw a contact sheet of synthetic people."""
    from pgt.plot import color_parsing, draw_skeleton, grid

    _check_suffix(arguments.out)
    people = SyntheticPeople(arguments.split, arguments.size, arguments.scene)
    if arguments.motion:
        shown = _motion_frames(people, arguments)
    else:
        shown = people.render([(arguments.seed + number, 0) for number in range(arguments.count)])
    rows = []
    for first in range(0, len(shown), COLUMNS):
        row = shown[first : first + COLUMNS]
        rows.append([person.image for person in row])
        if arguments.parsing:
            rows.append([draw_skeleton(person.image, person.pose) for person in row])
            rows.append([color_parsing(person.label_map) for person in row])
    _write_picture(arguments.out, grid(rows))


def cache(arguments: argparse.Namespace) -> None:
    """Render synthetic people to disk."""
    from multiprocessing import get_context

    people = _cached_people(arguments, arguments.split, arguments.size)
    helpers = [
        get_context("spawn").Process(target=people.fill, kwargs={"progress": False})
        for _ in range(arguments.processes - 1)
    ]
    for helper in helpers:
        helper.start()
    people.fill()
    for helper in helpers:
        helper.join()
    print(f"{people.num_people} people, {len(people)} pairs in {people.folder}")


def train(arguments: argparse.Namespace) -> None:
    """Train an approach, or continue its run."""
    import torch

    from pgt.training.engine import Options, fit

    _set_threads(arguments.threads)
    config = _preset(arguments.approach, arguments.preset)
    stages = [_changed(stage, arguments) for stage in config.stages]
    config = replace(config, stages=tuple(stages))
    dataset, samples = _training_pairs(arguments, config.image_size)
    torch.manual_seed(arguments.seed)  # the initial weights, equal in every process
    recipe = _recipe(config)
    if arguments.start_from:
        _start_from(recipe, arguments.start_from)
    progress = fit(
        recipe,
        dataset,
        stages,
        arguments.run_dir,
        seed=arguments.seed,
        precision=arguments.precision,
        accumulation=arguments.accumulation,
        flip=not arguments.no_flip,
        sample_pairs=samples,
        card=_training_card(arguments),
        options=Options(
            log_every=arguments.log_every,
            sample_every=arguments.sample_every,
            save_every=arguments.save_every,
            max_seconds=arguments.max_seconds,
            num_workers=arguments.workers,
        ),
    )
    state = "finished" if progress.finished else "stopped by --max-seconds; the same command continues"
    if _is_first_process():
        print(f"{arguments.run_dir}: {progress.step} steps, {state}")


def evaluate(arguments: argparse.Namespace) -> None:
    """Score weights beside the two baselines."""
    from pgt.evaluation import evaluate as score
    from pgt.predictor import Predictor

    _set_threads(arguments.threads)
    predictor = Predictor.load(arguments.weights or _bundled(arguments.approach))
    pairs, data = _evaluation_pairs(arguments, predictor.image_size)
    estimators = [name for name in bundled_names() if name.startswith(ESTIMATOR)]
    result = score(
        {arguments.approach.upper(): predictor},
        pairs,
        mask="pose" if pairs[0].target.label_map is None else "person",
        pose_estimator=load(estimators[0]) if estimators else None,
        data=data,
        progress=True,
    )
    print(result)
    if arguments.out:
        result.save(arguments.out)


def generate(arguments: argparse.Namespace) -> None:
    """Draw the person of a photo in another pose."""
    from pgt.photos import frame_person, person_from_photo
    from pgt.plot import draw_skeleton, grid
    from pgt.predictor import PART_WARP, Predictor

    _check_suffix(arguments.out)
    source = person_from_photo(arguments.image, arguments.keypoints)
    name = PART_WARP if arguments.weights in ("part_warp", PART_WARP) else arguments.weights
    predictor = Predictor.load(name, revision=arguments.revision)
    target = _target_pose(arguments, source, predictor.image_size)
    if predictor.image_size is not None:
        source = frame_person(source, predictor.image_size)
    prediction = predictor.generate(source, target)
    picture = prediction.image
    if arguments.steps:
        steps = {
            "source": prediction.source.image,
            "target pose": draw_skeleton(None, prediction.target),
            "coarse": prediction.coarse,
            "difference": prediction.difference_map,
            "result": prediction.image,
        }
        steps = {title: image for title, image in steps.items() if image is not None}
        picture = grid([list(steps.values())], column_titles=list(steps))
    _write_picture(arguments.out, picture)


def push(arguments: argparse.Namespace) -> None:
    """Upload a checkpoint to the Hub."""
    print(upload(arguments.name, arguments.to, private=arguments.private))


def _motion_frames(people: SyntheticPeople, arguments: argparse.Namespace) -> list[Person]:
    """Render one person through a motion, under the one camera that keeps every frame in the picture."""
    from pgt.synthetic.camera import draw_camera
    from pgt.synthetic.draw import Draw
    from pgt.synthetic.motions import motion
    from pgt.synthetic.skeleton import joints_18

    seed, spec = arguments.seed, people.spec(arguments.seed, 0)
    body = spec.identity.proportions
    poses = motion(arguments.motion, arguments.count, seed, body, split=people.split)
    framing = "plain" if people.scene == "mixed" else people.scene
    cameras = [
        draw_camera(Draw(seed), framing, joints_18(body, pose.frames(body)), yaw=0.5, shot="full")
        for pose in poses
    ]
    camera = min(cameras, key=lambda one: one.scale)
    return render_people([replace(spec, pose=pose, camera=camera) for pose in poses], people.image_size)


def _cached_people(arguments: argparse.Namespace, split: str, size: tuple[int, int]) -> CachedPeople:
    people = SyntheticPeople(split, size, arguments.scene, arguments.identities, arguments.poses)
    return people.cached(arguments.cache, keep=())  # PG2 learns from pictures and joints alone


def _training_pairs(
    arguments: argparse.Namespace, size: tuple[int, int]
) -> tuple[PairDataset, Sequence[Pair]]:
    """Return the training pairs, and the pairs to draw while training."""
    if arguments.data != SYNTHETIC:
        pairs = _folder(arguments.data)
        return pairs, [pairs[i] for i in range(min(SAMPLE_PAIRS, len(pairs)))]
    people = _cached_people(arguments, "train", size)
    people.fill(progress=_is_first_process())
    unseen = SyntheticPeople("val", size, arguments.scene)
    return people, [unseen[i] for i in range(SAMPLE_PAIRS)]


def _evaluation_pairs(
    arguments: argparse.Namespace, size: tuple[int, int] | None
) -> tuple[PairDataset, dict[str, object]]:
    """Return the first --pairs pairs, each synthetic one of another identity, and what they are."""
    if arguments.data != SYNTHETIC:
        pairs = _folder(arguments.data)
        chosen = Subset(pairs, range(min(arguments.pairs, len(pairs))))
        return chosen, {"folder": Path(arguments.data).resolve().name}
    people = SyntheticPeople(arguments.split, size or (128, 128), num_identities=arguments.pairs)
    return Subset(people, range(arguments.pairs)), {"people": "synthetic", **people.parameters}


def _folder(path: str) -> PairDataset:
    from pgt.data.readers.folder import PeopleFolder

    pairs = PeopleFolder(path)
    if not len(pairs):
        raise ValueError(f"{path} has no two pictures of one person.")
    return pairs


def _is_first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _recipe(config: Config) -> "Recipe":
    """Build the recipe that a config belongs to."""
    if isinstance(config, PoseEstimatorConfig):
        from pgt.training.pose_estimator import PoseEstimatorRecipe

        return PoseEstimatorRecipe(config)
    from pgt.training.pg2 import PG2Recipe

    return PG2Recipe(config)


def _start_from(recipe: "Recipe", name: str) -> None:
    """Replace a recipe's first weights by those of a checkpoint.

    Raises:
        ValueError: the checkpoint is another network.
    """
    weights = load(name).state_dict()
    for net in {"generator", "ema"} & set(recipe.nets):
        try:
            recipe.nets[net].load_state_dict(weights)
        except RuntimeError:  # torch lists every tensor that differs
            raise ValueError(f"The weights {name} do not fit this preset: it is another network.") from None


def _preset(approach: str, name: str) -> Config:
    names = [preset for preset in PRESETS if preset.startswith(approach)]
    if name not in names:
        raise ValueError(f"There is no preset {name!r} of {approach}; there are {', '.join(names)}.")
    return PRESETS[name]


def _changed(stage: Stage, arguments: argparse.Namespace) -> Stage:
    """Apply --steps-scale and --batch-size."""
    steps = max(1, round(stage.num_steps * arguments.steps_scale))
    return replace(stage, num_steps=steps, batch_size=arguments.batch_size or stage.batch_size)


def _training_card(arguments: argparse.Namespace) -> Card:
    facts = {"preset": arguments.preset, "seed": arguments.seed, "precision": arguments.precision}
    if arguments.start_from:
        facts["started from"] = Path(arguments.start_from).name
    summary = SUMMARIES[arguments.approach]
    card: Card = {"title": arguments.preset, "summary": summary, "training": facts}
    if arguments.data != SYNTHETIC:
        name = Path(arguments.data).resolve().name
        return card | {"data": f"The pictures of a folder {name!r}."}
    people = f"{arguments.identities} identities in {arguments.poses} poses, scene {arguments.scene!r}"
    data = f"Synthetic people of pgt, split 'train': {people}. No photograph was used."
    return card | {"data": data, "limits": SYNTHETIC_LIMITS[arguments.approach]}


def _bundled(approach: str) -> str:
    """Return the name of the weights that come with the library for an approach."""
    names = [name for name in bundled_names() if name.startswith(approach)]
    if not names:
        raise ValueError(f"No weights of {approach} are bundled; name some by --weights.")
    return names[0]


def _target_pose(arguments: argparse.Namespace, source: Person, size: tuple[int, int] | None) -> Pose:
    """Find the wanted pose and frame it as the source is; `size` is the model's (H, W), if it has one."""
    from pgt.photos import frame_person, person_from_photo

    target, joints = Path(arguments.target), arguments.target_keypoints
    own = joints is not None
    if not own and (arguments.keypoints or "").lower().endswith(".csv"):  # it may have both people
        joints = arguments.keypoints
    if target.suffix.lower() != ".json" and target.is_file():
        person = person_from_photo(target, joints, lone_row=own)
    else:
        pose = _written_pose(target, joints, source.image_size)
        if not pose.visible.any():
            raise ValueError(f"The target {arguments.target!r} has no visible joint.")
        person = Person(np.zeros((*pose.image_size, 3), np.uint8), pose)
    return person.pose if size is None else frame_person(person, size).pose


def _written_pose(target: Path, joints: str | None, size: tuple[int, int]) -> Pose:
    """Read a pose from a JSON file, or by its name from a keypoint CSV; `size` where the file has none."""
    from pgt.photos import read_pose_file

    if target.suffix.lower() == ".json":
        text = target.read_text(encoding="utf-8")
        try:
            return Pose.from_json(text)
        except ValueError:  # a file without a size; any other fault is found again
            return Pose.from_json(text, size)
    if joints is None or Path(joints).suffix.lower() != ".csv":
        raise ValueError(
            f"The target {str(target)!r} is no file; a name needs a keypoint CSV (--target-keypoints)."
        )
    return read_pose_file(joints, size, str(target), lone_row=False)


def _set_threads(threads: int | None) -> None:
    import torch

    if threads is not None:
        torch.set_num_threads(threads)


def _check_suffix(path: str) -> None:
    if Path(path).suffix.lower() != ".png":
        raise ValueError(f"The picture is written as PNG: {path!r} should end in .png.")


def _write_picture(path: str, picture: np.ndarray) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    print(path)
