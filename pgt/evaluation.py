"""Score methods side by side on the same pairs: one table, and everything needed to measure it again.

Every method's uint8 pictures are compared with the true ones in its frame, person by person. "Copy the
source" and the part warp, which learn nothing, stand in every table. Data and models come from the caller.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgt import metrics
from pgt.data.pairs import PairDataset
from pgt.data.parsing import NUM_LABELS
from pgt.data.person import Pair, Person
from pgt.judges import Judges
from pgt.metrics import Score
from pgt.models.part_warp import PartWarp
from pgt.models.pose_estimator import PoseEstimator
from pgt.partial import Partial, fingerprint, sources
from pgt.predictor import Predictor, fit_person
from pgt.protocols import OURS, Protocol
from pgt.results import COLUMNS as COLUMNS
from pgt.results import MAX_COLUMNS as MAX_COLUMNS
from pgt.results import EvaluationResult, circumstances, versions
from pgt.results import as_json as as_json
from pgt.truth import JudgedSets, Truth, further_scores, judged_scores, score

COPY, WARP, TRUTH = "copy the source", "part warp", "the true picture"
Pictures = Mapping[str, Sequence[np.ndarray]]  # name of a row -> uint8 (H, W, 3) per pair
Method = Predictor | Callable[[Sequence[Pair]], Sequence[np.ndarray]]


def evaluate(
    predictors: Mapping[str, Method],
    pairs: PairDataset | Sequence[Pair],
    *,
    batch_size: int = 16,
    mask: str = "person",
    pose_estimator: PoseEstimator | None = None,
    close_up: bool = False,
    baselines: bool = True,
    protocol: Protocol = OURS,
    judges: Judges | None = None,
    data: Mapping[str, object] | None = None,
    progress: bool = False,
    keep: str | Path | None = None,
) -> EvaluationResult:
    """Score methods on pairs.

    Args:
        predictors: row name -> a Predictor, or a function from pairs to uint8 pictures. A predictor that
            draws a coarse and a refined picture fills two rows.
        pairs: source and true target of each; resized and padded to the predictors' frame if need be.
        batch_size: pairs drawn at once; changes no number but the milliseconds.
        mask: the foreground, see `Truth.of`, for protocols that leave it open.
        pose_estimator: finds the joints in generated pictures for PCKh; the column is left out without it.
        close_up: let it see an enlarged cut around the target person; for pictures of small people.
        baselines: add the rows "copy the source" and "part warp".
        protocol: how to measure, for example `PROTOCOLS["pg2"]`; the whole of it is kept in the result.
        judges: networks for LPIPS, FID and so on; the metrics they miss stay blank, with the reason why.
        data: parameters of the pairs, to be kept in the result.
        progress: show a bar.
        keep: a file in which the numbers of finished batches are kept, written every minute and when this
            ends in any way. If an equal evaluation was stopped, what it wrote is not drawn again. Remove it
            when the result has been saved.

    Raises:
        ValueError: no pairs, predictors of different frames, or a target without the mask asked for; pairs
            that changed since the evaluation was stopped, or a function whose numbers cannot be kept.
    """
    if len(pairs) == 0:
        raise ValueError("there are no pairs to evaluate.")
    start = time.perf_counter()
    methods: dict[str, Method] = dict(predictors)
    size = _common_frame(predictors)
    if baselines:
        methods |= {COPY: _copy, WARP: Predictor(PartWarp())}
    table = _Table(judges, protocol)
    mask, digest = protocol.mask or mask, hashlib.sha256()

    def add(row: str, images: Sequence[np.ndarray], milliseconds: Sequence[float] = ()) -> None:
        scores = score(images, truth, pose_estimator, close_up=close_up, protocol=protocol)
        table.add(row, scores | further_scores(images, truth, protocol), milliseconds)
        table.judge(row, images, truth)

    how = (mask, batch_size, close_up, data or {}, protocol.as_dict())
    with Partial(keep, {} if keep is None else _key(methods, pose_estimator, judges, how)) as partial:
        state = partial.read() or {"digests": []}
        table.restore(state.get("table"))
        known, digests = state["digests"], []
        for chunk in _chunks(pairs, size, batch_size, progress, digest):
            digests.append(digest.hexdigest())
            if len(digests) <= len(known):
                if digests[-1] != known[len(digests) - 1]:
                    raise ValueError(f"The pairs are not those that {keep} was begun with; remove it.")
                continue
            truth = Truth.of([pair.target for pair in chunk], mask)
            for name, method in methods.items():
                pictures, milliseconds, label_maps = _draw(name, method, chunk)
                for row, images in pictures.items():
                    add(row, images, milliseconds)
                    table.add_maps(row, label_maps, [pair.target.label_map for pair in chunk])
            if pose_estimator is not None or judges is not None:  # how far they themselves can be trusted
                add(TRUTH, [pair.target.image for pair in chunk])
            partial.keep({"digests": list(digests), "table": table.state()})
    seen = {"pairs": len(pairs), "sha256": digest.hexdigest()}
    facts = {"data": {**(data or {}), **seen}, "mask": mask, "batch_size": batch_size}
    facts["image_size"] = list(chunk[0].target.image_size)
    facts |= {"protocol": protocol.as_dict(), "seeds": _seeds(data or {})}
    facts |= {"models": {name: _source_of(method) for name, method in predictors.items()}}
    facts |= {"device": _device_of(predictors), "missing": judges.missing if judges else {}}
    if pose_estimator is not None:
        facts["pose_estimator"] = getattr(pose_estimator, "checkpoint_source", "untitled")
    return table.result(facts | circumstances(time.perf_counter() - start))


def score_picture(picture: np.ndarray, truth: Person, *, mask: str = "person") -> dict[str, float]:
    """Measure one uint8 picture against the true person, who is fitted into the picture's frame."""
    fitted = fit_person(truth, picture.shape[:2])
    return {name: score.mean for name, score in score([picture], Truth.of([fitted], mask)).items()}


