"""Turn a finished run into bundled weights: half precision, scored on unseen people, with a card.

python -m benchmarks.bundle runs/128 pg2-synthetic-128
"""

import argparse
import json
import re
from pathlib import Path

from torch import nn

from benchmarks.quality import NUM_PAIRS, unseen_pairs
from pgt.checkpoint import BUNDLED, CARD, WEIGHTS, Card, load, save
from pgt.evaluation import TRUTH, evaluate
from pgt.models.pose_estimator import PoseEstimator
from pgt.predictor import Predictor

SIZE_LIMIT = 12_000_000  # bytes of one bundled file
SHOWN = ("ssim", "mask_ssim", "foreground_ssim", "foreground_l1", "psnr", "sharpness")


def scores(model: nn.Module) -> dict[str, float]:
    """Measure the model's last picture, or for a pose estimator the joints that it finds in true pictures."""
    pairs = unseen_pairs(model.config.image_size)
    if isinstance(model, PoseEstimator):
        result = evaluate({}, pairs, pose_estimator=model, baselines=False, progress=True)
        return {"pckh": result.means[TRUTH]["pckh"]}
    result = evaluate({"model": Predictor(model)}, pairs, baselines=False, progress=True)
    last = list(result.means.values())[-1]
    return {name: last[name] for name in SHOWN if name in last}


def section(text: str, title: str) -> str:
    """Return what a model card says under a title."""
    return re.search(rf"^## {title}\n\n(.*?)(?:\n\n## |\Z)", text, re.DOTALL | re.MULTILINE)[1].strip()


def make_card(run: Path, name: str, model: nn.Module) -> Card:
    """Gather the card of a run: its own facts, how long it ran, and the scores."""
    text = (run / "generator" / CARD).read_text()
    facts = dict(line[2:].split(": ", 1) for line in section(text, "Training").splitlines())
    sessions = [json.loads(line) for line in (run / "sessions.jsonl").read_text().splitlines()]
    last = sessions[-1]
    facts["machine"] = f"{last['device']}, {last['threads']} threads, torch {last['torch']}"
    steps = [0] + [one["last_step"] for one in sessions]
    if steps[:-1] == [one["first_step"] for one in sessions]:  # otherwise some session is not on record
        facts["hours"] = f"{sum(one['seconds'] for one in sessions) / 3600:.2f}"
    return {
        "title": name,
        "summary": text.split(f"# {name}\n\n")[1].split("\n\n## Use")[0],
        "data": section(text, "Training data"),
        "training": facts,
        "limits": section(text, "Limits"),
        "metrics": scores(model),
        "metrics_on": f"the first {NUM_PAIRS} pairs of synthetic people of the test split",
    }


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
