"""Measure what photographs cost, and what a training made for them brings.

    python -m benchmarks.photos FOLDER plain=RUN/generator augmented=OTHER/generator --out photos.json
    python -m benchmarks.photos FOLDER pg2-synthetic-128 --seconds

FOLDER holds photos and their keypoints.csv (see `pgt.data.readers.folder`). Each of the weights draws every
photo from itself (self-reconstruction) and from its mirror image, where copying does not help. The numbers
are `pgt.evaluation`'s, the foreground being the pose mask; those of interest are foreground L1 and PCKh. The
judge of poses has learnt from synthetic people alone, so it errs on photos: the row of the photos themselves
says by how much.

With `--seconds`: time per photo, step by step. Where torchvision's weights cannot be had, keypoint R-CNN runs
on random ones, and the result says so: its backbone costs the same, its heads see other numbers of boxes.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from pgt.checkpoint import load
from pgt.commands.variety import FramedPhotos
from pgt.data.person import Pair, Person
from pgt.evaluation import evaluate
from pgt.photos import (
    DetectorUnavailableError,
    detectors,
    find_frame,
    frame_person,
    open_photo,
    paste_back,
    person_from_photo,
)
from pgt.predictor import Predictor, unfit_picture

JUDGE = "pose-estimator-synthetic-128"
Result = TypeVar("Result")


def self_pairs(photos: Sequence[Person], *, mirrored: bool) -> list[Pair]:
    """Return each photo as its own target, drawn from itself or from its mirror image."""
    people = [photos[number] for number in range(len(photos))]
    return [Pair(one.flipped() if mirrored else one, one, one.name) for one in people]


def score_photos(folder: str, weights: dict[str, str], judge: str) -> dict[str, object]:
    """Score weights on the photos of a folder: both ways of `self_pairs`."""
    predictors = {name: Predictor.load(one) for name, one in weights.items()}
    sizes = {predictor.image_size for predictor in predictors.values()}
    if len(sizes) != 1 or None in sizes:
        raise ValueError("The weights to compare must have one and the same frame.")
    photos = FramedPhotos(folder, sizes.pop())
    estimator = load(judge, quiet=True)
    results = {}
    for title, mirrored in (("from itself", False), ("from its mirror image", True)):
        data = {"folder": Path(folder).resolve().name, "drawn": title}
        pairs = self_pairs(photos, mirrored=mirrored)
        result = evaluate(predictors, pairs, mask="pose", pose_estimator=estimator, data=data)
        print(f"{title}:\n\n{result.to_markdown()}\n")
        results[title] = json.loads(result.to_json())
    return results


def time_photos(folder: str, weights: str, count: int | None) -> dict[str, object]:
    """Measure seconds per photo, step by step: medians over the first `count` photos."""
    predictor = Predictor.load(weights)
    people = FramedPhotos(folder, predictor.image_size or (128, 128)).folder
    detector, trained = _keypoint_rcnn()
    seconds: dict[str, list[float]] = {}
    names = people.names[:count]
    for name in names:
        path = people.path(name)
        photo = _timed(seconds, "open", lambda path=path: open_photo(path))
        _timed(seconds, "find joints", lambda photo=photo: detectors._run(detector, photo))
        person = person_from_photo(path, people.person(name).pose)
        size = predictor.image_size or person.image_size
        framed = _timed(seconds, "frame", lambda person=person, size=size: frame_person(person, size))
        drawn = _timed(seconds, "draw", lambda framed=framed: predictor.generate(framed, framed.pose))
        frame = find_frame(person, size).scaled(person.image_size, photo.shape[:2])

        def back(photo=photo, drawn=drawn, frame=frame) -> np.ndarray:
            return paste_back(photo, unfit_picture(drawn.image, (frame.height, frame.width)), frame)

        _timed(seconds, "paste back", back)
    medians = {step: float(np.median(times)) for step, times in seconds.items()}
    rows = [f"| {step} | {1000 * value:.1f} |" for step, value in medians.items()]
    print("\n".join(["| step | ms per photo (median) |", "| --- | ---: |", *rows]))
    weights_of_detector = "trained" if trained else "random: the trained ones cannot be had here"
    print(f"\nKeypoint R-CNN's weights: {weights_of_detector}; {len(names)} photos.")
    return {"seconds": medians, "detector": weights_of_detector, "threads": torch.get_num_threads()}


def _timed(seconds: dict[str, list[float]], step: str, work: Callable[[], Result]) -> Result:
    start = time.perf_counter()
    result = work()
    seconds.setdefault(step, []).append(time.perf_counter() - start)
    return result


def _keypoint_rcnn() -> tuple[nn.Module, bool]:
    """Return the detector, and whether its weights are the trained ones."""
    try:
        return detectors.load_keypoint_rcnn(), True
    except DetectorUnavailableError:
        from torchvision.models.detection import keypointrcnn_resnet50_fpn

        side = detectors.DETECTOR_SIDE
        network = keypointrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, min_size=side, max_size=2 * side
        )
        return network.eval(), False


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and write the numbers as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="photos and their keypoints.csv")
    parser.add_argument("weights", nargs="+", metavar="[NAME=]WEIGHTS", help="names or folders")
    parser.add_argument("--seconds", action="store_true", help="measure time, with the first weights")
    parser.add_argument("--count", type=int, help="with --seconds: so many photos at most")
    parser.add_argument("--judge", default=JUDGE, help="pose estimator (default %(default)s)")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--out", help="also write everything as JSON")
    options = parser.parse_args(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    named = dict(word.split("=", 1) if "=" in word else (word, word) for word in options.weights)
    if options.seconds:
        content = time_photos(options.folder, next(iter(named.values())), options.count)
    else:
        content = score_photos(options.folder, named, options.judge)
    if options.out:
        Path(options.out).write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