class _Table:
    """Collects numbers per row and column, batch by batch."""

    def __init__(self, judges: Judges | None, protocol: Protocol) -> None:
        self._judges, self._frame = judges, protocol
        self._sets = JudgedSets(judges or Judges(()), protocol)
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

    def judge(self, row: str, images: Sequence[np.ndarray], truth: Truth) -> None:
        """Ask the downloaded networks, if there are any."""
        if self._judges is not None:
            self.add(row, judged_scores(images, truth, self._judges, self._frame), [])
            self._sets.add(row, images, truth)

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

    def state(self) -> dict[str, object]:
        """Return everything collected so far, for `restore`; what is added later does not change it."""
        values = {
            row: {name: list(batches) for name, batches in columns.items()}
            for row, columns in self._values.items()
        }
        plain = {"protocol": dict(self._protocol), "confusions": dict(self._confusions)}
        return {"values": values, **plain, "sets": self._sets.state()}

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Go on from a `state`, if there is one."""
        if state is not None:
            self._values, self._protocol = state["values"], state["protocol"]
            self._confusions = state["confusions"]
            self._sets.restore(state["sets"])

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
        sets, protocol = self._sets.compute()
        means = {row: values | sets.get(row, {}) for row, values in means.items()}
        return EvaluationResult(means, errors, self._protocol | protocol, facts)


def _key(
    methods: Mapping[str, Method], estimator: PoseEstimator | None, judges: Judges | None, how: object
) -> dict[str, object]:
    """Return all that the numbers depend on besides the pairs' pictures.

    Raises:
        ValueError: a function of which nobody knows what it depends on.
    """
    networks: dict[str, object] = {"judge of poses": fingerprint(estimator)}
    for name, method in methods.items():
        drawing = getattr(method, "predictor", method)  # of `with_true_maps`
        if not isinstance(drawing, Predictor) and drawing is not _copy:
            raise ValueError(f"The numbers of {name!r} cannot be kept: it is a function.")
        network = drawing.model if isinstance(drawing, Predictor) else None
        where = str(drawing.device) if isinstance(drawing, Predictor) else ""
        networks[f"row {name}"] = [drawing is method, where, fingerprint(network)]
    for name in ("lpips", "inception", "detector"):
        judge = getattr(judges, name, None)
        networks[name] = fingerprint(getattr(judge, "network", judge))
    wanted = list(judges.wanted) if judges else []
    machinery = [sources(), versions(), torch.get_num_threads()]
    return {"networks": networks, "judged": wanted, "how": repr(how), "machinery": machinery}


def _common_frame(predictors: Mapping[str, Method]) -> tuple[int, int] | None:
    """Return the frame (H, W) of the predictors that have one; None if none does."""
    frames = {method.image_size for method in predictors.values() if isinstance(method, Predictor)} - {None}
    if len(frames) > 1:
        raise ValueError(f"methods of one table must share a frame; got {sorted(frames)}.")
    return frames.pop() if frames else None


def _chunks(
    pairs: PairDataset | Sequence[Pair],
    size: tuple[int, int] | None,
    batch_size: int,
    progress: bool,
    digest: "hashlib._Hash",
) -> Iterator[list[Pair]]:
    """Yield batches of pairs fitted into one frame: the given one, or the first target's.

    `digest` is fed with all pictures and poses as they were before.
    """
    from tqdm.auto import tqdm

    chunk: list[Pair] = []
    for index in tqdm(range(len(pairs)), unit="pair", desc="Evaluating", disable=not progress):
        pair = pairs[index]
        for person in (pair.source, pair.target):
            for part in (person.image, person.keypoints, person.visible):
                digest.update(np.ascontiguousarray(part).tobytes())
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

    draw.predictor = predictor  # what its numbers depend on
    return draw


def _source_of(method: Method) -> str:
    """Say which weights; of a folder its name alone, for results are published and paths are private."""
    model = method.model if isinstance(method, Predictor) else method
    said = str(getattr(model, "checkpoint_source", type(model).__name__))
    folder = said.removeprefix("the folder ")
    return said if folder == said else f"the folder {Path(folder).name}"


def _seeds(data: Mapping[str, object]) -> dict[str, object]:
    """Return what was random: which synthetic people there are, and the order of pictures in IS and KID."""
    return {"pictures": data.get("seed", "the pairs' own numbers"), "IS and KID": metrics.SEED}


def _device_of(methods: Mapping[str, Method]) -> str:
    """Name the device that draws, "cpu" where there are only functions."""
    devices = {method.device for method in methods.values() if isinstance(method, Predictor)}
    names = {torch.cuda.get_device_name(one) if one.type == "cuda" else one.type for one in devices}
    return ", ".join(sorted(names)) or "cpu"
