"""Score methods side by side on the same pairs: one table, and everything needed to measure it again.

Every method's uint8 pictures are compared with the true ones in its frame, person by person. "Copy the
source" and the part warp, which learn nothing, stand in every table. Data and models come from the caller.
"""

import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pgt import metrics
from pgt.data.pairs import PairDataset
from pgt.data.parsing import NUM_LABELS
from pgt.data.person import Pair, Person
from pgt.metrics import Score
from pgt.models.part_warp import PartWarp
from pgt.models.pose_estimator import PoseEstimator
from pgt.predictor import Predictor, fit_person
from pgt.truth import Truth, further_scores, score

COPY, WARP, TRUTH = "copy the source", "part warp", "the true picture"
# column of the table -> title, decimals, which way is better
COLUMNS = {
    "ssim": ("SSIM ↑", 3),
    "ms_ssim": ("MS-SSIM ↑", 3),
    "local_ssim": ("local-SSIM ↑", 3),
    "mask_ssim": ("mask-SSIM ↑", 3),
    "foreground_ssim": ("foreground SSIM ↑", 3),
    "foreground_l1": ("foreground L1 ↓", 4),
    "background_l1": ("background L1 ↓", 4),
    "psnr": ("PSNR, dB ↑", 2),
    "l1": ("L1 ↓", 4),
    "pckh": ("PCKh@0.5 ↑", 3),
    "sharpness": ("sharpness → 1", 2),
    "map_accuracy": ("map accuracy ↑", 3),
    "map_iou": ("map mIoU ↑", 3),
    "milliseconds": ("ms a picture", 0),
}
MAX_COLUMNS = 12  # of a table whose columns nobody chose
SPARE = ("ms_ssim", "map_accuracy", "l1", "local_ssim")  # left out of a wider one, in this order

Pictures = Mapping[str, Sequence[np.ndarray]]  # name of a row -> uint8 (H, W, 3) per pair
Method = Predictor | Callable[[Sequence[Pair]], Sequence[np.ndarray]]


