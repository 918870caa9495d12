"""`pgt train`: one recipe, its data and its card."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pgt.checkpoint import Card
from pgt.commands.common import (
    SYNTHETIC,
    FittedPairs,
    cached_people,
    folder_pairs,
    is_first_process,
    reader_of,
    scene_of,
    set_threads,
    spread_over,
)
from pgt.commands.recipes import recipe_of
from pgt.commands.variety import varied_pairs, variety_facts
from pgt.commands.video import is_video, training_pairs, video_card
from pgt.config import GROWN_FROM, PRESETS, Config, GarmentFlowConfig, SPTConfig, Stage, changed_fields
from pgt.data.pairs import PairDataset
from pgt.data.person import Pair
from pgt.synthetic.people import SyntheticPeople

if TYPE_CHECKING:
    from pgt.training.recipe import Recipe

PAPERS = ("pg2", "spt", "mrnet", "progressive")  # whose configs' defaults are a paper's settings
NOT_OURS = "differs from the paper's settings in"
_OF_THE_DATA = {"image_size", "joint_set", "stages"}
SAMPLE_PAIRS = 6  # shown while training
SUMMARIES = {  # of model cards
    "pg2": "PG2 (Ma et al., Pose Guided Person Image Generation, NIPS 2017): draws a person in another pose.",
    "spt": "SPT (Song et al., Unpaired Person Image Generation With Semantic Parsing Transformation, TPAMI "
    "2021): turns a person's semantic map into another pose, then draws person and background. Learnt "
    "without pairs.",
    "mrnet": "MR-Net (Xu et al., Pose-Guided Person Image Synthesis in the Non-Iconic Views, TIP 2020): "
    "draws a person in another pose in the same scene, round by round.",
    "progressive": "Progressive (Pose-guided high-resolution appearance transfer via progressive training, "
    "2020): draws a person in another pose, grown from small pictures to large ones.",
    "pose-estimator": "Finds the 18 joints of one person in a picture: the judge behind PCKh.",
    "garment-flow": "Moves the pixels of one person's garment onto another person who faces the viewer too: "
    "the second step of garment transfer (Progressive, 2020, section 4.5).",
    "human-parser": "Labels the pixels of a person with 10 labels; its first layers are perceptual features.",
}
_SCHEMATIC = (
    "Trained on synthetic people alone. On photographs the pose follows, but faces, hair and cloth come out "
    "schematic, and cluttered backgrounds smear."
)
_NOT_FOR_PHOTOS = "Trained on synthetic people alone: not for photographs, where"
SYNTHETIC_LIMITS = {
    "pg2": _SCHEMATIC,
    "spt": _SCHEMATIC,
    "mrnet": _SCHEMATIC,
    "progressive": _SCHEMATIC,
    "pose-estimator": f"{_NOT_FOR_PHOTOS} a detector of people belongs.",
    "garment-flow": _SCHEMATIC,
    "human-parser": f"{_NOT_FOR_PHOTOS} a parser of people belongs.",
}


def train(arguments: argparse.Namespace, watch: Callable[["Recipe"], "Recipe"] | None = None) -> None:
    """Train an approach, or continue its run; `watch` may put something around the recipe."""
    import torch

    from pgt.training.engine import Options, fit

    set_threads(arguments.threads)
    config = _preset(arguments.approach, arguments.preset)
    start_from = arguments.start_from or GROWN_FROM.get(arguments.preset)
    stages = [_changed(stage, arguments) for stage in config.stages]
    config = replace(config, stages=tuple(stages))
    dataset, samples = _training_pairs(arguments, config)
    dataset = varied_pairs(arguments, dataset, config.image_size)
    torch.manual_seed(arguments.seed)  # the initial weights, equal in every process
    recipe = recipe_of(config) if watch is None else watch(recipe_of(config))
    progress = fit(
        recipe,
        dataset,
        stages,
        arguments.run_dir,
        seed=arguments.seed,
        precision=arguments.precision,
        accumulation=arguments.accumulation,
        flip=not (arguments.no_flip or is_video(arguments)),  # a scene has one side
        start_from=start_from,
        sample_pairs=samples,
        data=variety_facts(arguments),
        card=_training_card(arguments, config),
        options=Options(
            log_every=arguments.log_every,
            sample_every=arguments.sample_every,
            save_every=arguments.save_every,
            max_seconds=arguments.max_seconds,
            num_workers=arguments.workers,
        ),
    )
    state = "finished" if progress.finished else "stopped by --max-seconds; the same command continues"
    if is_first_process():
        print(f"{arguments.run_dir}: {progress.step} steps, {state}")


def _training_pairs(arguments: argparse.Namespace, config: Config) -> tuple[PairDataset, Sequence[Pair]]:
    """Return the training pairs, and the pairs to draw while training."""
    size = config.image_size
    pairs: PairDataset
    if is_video(arguments):
        return training_pairs(arguments, size, SAMPLE_PAIRS)
    if isinstance(config, SPTConfig):
        from pgt.commands.unpaired import unpaired_people

        scenes = config.background == "network" and config.auxiliary
        pairs = unpaired_people(arguments, size, scenes=scenes, true_maps=config.guidance == "true")
    elif arguments.data == SYNTHETIC:
        pairs = people = cached_people(arguments, "train", size)
        people.fill(progress=is_first_process())
    else:
        pairs = FittedPairs(folder_pairs(arguments.data), size)
    unseen: PairDataset = pairs
    if arguments.data == SYNTHETIC:
        unseen = SyntheticPeople("val", size, scene_of(arguments.approach, arguments.scene))
    if isinstance(config, GarmentFlowConfig):
        from pgt.data.facing_pairs import FacingPairs

        pairs, unseen = FacingPairs(pairs), FacingPairs(unseen)
    if arguments.data == SYNTHETIC:
        return pairs, [unseen[i] for i in range(min(SAMPLE_PAIRS, len(unseen)))]
    return pairs, [unseen[i] for i in spread_over(unseen, SAMPLE_PAIRS)]


def _preset(approach: str, name: str) -> Config:
    names = [preset for preset in PRESETS if preset.startswith(approach)]
    if name not in names:
        raise ValueError(f"There is no preset {name!r} of {approach}; there are {', '.join(names)}.")
    return PRESETS[name]


def _changed(stage: Stage, arguments: argparse.Namespace) -> Stage:
    """Apply --steps-scale and --batch-size."""
    steps = max(1, round(stage.num_steps * arguments.steps_scale))
    return replace(stage, num_steps=steps, batch_size=arguments.batch_size or stage.batch_size)


def deviations(config: Config) -> dict[str, str]:
    """Return what of an approach's settings is not its paper's, as a fact for the card; nothing if all is."""
    changed = {name: value for name, value in changed_fields(config).items() if name not in _OF_THE_DATA}
    return {NOT_OURS: ", ".join(f"{name} {value}" for name, value in changed.items())} if changed else {}


def _training_card(arguments: argparse.Namespace, config: Config) -> Card:
    facts = {"preset": arguments.preset, "seed": arguments.seed, "precision": arguments.precision}
    facts |= variety_facts(arguments)
    if isinstance(config, SPTConfig):
        true = arguments.true_maps or config.guidance == "true"
        facts["partners"] = "true maps" if true else "pseudo-labels"
    if hasattr(config, "features"):
        facts["perceptual features"] = config.features
    if arguments.approach in PAPERS:
        facts |= deviations(config)
    summary = SUMMARIES[arguments.approach]
    card: Card = {"title": arguments.preset, "summary": summary, "training": facts}
    if is_video(arguments):
        return video_card(arguments, card)
    if arguments.data != SYNTHETIC:
        reader, path = reader_of(arguments.data)
        folder = f"a folder {Path(path).resolve().name!r}"
        data = folder if reader is None else f"{folder}, read as {reader}, split 'train'"
        return card | {"data": f"The pictures of {data}."}
    scene = scene_of(arguments.approach, arguments.scene)
    people = f"{arguments.identities} identities in {arguments.poses} poses, scene {scene!r}"
    data = f"Synthetic people of pgt, split 'train': {people}. No photograph was used."
    if arguments.photos:
        name = Path(arguments.photos).resolve().name
        share = f"{100 * arguments.photo_share:g} % photographs of a folder {name!r}, each as its own target"
        data = f"Synthetic people of pgt, split 'train': {people}; mixed with {share}."
        return card | {"data": data}
    return card | {"data": data, "limits": SYNTHETIC_LIMITS[arguments.approach]}
