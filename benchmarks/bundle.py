"""Turn a finished run into bundled weights: half precision, scored on unseen people, with a card.

python -m benchmarks.bundle runs/128 pg2-synthetic-128

The card is made from the run's JSON files alone; what these have no record of is left out. To add something
to it (limits that showed, a run that was steered by hand), write it into the run's generator/card.json first.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import garments
from benchmarks.quality import NUM_PAIRS, unseen_pairs
from pgt.checkpoint import BUNDLED, CARD, WEIGHTS, Card, load, read_card, save
from pgt.commands.common import scene_of
from pgt.data.parsing import NUM_LABELS
from pgt.data.person import Person, uint8_to_signed
from pgt.evaluation import TRUTH, evaluate
from pgt.metrics import label_confusion, mean_iou, pixel_accuracy
from pgt.models.garment_flow import GarmentFlowNetwork
from pgt.models.human_parser import HumanParser
from pgt.models.mrnet import MRNetGenerator
from pgt.models.pose_estimator import PoseEstimator
from pgt.predictor import Predictor

SIZE_LIMIT = 12_000_000  # bytes of one bundled file
NUM_GARMENTS = 100  # people who are dressed to score a garment flow
SHOWN = ("ssim", "mask_ssim", "foreground_ssim", "foreground_l1", "psnr", "sharpness")
SETTINGS = ("seed", "precision")  # of a run's config.json, worth a line on the card


def scores(model: nn.Module) -> dict[str, float]:
    """Measure the model's last picture, or what a pose estimator or a parser finds in true pictures."""
    pairs = unseen_pairs(model.config.image_size, scene=scene(model))
    if isinstance(model, HumanParser):
        people = [pairs[i].target for i in range(len(pairs))]
        confusion = sum(_confusion(model, people[i : i + 16]) for i in range(0, len(people), 16))
        return {"mean_iou": mean_iou(confusion), "pixel_accuracy": pixel_accuracy(confusion)}
    if isinstance(model, PoseEstimator):
        result = evaluate({}, pairs, pose_estimator=model, baselines=False, progress=True)
        return {"pckh": result.means[TRUTH]["pckh"]}
    if isinstance(model, GarmentFlowNetwork):
        return garments.measure(model, NUM_GARMENTS)["true frontal"]["flow"]
    result = evaluate({"model": Predictor(model)}, pairs, baselines=False, progress=True)
    last = list(result.means.values())[-1]
    return {name: last[name] for name in SHOWN if name in last}


def scene(model: nn.Module) -> str:
    """Return where the people stand on whom a model is measured: where its approach belongs."""
    return scene_of("mrnet" if isinstance(model, MRNetGenerator) else "", None)


def measured_on(model: nn.Module) -> str:
    """Say which people `scores` looks at."""
    if isinstance(model, GarmentFlowNetwork):
        return f"{NUM_GARMENTS} synthetic people of the test split in the frontal pose, inside their clothes"
    return f"the first {NUM_PAIRS} pairs of synthetic people of the test split, scene {scene(model)!r}"


def _confusion(model: HumanParser, people: Sequence[Person]) -> Tensor:
    images = torch.stack([uint8_to_signed(person.image) for person in people])
    labels = torch.from_numpy(np.stack([person.label_map for person in people])).long()
    return label_confusion(model.find_labels(images), labels, NUM_LABELS)


def make_card(run: Path, name: str, model: nn.Module) -> Card:
    """Gather the card of a run: its own facts, how long it ran, and the scores."""
    own = read_card(run / "generator")
    return {
        **own,
        "title": name,
        "training": {**own.get("training", settings(run)), **efforts(run)},
        "metrics": scores(model),
        "metrics_on": measured_on(model),
    }


def settings(run: Path) -> dict[str, object]:
    """Return what a run was asked for, as far as a card shows it."""
    config = json.loads((run / "config.json").read_text())
    return {name: config[name] for name in SETTINGS if name in config}


def efforts(run: Path) -> dict[str, object]:
    """Return what a run cost: steps, machine, and hours if every session is on record."""
    record = run / "sessions.jsonl"
    sessions = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    if not sessions:
        return {}
    last = sessions[-1]
    machine = f"{last['device']}, {last['threads']} threads, torch {last['torch']}"
    facts = {"steps": last["last_step"], "machine": machine}
    ends = [0] + [one["last_step"] for one in sessions]
    if ends[:-1] == [one["first_step"] for one in sessions]:  # otherwise some session is missing
        facts["hours"] = round(sum(one["seconds"] for one in sessions) / 3600, 2)
    return facts


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder of `pgt train`")
    parser.add_argument("name", help="what the bundled weights are called")
    options = parser.parse_args()
    model = load(options.run / "generator")
    folder = save(model, BUNDLED / options.name, make_card(options.run, options.name, model), half=True)
    weight = (folder / WEIGHTS).stat().st_size
    print(f"{folder}: {weight / 1e6:.1f} MB\n\n{(folder / CARD).read_text()}")
    if weight > SIZE_LIMIT:
        parser.error(f"bundled weights may have {SIZE_LIMIT / 1e6:.0f} MB; these are not to be committed.")


if __name__ == "__main__":
    main()