@dataclass(frozen=True)
class EvaluationResult:
    """A table of means, with its spread and its circumstances."""

    means: dict[str, dict[str, float]]  # row -> column -> mean over the pairs
    standard_errors: dict[str, dict[str, float]]  # the same of the means
    protocol: dict[str, dict[str, str | float | int]]  # column -> how it is measured
    facts: dict[str, object] = field(default_factory=dict)  # data, machine, versions, date, seconds

    def to_markdown(self, columns: Sequence[str] | None = None) -> str:
        """Write the means as a Markdown table; columns without any number are left out.

        Without `columns`, a table of more than 12 is made narrower; `means` always has all.
        """
        known = {column for row in self.means.values() for column in row}
        shown = [column for column in (columns or COLUMNS) if column in known]
        for column in SPARE if columns is None else ():
            if len(shown) > MAX_COLUMNS and column in shown:
                shown.remove(column)
        lines = [["method", *(COLUMNS[column][0] for column in shown)], ["---"] + ["---:"] * len(shown)]
        lines += [[name, *(_number(row, column) for column in shown)] for name, row in self.means.items()]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

    def to_json(self) -> str:
        """Write everything by `as_json`."""
        content = {"facts": self.facts, "protocol": self.protocol}
        return as_json(content | {"means": self.means, "standard_errors": self.standard_errors})

    def save(self, path: str | Path) -> None:
        """Write the JSON to a file, making its folder."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(self.to_json())

    def __str__(self) -> str:
        return self.to_markdown()


def evaluate(
    predictors: Mapping[str, Method],
    pairs: PairDataset | Sequence[Pair],
    *,
    batch_size: int = 16,
    mask: str = "person",
    pose_estimator: PoseEstimator | None = None,
    close_up: bool = False,
    baselines: bool = True,
    data: Mapping[str, object] | None = None,
    progress: bool = False,
) -> EvaluationResult:
    """Score methods on pairs.

    Args:
        predictors: row name -> a Predictor, or a function from pairs to uint8 pictures. A predictor that
            draws a coarse and a refined picture fills two rows.
        pairs: source and true target of each; resized and padded to the predictors' frame if need be.
        batch_size: pairs drawn at once; changes no number but the milliseconds.
        mask: the foreground: "person", the target's own mask or parsing, or "pose", PG2's pose mask.
        pose_estimator: finds the joints in generated pictures for PCKh; the column is left out without it.
        close_up: let it see an enlarged cut around the target person; for pictures of small people.
        baselines: add the rows "copy the source" and "part warp".
        data: parameters of the pairs, to be kept in the result.
        progress: show a bar.

    Raises:
        ValueError: no pairs, predictors of different frames, or a target without the mask asked for.
    """
    if len(pairs) == 0:
        raise ValueError("there are no pairs to evaluate.")
    start = time.perf_counter()
    methods: dict[str, Method] = dict(predictors)
    size = _common_frame(predictors)
    if baselines:
        methods |= {COPY: _copy, WARP: Predictor(PartWarp())}
    table = _Table()

    def scores(images: Sequence[np.ndarray]) -> dict[str, Score]:
        return score(images, truth, pose_estimator, close_up=close_up) | further_scores(images, truth)

    for chunk in _chunks(pairs, size, batch_size, progress):
        truth = Truth.of([pair.target for pair in chunk], mask)
        for name, method in methods.items():
            pictures, milliseconds, label_maps = _draw(name, method, chunk)
            for row, images in pictures.items():
                table.add(row, scores(images), milliseconds)
                table.add_maps(row, label_maps, [pair.target.label_map for pair in chunk])
        if pose_estimator is not None:  # how far the estimator itself can be trusted
            table.add(TRUTH, scores([pair.target.image for pair in chunk]), [])
    facts = {"data": {**(data or {}), "pairs": len(pairs)}, "mask": mask, "batch_size": batch_size}
    facts |= {"models": {name: _source_of(method) for name, method in predictors.items()}}
    if pose_estimator is not None:
        facts["pose_estimator"] = getattr(pose_estimator, "checkpoint_source", "untitled")
    return table.result(facts | _circumstances(time.perf_counter() - start))


def score_picture(picture: np.ndarray, truth: Person, *, mask: str = "person") -> dict[str, float]:
    """Measure one uint8 picture against the true person, who is fitted into the picture's frame."""
    fitted = fit_person(truth, picture.shape[:2])
    return {name: score.mean for name, score in score([picture], Truth.of([fitted], mask)).items()}


class _Table:
    """Collects numbers per row and column, batch by batch."""

    def __init__(self) -> None:
        self._confusions: dict[str, Tensor] = {}
        self._values: dict[str, dict[str, list[Tensor]]] = {}
        self._protocol: dict[str, dict[str, str | float | int]] = {}

    def add(self, row: str, scores: Mapping[str, Score], milliseconds: Sequence[float]) -> None:
        columns = self._values.setdefault(row, {})
        for name, one in scores.items():
            columns.setdefault(name, []).append(one.values.cpu())
            self._protocol[name] = dict(one.protocol)
        if milliseconds:
            columns.setdefault("milliseconds", []).append(torch.tensor(milliseconds, dtype=torch.float64))

    def add_maps(
        self, row: str, found: Sequence[np.ndarray | None], true: Sequence[np.ndarray | None]
    ) -> None:
        """Compare label maps (H, W), where a method gives any and the truth is known."""
        if any(labels is None for labels in (*found, *true)) or not found:
            return
        maps = (torch.from_numpy(np.stack(labels)).long() for labels in (found, true))
        confusion = metrics.label_confusion(*maps, NUM_LABELS)
        self._confusions[row] = self._confusions.get(row, 0) + confusion
        protocol = {"labels": NUM_LABELS, "pixels": "of all pictures together"}
        self._protocol |= {"map_accuracy": protocol, "map_iou": protocol}

    def result(self, facts: dict[str, object]) -> EvaluationResult:
        means: dict[str, dict[str, float]] = {}
        errors: dict[str, dict[str, float]] = {}
        for row, columns in self._values.items():
            values = {name: torch.cat(chunks) for name, chunks in columns.items()}
            means[row] = {name: float(v.nanmean()) for name, v in values.items()}
            defined = {name: v[~v.isnan()] for name, v in values.items()}
            errors[row] = {
                name: float(v.std()) / math.sqrt(len(v)) for name, v in defined.items() if len(v) > 1
            }
        if set(self._confusions) <= {COPY}:  # no method here predicts maps
            self._confusions, columns = {}, ("map_accuracy", "map_iou")
            self._protocol = {k: v for k, v in self._protocol.items() if k not in columns}
        for row, confusion in self._confusions.items():
            means[row]["map_accuracy"] = metrics.pixel_accuracy(confusion)
            means[row]["map_iou"] = metrics.mean_iou(confusion)
        return EvaluationResult(means, errors, self._protocol, facts)


def _common_frame(predictors: Mapping[str, Method]) -> tuple[int, int] | None:
    """Return the frame (H, W) of the predictors that have one; None if none does."""
    frames = {method.image_size for method in predictors.values() if isinstance(method, Predictor)} - {None}
    if len(frames) > 1:
        raise ValueError(f"methods of one table must share a frame; got {sorted(frames)}.")
    return frames.pop() if frames else None


def _chunks(
    pairs: PairDataset | Sequence[Pair], size: tuple[int, int] | None, batch_size: int, progress: bool
) -> Iterator[list[Pair]]:
    """Yield batches of pairs fitted into one frame: the given one, or the first target's."""
    from tqdm.auto import tqdm

    chunk: list[Pair] = []
    for index in tqdm(range(len(pairs)), unit="pair", desc="Evaluating", disable=not progress):
        pair = pairs[index]
        size = size or pair.target.image_size
        chunk.append(Pair(fit_person(pair.source, size), fit_person(pair.target, size), pair.name))
        if len(chunk) == batch_size or index == len(pairs) - 1:
            yield chunk
            chunk = []


def _draw(
    name: str, method: Method, chunk: Sequence[Pair]
) -> tuple[Pictures, list[float], list[np.ndarray | None]]:
    """Return the rows a method fills, the milliseconds of each picture, and its label maps."""
    if not isinstance(method, Predictor):
        maps = [pair.source.label_map for pair in chunk] if method is _copy else []
        return {name: list(method(chunk))}, [], maps
    predictions = method.generate_batch([(pair.source, pair.target.pose) for pair in chunk])
    milliseconds = [prediction.milliseconds for prediction in predictions]
    maps = [prediction.label_map for prediction in predictions]
    if predictions[0].difference_map is None:
        return {name: [prediction.image for prediction in predictions]}, milliseconds, maps
    coarse = [prediction.coarse for prediction in predictions]
    rows = {f"{name} coarse": coarse, f"{name} refined": [p.refined for p in predictions]}
    return rows, milliseconds, maps


def _copy(chunk: Sequence[Pair]) -> list[np.ndarray]:
    return [pair.source.image for pair in chunk]


def with_true_maps(predictor: Predictor) -> Callable[[Sequence[Pair]], Sequence[np.ndarray]]:
    """Let a predictor follow the targets' true label maps: the paper's TS-GT of an SPT (Song et al. 2021)."""

    def draw(chunk: Sequence[Pair]) -> list[np.ndarray]:
        maps = [pair.target.label_map for pair in chunk]
        predictions = predictor.generate_batch([(pair.source, pair.target.pose) for pair in chunk], maps)
        return [prediction.image for prediction in predictions]

    return draw


def _source_of(method: Method) -> str:
    model = method.model if isinstance(method, Predictor) else method
    return str(getattr(model, "checkpoint_source", type(model).__name__))


def _circumstances(seconds: float) -> dict[str, object]:
    """Return when, where and with what the numbers were measured."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(seconds, 1),
        "commit": _commit(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def _commit() -> str | None:
    """Return the commit of the working copy this file belongs to, "+" appended if it has changes."""
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _number(row: Mapping[str, float], column: str) -> str:
    value = row.get(column, math.nan)
    return "" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.{COLUMNS[column][1]}f}"


def as_json(content: object) -> str:
    """Write plain data as JSON; a number that is not finite becomes null."""
    return json.dumps(_finite(content), indent=2) + "\n"


def _finite(value: object) -> object:
    """Replace numbers that JSON does not have by None."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
